"""Estimate the source f in -div((1 + u^2) grad u) = f from the solution u, by finite elements.

Linear elements on the unit square, 32 x 32 squares cut in triangles, are assembled one by one; u is 0 on the
boundary. Newton's method solves the equations, and custom_root differentiates the solution: both need
products with the derivative of the residual (s2sad.jvp), and neither a matrix.
"""

import numpy as np
from scipy.optimize import minimize

import s2sad
from s2sad.solvers import bicgstab


def mesh(n):
    """Return nodes, triangles (three nodes each), and which nodes are inside."""
    x, y = np.meshgrid(np.linspace(0.0, 1.0, n + 1), np.linspace(0.0, 1.0, n + 1))
    corner = (np.arange(n)[:, None] * (n + 1) + np.arange(n)).ravel()
    lower = np.stack([corner, corner + 1, corner + n + 1], axis=1)
    upper = np.stack([corner + n + 2, corner + n + 1, corner + 1], axis=1)
    inside = ((np.abs(x - 0.5) < 0.5) & (np.abs(y - 0.5) < 0.5)).ravel()
    return np.stack([x.ravel(), y.ravel()], axis=1), np.concatenate([lower, upper]), inside


def residual(u, f, nodes, triangles, inside):
    """Return what the equations leave: integrals of (1 + u^2) grad u . grad v - f v, for each node's v."""
    out = np.zeros(u.shape[0])
    for e in range(triangles.shape[0]):
        i, j, k = triangles[e]
        x1, y1 = nodes[j] - nodes[i]
        x2, y2 = nodes[k] - nodes[i]
        twice = x1 * y2 - x2 * y1
        ux = ((u[j] - u[i]) * y2 - (u[k] - u[i]) * y1) / twice
        uy = ((u[k] - u[i]) * x1 - (u[j] - u[i]) * x2) / twice
        flux = 0.5 * (1.0 + ((u[i] + u[j] + u[k]) / 3.0) ** 2)
        at_j = flux * (ux * y2 - uy * x2)
        at_k = flux * (uy * x1 - ux * y1)
        load = twice / 24.0
        out[i] += -at_j - at_k - load * (2.0 * f[i] + f[j] + f[k])
        out[j] += at_j - load * (f[i] + 2.0 * f[j] + f[k])
        out[k] += at_k - load * (f[i] + f[j] + 2.0 * f[k])
    return np.where(inside, out, u)


@s2sad.custom_root(residual, solve="bicgstab")
def solve(u, f, nodes, triangles, inside):
    left = lambda z: residual(z, f, nodes, triangles, inside)  # noqa: E731
    for _ in range(20):
        r = left(u)
        if np.max(np.abs(r)) < 1e-13:
            break
        u = u - bicgstab(lambda v, u=u: s2sad.jvp(left, (u,), (v,))[1], r)
    return u


def misfit(f, measured, nodes, triangles, inside):
    u = solve(np.zeros_like(f), f, nodes, triangles, inside)
    return np.sum((u - measured) ** 2)


def main():
    grid = mesh(32)
    x, y = grid[0].T
    measured = 0.8 * np.sin(np.pi * x) * np.sin(2.0 * np.pi * y) ** 2
    f = np.full(x.shape[0], 5.0)
    value_and_grad = s2sad.value_and_grad(misfit, jit=True)
    value, gradient = value_and_grad(f, measured, *grid)
    h, direction = 1e-3, np.sin(np.arange(f.size))
    ahead, behind = (value_and_grad(f + s * h * direction, measured, *grid)[0] for s in (1, -1))
    error = abs(gradient @ direction / ((ahead - behind) / (2.0 * h)) - 1.0)
    options = {"args": (measured, *grid), "method": "L-BFGS-B", "options": {"maxiter": 10, "ftol": 0.0}}
    found = minimize(value_and_grad, f, jac=True, **options)
    print(value_and_grad.source)
    print(f"{grid[1].shape[0]} triangles, gradient against differences: {error:.1e}")
    print(f"sum of squares {value:.3f} -> {found.fun:.5f} after {found.nit} iterations")
    return error, value, found.fun


if __name__ == "__main__":
    main()
