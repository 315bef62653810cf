"""Compare the discrete adjoint of an advection scheme with the continuous adjoint equation.

A pulse is carried around a ring by a wind that varies in space. Wanted is the gradient, in its initial
values, of how far it ends from a target. s2sad differentiates the scheme: that is exact on every grid. The
adjoint equation, discretised on its own, is the gradient of no program, and comes near as grids are refined.
"""

import numpy as np

import s2sad


def wind(x):
    return 1.0 + 0.3 * np.sin(2.0 * np.pi * x)


def advect(u, courant, steps):
    """Solve u_t + (a u)_x = 0 by upwind steps; courant is a dt/dx at the right face of each cell."""
    for _ in range(steps):
        flux = courant * u
        u = u - flux + np.roll(flux, 1)
    return u


def misfit(u0, courant, steps, target):
    error = advect(u0, courant, steps) - target
    return 0.5 * np.mean(error * error)


def adjoint(p, courant, steps):
    """Solve -p_t = a p_x backward in time by upwind steps; courant is a dt/dx at the centre of each cell."""
    for _ in range(steps):
        p = p - courant * (p - np.roll(p, -1))
    return p


def main():
    gradient = s2sad.grad(misfit)
    rows = []
    print("cells   discrete, error   continuous, error   difference of the gradients   ratio")
    for n in (32, 64, 128, 256, 512):
        x = (np.arange(n) + 0.5) / n
        u0, target = np.exp(-(((x - 0.3) / 0.1) ** 2)), np.exp(-(((x - 0.7) / 0.1) ** 2))
        faces, centres, steps = 0.5 * wind(x + 0.5 / n), 0.5 * wind(x), n
        discrete = n * gradient(u0, faces, steps, target)  # as a density: by the width of a cell
        continuous = adjoint(advect(u0, faces, steps) - target, centres, steps)
        h, direction = 1e-5, np.cos(2.0 * np.pi * x) + np.sin(4.0 * np.pi * x)
        ahead, behind = (misfit(u0 + s * h * direction, faces, steps, target) for s in (1, -1))
        slope = (ahead - behind) / (2.0 * h)
        errors = [abs(np.mean(g * direction) / slope - 1.0) for g in (discrete, continuous)]
        apart = np.sqrt(np.mean((discrete - continuous) ** 2) / np.mean(discrete**2))
        ratio = rows[-1][-1] / apart if rows else np.nan
        print(f"{n:5d} {errors[0]:17.1e} {errors[1]:19.1e} {apart:29.2e} {ratio:7.2f}")
        rows.append([*errors, apart])
    print(gradient.source)
    return np.array(rows)


if __name__ == "__main__":
    main()
