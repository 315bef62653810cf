# flags: vjp
# inputs: x = rng.normal(size=4)
import numpy as np


def clipped(x):
    a = x * x
    a[x < 0.0] = 0.0
    a[x > 0.5] *= 2.0
    b = np.sin(a)
    return np.sum(b * a)
# output
# s2sad 0.1  clipped_vjp (mask_write.py:6)
import numpy as np


def unbroadcast(g, shape):
    """Return g with `shape`: summed where that is 1, repeated where g is."""
    lead = g.ndim - len(shape)
    axes = tuple(k for k in range(g.ndim) if k < lead or shape[k - lead] == 1 != g.shape[k])
    if axes:
        g = np.sum(g, axis=axes, keepdims=True)
        g = g.reshape(g.shape[max(lead, 0):])
    return np.broadcast_to(g, shape).copy()


def clipped_vjp(x, y_bar=1.0):
    """Return clipped(x) and the cotangent of x (mask_write.py:6)."""
    # forward sweep
    a = x * x
    t1 = x < 0.0
    a[t1] = 0.0
    t2 = x > 0.5
    t3 = a[t2] * 2.0
    a[t2] = t3
    b = np.sin(a)
    # reverse sweep
    b_bar = a * y_bar  # mask_write.py:11
    a_bar = b * y_bar  # mask_write.py:11
    a_bar = a_bar + np.cos(a) * b_bar  # mask_write.py:10
    a_bar[t2] = 2.0 * unbroadcast(a_bar[t2], t3.shape)  # mask_write.py:9
    a_bar[t1] = 0.0  # mask_write.py:8
    return np.sum(b * a), 2.0 * x * a_bar
