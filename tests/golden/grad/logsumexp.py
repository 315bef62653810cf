# flags: grad
# inputs: x = rng.normal(size=4)
import numpy as np


def logsumexp(x):
    m = np.max(x)
    return m + np.log(np.sum(np.exp(x - m)))
# output
# s2sad 0.1  logsumexp_grad (logsumexp.py:6)
import numpy as np


def logsumexp_grad(x):
    """Return the gradient of logsumexp in x (logsumexp.py:6)."""
    # forward sweep
    m = np.max(x)
    t1 = np.exp(x - m)
    t2 = np.sum(t1)
    # reverse sweep
    m_bar = 1.0 - t2 / t2  # logsumexp.py:8
    t3 = (x == m).astype(np.float64)  # logsumexp.py:7
    x_bar = t1 / t2 + t3 / np.sum(t3, keepdims=True) * m_bar  # logsumexp.py:7
    return x_bar
