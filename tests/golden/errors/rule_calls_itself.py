# call: s2sad.grad(s2sad.grad(f))(2.0)
import s2sad

SCALE = 1.0


@s2sad.custom_jvp
def h(x, n):
    return x**n


@h.defjvp
def rule(primals, tangents):
    x, n = primals
    slope = n * h(x, n - 1) * tangents[0]
    if n < 3:
        slope = SCALE * slope
    return h(x, n), slope


def f(x):
    return h(x, 3)
# error
# rule_calls_itself.py:15:17: S129 `h` is called by its own rule in a way that cannot be followed
#     slope = n * h(x, n - 1) * tangents[0]
#                 ^
#   call another function there
