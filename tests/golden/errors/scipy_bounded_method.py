# call: s2sad.grad(f)(2.0)
from scipy.optimize import minimize_scalar


def f(a):
    return minimize_scalar(lambda x: (x - a) ** 2, method="bounded").x
# error
# scipy_bounded_method.py:6:12: S118 `method='bounded'` of scipy.optimize.minimize_scalar is not supported: at active bounds the gradient is not 0, and the derivative needs multipliers
#     return minimize_scalar(lambda x: (x - a) ** 2, method="bounded").x
#            ^
#   substitute variables: x = np.exp(z) is positive; or write a rule: custom_root
