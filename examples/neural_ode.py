"""Fit a neural ODE: a network is the right-hand side of x' = f(x), integrated by Runge-Kutta steps.

The data are a noisy path of a pendulum with friction, whose equation the network does not know. The gradient
goes through all steps (R. Chen et al., Neural ordinary differential equations, 2018).
"""

import numpy as np
from scipy.optimize import minimize

import s2sad

STEP = 0.1


def network(x, weights):
    w1, b1, w2 = weights[0:2], weights[2], weights[3:5]
    return w2 @ np.tanh(x @ w1 + b1)


def pendulum(x, friction):
    return np.array([x[1], -np.sin(x[0]) - friction * x[1]])


def path(slope, params, start, steps):
    out = np.empty((steps + 1, 2))
    x = start
    out[0] = x
    for k in range(steps):
        k1 = slope(x, params)
        k2 = slope(x + 0.5 * STEP * k1, params)
        k3 = slope(x + 0.5 * STEP * k2, params)
        k4 = slope(x + STEP * k3, params)
        x = x + STEP / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
        out[k + 1] = x
    return out


def loss(flat, start, data):
    weights = flat.reshape(5, -1)
    return np.mean((path(network, weights, start, data.shape[0] - 1) - data) ** 2)


def main():
    rng = np.random.default_rng(0)
    start = np.array([1.5, 0.0])
    truth = path(pendulum, 0.3, start, 120)
    data = truth[:61] + 0.02 * rng.normal(size=(61, 2))
    weights = 0.4 * rng.normal(size=40)
    value_and_grad = s2sad.value_and_grad(loss, jit=True)
    for seen in (16, 31, 61):  # the path is lengthened step by step, else the fit stops at a flat line
        fit = minimize(value_and_grad, weights, args=(start, data[:seen]), jac=True, options={"maxiter": 200})
        weights = fit.x
        print(f"first {seen - 1:2d} steps: rms error {np.sqrt(fit.fun):.4f} after {fit.nit} iterations")
    ahead = np.sqrt(np.mean((path(network, weights.reshape(5, -1), start, 120) - truth)[61:] ** 2))
    print(value_and_grad.source)
    print(f"rms error of the 60 steps to come: {ahead:.4f}")
    return np.sqrt(fit.fun), ahead


if __name__ == "__main__":
    main()
