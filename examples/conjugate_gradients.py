"""Differentiate conjugate gradients in two ways: through the iterations, and by the system they solve.

One implicit time step of heat in a rod of unknown conductivity is such a system. Converged, both gradients
are the same. Stopped early, the unrolled one is the derivative of the program as it stands, whose result is
not yet the solution; the implicit one (custom_linear_solve) is that of the solution, as far as it is known.
"""

import numpy as np

import s2sad


def heat_step(u, log_k):
    """Return u - (k u')'; log_k belongs to the faces between the cells, nothing flows through the ends."""
    flux = np.exp(log_k) * (u[1:] - u[:-1])
    out = u.copy()
    out[:-1] -= flux
    out[1:] += flux
    return out


def conjugate_gradients(matvec, b, steps):
    x = np.zeros_like(b)
    r = b.copy()
    p = b.copy()
    rho = r @ r
    for _ in range(steps):
        if rho < 1e-26:
            break
        q = matvec(p)
        alpha = rho / (p @ q)
        x += alpha * p
        r -= alpha * q
        before = rho
        rho = r @ r
        p = r + (rho / before) * p
    return x


def unrolled(log_k, b, steps):
    u = conjugate_gradients(lambda v: heat_step(v, log_k), b, steps)
    return np.sum(u**3)


def implicit(log_k, b, steps):
    def solve(matvec, b):
        return conjugate_gradients(matvec, b, steps)

    u = s2sad.custom_linear_solve(lambda v: heat_step(v, log_k), b, solve, symmetric=True)
    return np.sum(u**3)


def main():
    rng = np.random.default_rng(0)
    log_k, b = 1.0 + 0.5 * rng.normal(size=39), rng.normal(size=40)
    direction, h = rng.normal(size=39), 1e-6
    gradients = s2sad.grad(unrolled), s2sad.grad(implicit)
    exact = gradients[1](log_k, b, 100)
    print("         error of the gradient of the solution    error of the derivative of the program")
    print("steps              unrolled           implicit              unrolled            implicit")
    table = {}
    for steps in (2, 5, 10, 15, 20, 25, 30):
        ahead, behind = unrolled(log_k + h * direction, b, steps), unrolled(log_k - h * direction, b, steps)
        slope = (ahead - behind) / (2.0 * h)
        found = [gradient(log_k, b, steps) for gradient in gradients]
        table[steps] = [np.linalg.norm(g - exact) / np.linalg.norm(exact) for g in found]
        table[steps] += [abs(g @ direction - slope) / abs(slope) for g in found]
        print(f"{steps:5d}" + "".join(f"{error:20.1e}" for error in table[steps]))
    print(gradients[1].source)
    return table


if __name__ == "__main__":
    main()
