# call: s2sad.grad(f)(np.ones(2))
import numpy as np
from scipy import stats


def f(x):
    return stats.multivariate_normal.cdf(x, np.zeros(2), np.eye(2))
# error
# multivariate_cdf.py:7:12: S202 the distribution function of the multivariate normal has no closed form: SciPy integrates by random points, to five digits
#     return stats.multivariate_normal.cdf(x, np.zeros(2), np.eye(2))
#            ^
#   of independent components it is the product of scipy.stats.norm.cdf of each
