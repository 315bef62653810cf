# flags: vjp --wrt x
# inputs: x = rng.normal(size=4); limit = 0.5
import numpy as np


def stops(x, limit):
    s = 0.0
    for i in range(x.shape[0]):
        t = np.exp(x[i]) * x[i]
        s += t * t
        if s > limit:
            break
    return s
# output
# s2sad 0.1  stops_vjp (break_in_loop.py:6)
import numpy as np


def stops_vjp(x, limit, y_bar=1.0):
    """Return stops(x, limit) and the cotangent of x (break_in_loop.py:6)."""
    # forward sweep
    t_tape = np.empty(x.shape[0])
    s = 0.0
    trips = 0
    for i in range(x.shape[0]):
        t1 = np.exp(x[i])
        t_tape[i] = t1
        t = t1 * x[i]
        s += t * t
        if s > limit:
            trips += 1
            break
        trips += 1
    # reverse sweep
    x_bar = np.zeros_like(x)
    for i in range(trips - 1, -1, -1):
        t = t_tape[i] * x[i]  # recomputed: break_in_loop.py:9
        t_bar = 2.0 * t * y_bar  # break_in_loop.py:10
        x_bar[i] += t_tape[i] * t_bar + t_tape[i] * (x[i] * t_bar)  # break_in_loop.py:9
    return s, x_bar
