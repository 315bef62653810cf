# flags: grad --wrt a,b
# inputs: a = rng.uniform(0.5, 1.5, size=3); b = 0.7
import numpy as np
from scipy.optimize import root


def residual(x, a, b):
    return a * x**3 + x - b


def total(a, b):
    x = root(residual, np.zeros(3), args=(a, b), tol=1e-13).x
    return np.sum(x**2)
# output
# s2sad 0.1  total_grad (scipy_root.py:11)
import numpy as np
import scipy.optimize


def residual(x, a, b):
    return a * x ** 3 + x - b


def total_grad(a, b):
    """Return the gradient of total in a and b (scipy_root.py:11)."""
    if a.shape[0] != 3:
        raise ValueError("scipy_root.py:8: a.shape[0] must equal 3")
    # forward sweep
    x = scipy.optimize.root(residual, np.zeros(3), args=(a, b), tol=1e-13).x
    # reverse sweep
    x_bar = 2 * x  # scipy_root.py:13
    A = np.empty((3, 3))  # scipy_root.py:12
    for k in range(3):
        unit = np.zeros(3)
        unit[k] = 1.0  # scipy_root.py:12
        A[:, k] = unit + 3 * x ** 2 * (a * unit)  # scipy_root.py:12
    t1 = np.linalg.solve(A, x_bar)  # scipy_root.py:12
    return x ** 3 * -t1, float(np.sum(t1))
