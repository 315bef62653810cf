# flags: grad
# inputs: x = np.array([0.5, 1.5, 3.5, 0.1])
import numpy as np


def early_stop(x):
    squares = []
    for k in range(len(x)):
        squares.append(x[k] ** 2)
        if squares[-1] > 9.0:
            break
    return sum(squares)
# output
# s2sad 0.1  early_stop_grad (early_stop.py:6)
import numpy as np


def early_stop_grad(x):
    """Return the gradient of early_stop in x (early_stop.py:6)."""
    # forward sweep
    squares = np.empty(x.shape[0])
    count = 0
    for k in range(x.shape[0]):
        squares[k] = x[k] ** 2
        if squares[k] > 9.0:
            count = k + 1
            break
        count = k + 1
    # reverse sweep
    squares_bar = np.zeros_like(x)
    for k in range(count - 1, -1, -1):
        squares_bar[k] += 1.0  # early_stop.py:12
    x_bar = np.zeros_like(x)
    for k in range(count - 1, -1, -1):
        x_bar[k] += 2 * x[k] * squares_bar[k]  # early_stop.py:9
        squares_bar[k] = 0.0  # early_stop.py:9
    return x_bar
