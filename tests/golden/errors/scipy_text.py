# call: s2sad.grad(f)(np.ones(3))
import scipy.stats


def f(x):
    return scipy.stats.gaussian_kde(x).pdf(0.0)[0]
# error
# scipy_text.py:6:12: S201 `scipy.stats.gaussian_kde` has no rule
#     return scipy.stats.gaussian_kde(x).pdf(0.0)[0]
#            ^
#   write it with functions that have one, or call it before the differentiated function
