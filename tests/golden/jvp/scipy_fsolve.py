# flags: jvp --wrt a
# inputs: a = rng.uniform(0.5, 1.5)
import numpy as np
from scipy.optimize import fsolve


def crossing(a):
    return fsolve(lambda x: [np.cos(x[0]) - a * x[1], x[1] - x[0]], [0.5, 0.5], xtol=1e-12)
# output
# s2sad 0.1  crossing_jvp (scipy_fsolve.py:7)
import numpy as np
import scipy.optimize


def residual(x, a):
    return np.array([np.cos(x[0]) - a * x[1], x[1] - x[0]])


def crossing_jvp(a, a_dot):
    """Return crossing(a) and the tangent (scipy_fsolve.py:7)."""
    y = scipy.optimize.fsolve(residual, np.array([0.5, 0.5]), args=(a,), xtol=1e-12)
    t1 = -np.array([-(y[1] * a_dot), 0.0])  # scipy_fsolve.py:8
    A = np.empty((2, 2))  # dense.py:18
    for k in range(2):
        unit = np.zeros(2)
        unit[k] = 1.0  # dense.py:21
        A[:, k] = np.array([-np.sin(y[0]) * unit[0] - a * unit[1], unit[1] - unit[0]])  # dense.py:22
    return y, np.linalg.solve(A, t1)
