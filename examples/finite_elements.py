"""Find the source f in -div((1 + u^2) grad u) = f from measured values of u, by finite elements.

Linear elements on the unit square, 32 x 32 squares cut in triangles, are assembled one by one; u is 0 on the
boundary. Newton's method solves the equations, and custom_root differentiates the solution: both need products
with the derivative of the residual (s2sad.jvp) and no matrix.
"""

import sys
import time
import numpy as np

import s2sad
from s2sad.solvers import bicgstab

METHOD = sys.argv[1] if len(sys.argv) > 1 else "bicgstab"
SIZE = int(sys.argv[2]) if len(sys.argv) > 2 else 32

def mesh(n):
    """Return nodes, triangles (three nodes each), and which nodes are inside."""
    x, y = np.meshgrid(np.linspace(0.0, 1.0, n + 1), np.linspace(0.0, 1.0, n + 1))
    corner = (np.arange(n)[:, None] * (n + 1) + np.arange(n)).ravel()
    lower = np.stack([corner, corner + 1, corner + n + 1], axis=1)
    upper = np.stack([corner + n + 2, corner + n + 1, corner + 1], axis=1)
    inside = (np.abs(x - 0.5) < 0.5) & (np.abs(y - 0.5) < 0.5)
    return np.stack([x.ravel(), y.ravel()], axis=1), np.concatenate([lower, upper]), inside.ravel()


def residual(u, f, nodes, triangles, inside):
    """Return what the equations leave: integrals of (1 + u^2) grad u . grad v - f v, for each node's v."""
    out = np.zeros(u.shape[0])
    for e in range(triangles.shape[0]):
        i, j, k = triangles[e]
        x1, y1 = nodes[j] - nodes[i]
        x2, y2 = nodes[k] - nodes[i]
        twice = x1 * y2 - x2 * y1  # the area
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


@s2sad.custom_root(residual, solve=METHOD)
def solve(u, f, nodes, triangles, inside):
    for _ in range(20):
        r = residual(u, f, nodes, triangles, inside)
        if np.max(np.abs(r)) < 1e-13:
            break
        u = u - bicgstab(lambda v: s2sad.jvp(lambda z: residual(z, f, nodes, triangles, inside), (u,), (v,))[1], r)
    return u


def misfit(f, measured, nodes, triangles, inside):
    u = solve(np.zeros_like(f), f, nodes, triangles, inside)
    return np.sum((u - measured) ** 2)


def main():
    grid = mesh(SIZE)
    x, y = grid[0].T
    truth = 50.0 * np.exp(-((x - 0.3) ** 2 + (y - 0.6) ** 2) / 0.02)
    c = time.process_time()
    solver = s2sad.jit(solve)
    measured = solver(np.zeros_like(truth), truth, *grid)
    print("primal build", time.process_time() - c); c = time.process_time()
    measured = solver(np.zeros_like(truth), truth, *grid)
    print("primal", time.process_time() - c, measured.max()); c = time.process_time()
    vg = s2sad.value_and_grad(misfit, jit=True)
    f = np.full_like(truth, 5.0)
    vg(f, measured, *grid)
    print("vg build", time.process_time() - c); c = time.process_time()
    v, g = vg(f, measured, *grid)
    print("vg", time.process_time() - c); c = time.process_time()
    d = np.sin(np.arange(f.size)*1.0)
    loss = lambda f: np.sum((solver(np.zeros_like(f), f, *grid)-measured)**2)
    h=1e-4
    print(g @ d, (loss(f+h*d) - loss(f-h*d))/(2*h))
    print(vg.source)


if __name__ == "__main__":
    main()
