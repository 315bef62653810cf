# flags: grad --wrt x
# inputs: x = rng.normal(size=6)
import numpy as np


def substituted(x):
    y = x.copy()
    for i in reversed(range(y.shape[0] - 1)):
        y[i] += y[i + 1] ** 2
    return y[0]
# output
# s2sad 0.1  substituted_grad (reversed_range.py:6)
import numpy as np


def substituted_grad(x):
    """Return the gradient of substituted in x (reversed_range.py:6)."""
    # forward sweep
    y = x.copy()
    y_tape = np.empty(max(y.shape[0] - 1, 0))
    for i in range(y.shape[0] - 1 - 1, -1, -1):
        t1 = y[i + 1]
        y_tape[i] = t1
        y[i] += t1 ** 2
    # reverse sweep
    y_bar = np.zeros_like(x)
    y_bar[0] = 1.0  # reversed_range.py:10
    for i in range(y.shape[0] - 1):
        y_bar[i + 1] += 2 * y_tape[i] * y_bar[i]  # reversed_range.py:9
    return y_bar
