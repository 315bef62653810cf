# call: s2sad.grad(f)(1.0)
import numpy as np
from scipy.integrate import solve_ivp


def f(k):
    seen = np.zeros(1)

    def slope(t, y):
        seen[0] = t
        return -k * y

    return solve_ivp(slope, (0.0, 1.0), [1.0]).y[0, -1] + seen[0]
# error
# solve_ivp_writes.py:13:12: S127 a function that a solver of SciPy calls must not write what it did not make
#     return solve_ivp(slope, (0.0, 1.0), [1.0]).y[0, -1] + seen[0]
#            ^
#   copy first, and return what is new
