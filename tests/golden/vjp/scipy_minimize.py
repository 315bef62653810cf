# flags: vjp --wrt a
# inputs: a = rng.uniform(0.5, 1.5, size=3)
import numpy as np
import scipy.optimize


def energy(a):
    def well(x):
        return np.sum((x - a) ** 2 + a * np.exp(x))

    def slope(x):
        return 2.0 * (x - a) + a * np.exp(x)

    def bend(x):
        return np.diag(2.0 + a * np.exp(x))

    found = scipy.optimize.minimize(well, np.zeros(3), jac=slope, hess=bend, method="Newton-CG", tol=1e-14)
    return found.fun * np.sum(found.x)
# output
# s2sad 0.1  energy_vjp (scipy_minimize.py:7)
import numpy as np
import scipy.optimize


def well(x, a):
    return np.sum((x - a) ** 2 + a * np.exp(x))


def slope(x, a):
    return 2.0 * (x - a) + a * np.exp(x)


def bend(x, a):
    return np.diag(2.0 + a * np.exp(x))


def energy_vjp(a, y_bar=1.0):
    """Return energy(a) and the cotangent of a (scipy_minimize.py:7)."""
    if a.shape[0] != 3:
        raise ValueError("scipy_minimize.py:9: a.shape[0] must equal 3")
    # forward sweep
    t1 = np.zeros(3)
    solution = scipy.optimize.minimize(
        well, t1, args=(a,), jac=slope, hess=bend, method="Newton-CG", tol=1e-14
    )
    x = solution.x
    fun = solution.fun
    t2 = np.sum(x)
    y = fun * t2
    # reverse sweep
    t3 = t2 * y_bar  # scipy_minimize.py:18
    t4 = np.exp(x)  # scipy_minimize.py:9
    a_bar = t4 * t3 - 2 * (x - a) * t3  # scipy_minimize.py:9
    t5 = np.broadcast_to(fun * y_bar, x.shape)  # scipy_minimize.py:17
    A = np.empty((3, 3))  # scipy_minimize.py:17
    for k in range(3):
        unit = np.zeros(3)
        unit[k] = 1.0  # scipy_minimize.py:17
        x_bar_dot = a * (np.exp(x) * unit) + 2 * unit  # scipy_minimize.py:9
        A[:, k] = x_bar_dot  # scipy_minimize.py:17
    t6 = np.linalg.solve(A, t5)  # scipy_minimize.py:17
    return y, a_bar + (2 * t6 - t4 * t6)
