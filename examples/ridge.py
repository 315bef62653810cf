"""Choose the penalties of a ridge regression, one per feature, by the gradient of the validation error.

The weights solve the normal equations; custom_root differentiates them by the condition that they fulfil: the
gradient of the training objective, which s2sad writes too, is zero.
"""

import numpy as np
from scipy.optimize import minimize

import s2sad


def objective(w, log_penalty, x, y):
    residual = x @ w - y
    return 0.5 * np.sum(residual * residual) + 0.5 * np.sum(np.exp(log_penalty) * w * w)


@s2sad.custom_root(s2sad.grad(objective))
def fit(start, log_penalty, x, y):
    return np.linalg.solve(x.T @ x + np.diag(np.exp(log_penalty)), x.T @ y)


def validation_error(log_penalty, train, valid):
    w = fit(np.zeros_like(log_penalty), log_penalty, train[0], train[1])
    residual = valid[0] @ w - valid[1]
    return np.mean(residual * residual)


def main():
    rng = np.random.default_rng(0)
    truth = np.zeros(20)
    truth[:4] = 2.0, -1.0, 1.5, 0.5
    x = rng.normal(size=(110, 20))
    y = x @ truth + rng.normal(size=110)
    train, valid, test = (x[:30], y[:30]), (x[30:60], y[30:60]), (x[60:], y[60:])

    start = np.zeros(20)
    value_and_grad = s2sad.value_and_grad(validation_error)
    _, slope = value_and_grad(start, train, valid)
    h = 1e-5
    ahead = np.array([validation_error(start + step, train, valid) for step in h * np.eye(20)])
    behind = np.array([validation_error(start - step, train, valid) for step in h * np.eye(20)])
    error = np.max(np.abs(slope - (ahead - behind) / (2.0 * h)))

    options = {"bounds": [(-6.0, 6.0)] * 20, "method": "L-BFGS-B"}
    found = minimize(value_and_grad, start, args=(train, valid), jac=True, **options)
    print(value_and_grad.source)
    print(f"gradient against differences: {error:.1e}")
    errors = [validation_error(p, train, test) for p in (np.full(20, -6.0), start, found.x)]
    print("error on the test set: almost no penalty {:.3f}, all 1 {:.3f}, chosen {:.3f}".format(*errors))
    return error, errors


if __name__ == "__main__":
    main()
