# call: s2sad.grad(f)(2.0)
import s2sad


@s2sad.custom_vjp
def h(x):
    return x * x


def f(x):
    return h(x)
# error
# rule_missing.py:11:12: S128 `h` has no derivative
#     return h(x)
#            ^
#   give it one: h.defjvp or h.defvjp, or stop_gradient around its argument
