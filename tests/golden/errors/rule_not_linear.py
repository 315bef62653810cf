# call: s2sad.jvp(f, (2.0,), (1.0,))
import s2sad


@s2sad.custom_vjp
def h(x):
    return x


h.defvjp(lambda x: (x, None), lambda kept, g: (min(max(g, -1.0), 1.0),))


def f(x):
    return 5.0 * h(x)
# error
# rule_not_linear.py:10:31: S205 the rule of `h` is not linear in its cotangents, so it has no forward mode
#     h.defvjp(lambda x: (x, None), lambda kept, g: (min(max(g, -1.0), 1.0),))
#                                   ^
#   give `h` one: a defjvp
