"""Fit a predator-prey model to the Hudson's Bay Company's counts of hares and lynxes, 1900-1920.

Rates and initial populations of the Lotka-Volterra equations are fitted on a log scale by
scipy.optimize; s2sad writes the gradient of the loss, Runge-Kutta loop and all.
"""

from pathlib import Path

import numpy as np
from scipy.optimize import minimize

import s2sad

SUBSTEPS = 20  # Runge-Kutta steps per year


def growth(state, rates):
    hare, lynx = state[0], state[1]
    alpha, beta, gamma, delta = rates
    return np.array([alpha * hare - beta * hare * lynx, -gamma * lynx + delta * hare * lynx])


def simulate(rates, start, years):
    h = 1.0 / SUBSTEPS
    path = np.empty((years, 2))
    state = start.copy()
    path[0] = state
    for year in range(1, years):
        for _ in range(SUBSTEPS):
            k1 = growth(state, rates)
            k2 = growth(state + 0.5 * h * k1, rates)
            k3 = growth(state + 0.5 * h * k2, rates)
            k4 = growth(state + h * k3, rates)
            state += h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
        path[year] = state
    return path


def loss(log_params, counts):
    params = np.exp(log_params)
    path = simulate(params[:4], params[4:], counts.shape[0])
    return np.sum((np.log(path) - np.log(counts)) ** 2)


def main():
    data = np.genfromtxt(Path(__file__).with_name("lynx_hare.csv"), delimiter=",", skip_header=2)
    years, counts = data[:, 0], data[:, 1:]
    guess = np.log([0.5, 0.03, 0.9, 0.03, 30.0, 4.0])
    value_and_grad = s2sad.value_and_grad(loss, jit=True)
    fit = minimize(value_and_grad, guess, args=(counts,), jac=True, method="BFGS")
    params = np.exp(fit.x)
    names = ("alpha", "beta", "gamma", "delta", "hare in 1900", "lynx in 1900")
    print(value_and_grad.source)
    for name, value in zip(names, params, strict=True):
        print(f"{name:>12} = {value:.4f}")
    rms = np.sqrt(fit.fun / counts.size)
    print(f"residual: {fit.fun:.4f} (rms of log populations {rms:.3f}), {fit.nit} iterations")
    plot(years, counts, simulate(params[:4], params[4:], len(years)))
    return params, fit.fun


def plot(years, counts, path):
    try:
        import matplotlib
    except ImportError:
        print("install matplotlib to see the plot")
        return
    matplotlib.use("Agg")
    from matplotlib import pyplot

    for k, (name, colour) in enumerate([("hare", "tab:brown"), ("lynx", "tab:blue")]):
        pyplot.plot(years, counts[:, k], "o", color=colour, label=f"{name}, counted")
        pyplot.plot(years, path[:, k], "-", color=colour, label=f"{name}, fitted")
    pyplot.legend(title="pelts, thousands")
    pyplot.savefig("lynx_hare.png", dpi=120)
    print("saved lynx_hare.png")


if __name__ == "__main__":
    main()
