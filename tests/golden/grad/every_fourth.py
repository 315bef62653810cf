# flags: grad --wrt x
# inputs: x = rng.normal(size=3); y = rng.normal(size=10)
import numpy as np


def product(x, y):
    for first in range(0, y.shape[0], 4):
        x = np.sin(x) * y[first]
    return np.sum(x)
# output
# s2sad 0.1  product_grad (every_fourth.py:6)
import numpy as np


def product_grad(x, y):
    """Return the gradient of product in x (every_fourth.py:6)."""
    # forward sweep
    t1 = -(-y.shape[0] // 4)
    t2 = max(t1, 0)
    x_tape = np.empty((t2,) + x.shape)
    x1 = x
    for first in range(0, y.shape[0], 4):
        x_tape[first // 4] = x1
        x1 = np.sin(x1) * y[first]
    # reverse sweep
    x_bar = np.broadcast_to(1.0, x.shape)  # every_fourth.py:7
    for k in range(t2 - 1, -1, -1):
        first = k * 4  # every_fourth.py:7
        x = x_tape[first // 4]
        x_bar = np.cos(x) * (y[first] * x_bar)  # every_fourth.py:8
    return x_bar.copy()
