# call: s2sad.jit(f)(2.0)
import s2sad

outside = s2sad.external(lambda x: x, result=lambda x: x)


def f(x):
    return outside(x)
# error
# external_not_importable.py:8:12: S130 `<lambda>` is called but not read, and emitted text cannot import it
#     return outside(x)
#            ^
#   define it at the top of a module
