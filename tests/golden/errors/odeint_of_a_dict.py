# call: s2sad.grad(f)(np.ones(3))
import numpy as np

import s2sad


def slope(y, t, p):
    return {"u": -p[0] * y["u"]}


def f(x):
    return s2sad.odeint(slope, {"u": x[1]}, np.linspace(0.0, 1.0, 5), x)["u"][-1]
# error
# odeint_of_a_dict.py:12:12: S306 a list or dict cannot be an argument here
#     return s2sad.odeint(slope, {"u": x[1]}, np.linspace(0.0, 1.0, 5), x)["u"][-1]
#            ^
#   make an array of it: np.array(...), or s2sad.ravel_pytree(...) of a dict or tuple of arrays
