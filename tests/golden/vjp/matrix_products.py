# flags: vjp
# inputs: a = rng.normal(size=(3, 4)); b = rng.normal(size=(4, 2)); x = rng.normal(size=2)
import numpy as np


def products(a, b, x):
    y = a @ (b @ x)
    return y @ y
# output
# s2sad 0.1  products_vjp (matrix_products.py:6)
import numpy as np


def products_vjp(a, b, x, y_bar=1.0):
    """Return products(a, b, x) and the cotangents of a, b and x (matrix_products.py:6)."""
    # forward sweep
    t1 = b @ x
    y = a @ t1
    # reverse sweep
    t2 = 2.0 * y * y_bar  # matrix_products.py:8
    y_bar1 = a.T @ t2  # matrix_products.py:7
    return y @ y, (np.outer(t2, t1), np.outer(y_bar1, x), b.T @ y_bar1)
