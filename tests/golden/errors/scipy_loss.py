# call: s2sad.grad(f)(np.ones(2))
import numpy as np
from scipy.optimize import least_squares


def f(a):
    return np.sum(least_squares(lambda x: x - a, np.ones(2), loss="huber").x)
# error
# scipy_loss.py:7:19: S118 `loss` of scipy.optimize.least_squares is not supported: its weights are part of the equation
#     return np.sum(least_squares(lambda x: x - a, np.ones(2), loss="huber").x)
#                   ^
#   use minimize of the loss
