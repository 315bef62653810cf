# flags: vjp
# inputs: x = rng.normal(size=4)
import numpy as np


def chain(x):
    a = np.sin(x) * x
    b = np.exp(a) / (1.0 + x * x)
    return np.sum(b * a)
# output
# s2sad 0.1  chain_vjp (elementwise_chain.py:6)
import numpy as np


def chain_vjp(x, y_bar=1.0):
    """Return chain(x) and the cotangent of x (elementwise_chain.py:6)."""
    # forward sweep
    t1 = np.sin(x)
    a = t1 * x
    t2 = np.exp(a)
    t3 = 1.0 + x * x
    b = t2 / t3
    # reverse sweep
    b_bar = a * y_bar  # elementwise_chain.py:9
    a_bar = b * y_bar  # elementwise_chain.py:9
    t4 = b_bar / t3  # elementwise_chain.py:8
    a_bar = a_bar + t2 * t4  # elementwise_chain.py:8
    x_bar = t1 * a_bar - 2.0 * x * (b * t4) + np.cos(x) * (x * a_bar)  # elementwise_chain.py:7
    return np.sum(b * a), x_bar
