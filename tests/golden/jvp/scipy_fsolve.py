# flags: jvp --wrt a
# inputs: a = rng.uniform(0.5, 1.5)
import numpy as np
from scipy.optimize import fsolve


def crossing(a):
    def residual(x):
        height = a * x[1]
        return [np.cos(x[0]) - height, x[1] - x[0]]

    start = np.array([0.5, 0.5])
    return fsolve(residual, start, xtol=1e-12)
# output
# s2sad 0.1  crossing_jvp (scipy_fsolve.py:7)
import numpy as np
import scipy.optimize


def residual(x, a):
    height = a * x[1]
    return np.array([np.cos(x[0]) - height, x[1] - x[0]])


def crossing_jvp(a, a_dot):
    """Return crossing(a) and the tangent (scipy_fsolve.py:7)."""
    start = np.array([0.5, 0.5])
    y = scipy.optimize.fsolve(residual, start, args=(a,), xtol=1e-12)
    height_dot = y[1] * a_dot  # scipy_fsolve.py:9
    t1 = -np.array([-height_dot, 0.0])  # scipy_fsolve.py:13
    A = np.empty((2, 2))  # scipy_fsolve.py:13
    for k in range(2):
        unit = np.zeros(2)
        unit[k] = 1.0  # scipy_fsolve.py:13
        height_dot = a * unit[1]  # scipy_fsolve.py:9
        A[:, k] = np.array([-np.sin(y[0]) * unit[0] - height_dot, unit[1] - unit[0]])  # scipy_fsolve.py:13
    return y, np.linalg.solve(A, t1)
