# call: s2sad.grad(f)(1.0)
import numpy as np
from scipy.integrate import odeint


def f(k):
    return odeint(lambda y, t: -k * y, [1.0], np.array([0.0, 1.0]))[1, 0]
# error
# scipy_odeint.py:7:12: S118 scipy.integrate.odeint integrates by LSODA, whose steps cannot be read
#     return odeint(lambda y, t: -k * y, [1.0], np.array([0.0, 1.0]))[1, 0]
#            ^
#   use scipy.integrate.solve_ivp, or s2sad.odeint
