# flags: vjp --wrt u
# inputs: u = rng.normal(size=(5, 5)); c = 0.2
import numpy as np


def diffuse(u, c):
    v = u.copy()
    flux = u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2]
    flux -= 4.0 * u[1:-1, 1:-1]
    v[1:-1, 1:-1] += c * flux
    return np.sum(v * v)
# output
# s2sad 0.1  diffuse_vjp (stencil.py:6)
import numpy as np


def diffuse_vjp(u, c, y_bar=1.0):
    """Return diffuse(u, c) and the cotangent of u (stencil.py:6)."""
    # forward sweep
    v = u.copy()
    flux = u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2]
    flux -= 4.0 * u[1:-1, 1:-1]
    v[1:-1, 1:-1] += c * flux
    # reverse sweep
    v_bar = 2.0 * v * y_bar  # stencil.py:11
    flux_bar = c * v_bar[1:-1, 1:-1]  # stencil.py:10
    u_bar = np.zeros_like(u)
    u_bar[1:-1, 1:-1] = -4.0 * flux_bar  # stencil.py:9
    u_bar[1:-1, :-2] += flux_bar  # stencil.py:8
    u_bar[1:-1, 2:] += flux_bar  # stencil.py:8
    u_bar[:-2, 1:-1] += flux_bar  # stencil.py:8
    u_bar[2:, 1:-1] += flux_bar  # stencil.py:8
    u_bar += v_bar  # stencil.py:7
    return np.sum(v * v), u_bar
