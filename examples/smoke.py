"""Find the initial wind that carries smoke into a ring, through a solver for incompressible flow.

Stable fluids in a periodic box (J. Stam, 1999): the velocity carries itself and the smoke, traced back and
interpolated; then a pressure makes it free of divergence. The pressure's Poisson equation is solved by
conjugate gradients and differentiated as a linear system (custom_linear_solve), not through the iterations.
"""

import numpy as np
from scipy.optimize import minimize

import s2sad
from s2sad.solvers import cg

N, STEPS, DT = 24, 8, 1.0


def laplacian(p):
    around = np.roll(p, 1, 0) + np.roll(p, -1, 0) + np.roll(p, 1, 1) + np.roll(p, -1, 1)
    return 4.0 * p - around


def project(u, v):
    """Return the part of a velocity without divergence; u and v belong to the upper and left faces."""
    divergence = np.roll(u, -1, 0) - u + np.roll(v, -1, 1) - v
    p = s2sad.custom_linear_solve(laplacian, -divergence, cg, symmetric=True)
    return u - (p - np.roll(p, 1, 0)), v - (p - np.roll(p, 1, 1))


def carried(field, row, column):
    """Return the field at other places, by bilinear interpolation."""
    top, left = np.floor(row), np.floor(column)
    r, c = row - top, column - left
    i, j = top.astype(int) % N, left.astype(int) % N
    below, right = (i + 1) % N, (j + 1) % N
    upper = (1.0 - c) * field[i, j] + c * field[i, right]
    lower = (1.0 - c) * field[below, j] + c * field[below, right]
    return (1.0 - r) * upper + r * lower


def flow(u, v, smoke):
    rows, columns = np.arange(N)[:, None] + np.zeros(N), np.arange(N) + np.zeros((N, 1))
    u, v = project(u, v)
    for _ in range(STEPS):
        row, column = rows - DT * u, columns - DT * v
        smoke = carried(smoke, row, column)
        u, v = project(carried(u, row, column), carried(v, row, column))
    return smoke


def misfit(wind, smoke, target):
    u, v = wind.reshape(2, N, N)
    return np.mean((flow(u, v, smoke) - target) ** 2) + 1e-5 * np.mean(wind**2)


def main():
    x, y = np.meshgrid(np.arange(N) - N / 2, np.arange(N) - N / 2)
    smoke = np.exp(-(x**2 + y**2) / 16.0)
    target = np.exp(-((np.hypot(x, y) - 5.0) ** 2) / 3.0)
    value_and_grad = s2sad.value_and_grad(misfit)
    wind = 0.1 * np.random.default_rng(0).normal(size=2 * N * N)
    value, slope = value_and_grad(wind, smoke, target)
    h, direction = 1e-5, np.sin(np.arange(wind.size))
    ahead, behind = (misfit(wind + s * h * direction, smoke, target) for s in (1, -1))
    error = abs(slope @ direction / ((ahead - behind) / (2.0 * h)) - 1.0)
    options = {"maxiter": 30}
    fit = minimize(value_and_grad, wind, args=(smoke, target), jac=True, method="L-BFGS-B", options=options)
    print(value_and_grad.source)
    print(f"gradient against differences: {error:.1e}")
    print(f"misfit {value:.4f} -> {fit.fun:.4f} in {fit.nit} iterations; the smoke at the end:")
    for line in flow(*fit.x.reshape(2, N, N), smoke)[::2]:
        print("".join(" .:-=+*#%@"[min(int(9.9 * max(s, 0.0)), 9)] * 2 for s in line[::2]))
    return error, value, fit.fun


if __name__ == "__main__":
    main()
