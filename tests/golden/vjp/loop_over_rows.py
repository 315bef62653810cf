# flags: vjp
# inputs: m = rng.normal(size=(3, 4))
import numpy as np


def norms(m):
    s = 0.0
    for row in m:
        s += np.sqrt(np.sum(row * row))
    return s
# output
# s2sad 0.1  norms_vjp (loop_over_rows.py:6)
import numpy as np


def norms_vjp(m, y_bar=1.0):
    """Return norms(m) and the cotangent of m (loop_over_rows.py:6)."""
    # forward sweep
    s_tape = np.empty(m.shape[0])
    s = 0.0
    for k in range(m.shape[0]):
        row = m[k]
        t1 = np.sqrt(np.sum(row * row))
        s_tape[k] = t1
        s += t1
    # reverse sweep
    m_bar = np.zeros_like(m)
    for k in range(m.shape[0] - 1, -1, -1):
        row = m[k]  # recomputed: loop_over_rows.py:8
        m_bar[k] += 2.0 * row * (0.5 * y_bar / s_tape[k])  # loop_over_rows.py:8
    return s, m_bar
