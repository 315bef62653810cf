"""Recover the initial temperature of a rod from what it became after 200 in-place heat steps."""

import numpy as np
from scipy.optimize import minimize

import s2sad


def diffuse(initial, steps, c):
    u = initial.copy()
    for _ in range(steps):
        u[1:-1] += c * (u[2:] - 2.0 * u[1:-1] + u[:-2])
        u[0] = u[1]
        u[-1] = u[-2]
    return u


def misfit(initial, measured, steps, c):
    error = diffuse(initial, steps, c) - measured
    roughness = np.sum((initial[1:] - initial[:-1]) ** 2)
    return np.sum(error * error) + 1e-6 * roughness


def main():
    x = np.linspace(0.0, 1.0, 64)
    truth = np.exp(-((x - 0.3) ** 2) / 0.01) + 0.6 * np.exp(-((x - 0.7) ** 2) / 0.02)
    measured = diffuse(truth, 200, 0.2)
    value_and_grad = s2sad.value_and_grad(misfit, jit=True)
    start = np.zeros_like(x)
    options = {"maxiter": 500, "maxfun": 2000, "ftol": 1e-14, "gtol": 1e-10}
    settings = {"args": (measured, 200, 0.2), "method": "L-BFGS-B", "options": options}
    fit = minimize(value_and_grad, start, jac=True, **settings)
    error = np.sqrt(np.mean((fit.x - truth) ** 2))
    print(value_and_grad.source)
    print(f"misfit {misfit(start, measured, 200, 0.2):.4f} -> {fit.fun:.2e}, rms error {error:.4f}")
    return error


if __name__ == "__main__":
    main()
