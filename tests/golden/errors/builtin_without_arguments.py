# call: s2sad.grad(f)(1.0)
def f(x):
    n = len()
    return x * n
# error
# builtin_without_arguments.py:3:9: S319 TypeError: len(): missing a required argument: 'obj'
#     n = len()
#         ^
