# flags: grad
# inputs: x = rng.normal(size=4)
import numpy as np


def logsumexp(x):
    m = np.max(x)
    return m + np.log(np.sum(np.exp(x - m)))
# output
