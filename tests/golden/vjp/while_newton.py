# flags: vjp
# inputs: a = 2.3
import numpy as np


def square_root(a):
    x = 1.0
    while abs(x * x - a) > 1e-12:
        x = 0.5 * (x + a / x)
    return x
# output
# s2sad 0.1  square_root_vjp (while_newton.py:6)
import numpy as np


def square_root_vjp(a, y_bar=1.0):
    """Return square_root(a) and the cotangent of a (while_newton.py:6)."""
    # forward sweep
    x_tape = np.empty(16)
    trips = 0
    x = 1.0
    while abs(x * x - a) > 1e-12:
        if trips == x_tape.shape[0]:
            x_tape = np.concatenate((x_tape, np.empty_like(x_tape)))
        x_tape[trips] = x
        x = 0.5 * (x + a / x)
        trips += 1
    # reverse sweep
    x_bar = y_bar  # while_newton.py:8
    a_bar = 0.0  # while_newton.py:8
    for k in range(trips - 1, -1, -1):
        t1 = 0.5 * x_bar  # while_newton.py:9
        x1 = x_tape[k]
        t2 = t1 / x1  # while_newton.py:9
        a_bar += t2  # while_newton.py:9
        x_bar = t1 - a / x1 * t2  # while_newton.py:9
    return x, float(a_bar)
