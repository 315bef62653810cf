# flags: grad
# inputs: x = rng.normal(size=4)
import numpy as np


def rosenbrock(x):
    total = 0.0
    for i in range(x.shape[0] - 1):
        total += 100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2
    return total
# output
# s2sad 0.1  rosenbrock_grad (rosenbrock.py:6)
import numpy as np


def rosenbrock_grad(x):
    """Return the gradient of rosenbrock in x (rosenbrock.py:6)."""
    # forward sweep
    total_tape = np.empty(max(x.shape[0] - 1, 0))
    for i in range(x.shape[0] - 1):
        total_tape[i] = x[i + 1] - x[i] ** 2
    # reverse sweep
    x_bar = np.zeros_like(x)
    for i in range(x.shape[0] - 2, -1, -1):
        total_bar = 200.0 * total_tape[i]  # rosenbrock.py:9
        x_bar[i] -= 2 * (1.0 - x[i]) + 2 * x[i] * total_bar  # rosenbrock.py:9
        x_bar[i + 1] += total_bar  # rosenbrock.py:9
    return x_bar
