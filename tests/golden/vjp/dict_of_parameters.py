# flags: vjp --wrt params
# inputs: params = {"w": rng.normal(size=(3, 2)), "b": rng.normal(size=2)}; x = rng.normal(size=3)
import numpy as np


def predict(params, x):
    h = np.tanh(x @ params["w"] + params["b"])
    return np.sum(h * h)
# output
# s2sad 0.1  predict_vjp (dict_of_parameters.py:6)
import numpy as np


def predict_vjp(params, x, y_bar=1.0):
    """Return predict(params, x) and the cotangent of params (dict_of_parameters.py:6)."""
    if params["w"].shape[1] != params["b"].shape[0]:
        raise ValueError('dict_of_parameters.py:7: params["w"].shape[1] must equal params["b"].shape[0]')
    # forward sweep
    h = np.tanh(x @ params["w"] + params["b"])
    # reverse sweep
    h_bar = 2.0 * h * y_bar  # dict_of_parameters.py:8
    t1 = (1.0 - h * h) * h_bar  # dict_of_parameters.py:7
    return np.sum(h * h), {"w": np.outer(x, t1), "b": t1}
