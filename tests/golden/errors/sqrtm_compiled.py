# call: s2sad.jit(f)(np.eye(2))
import scipy.linalg


def f(a):
    return scipy.linalg.sqrtm(a)
# error
# sqrtm_compiled.py:6:12: S292 scipy.linalg.sqrtm cannot be compiled
#     return scipy.linalg.sqrtm(a)
#            ^
#   use jit=False
