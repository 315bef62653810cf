"""Compare the two adjoints of `odeint`: the discrete one and the continuous one.

The discrete adjoint is the derivative of the steps, their sizes being constants, and keeps what each step
needs (or snapshots, with `checkpoint=`). The continuous one solves the adjoint equation back in time, and the
state with it: it keeps the states at `ts` only, is as accurate as the tolerance, and fails where the way back
is unstable, as it is for equations that forget (A. Gholami, K. Keutzer, G. Biros, ANODE, 2019).
"""

import time

import numpy as np

import s2sad

PARAMS = np.array([1.5, 0.1])


def oscillator(y, t, stiffness, friction):
    return np.stack([y[1], -stiffness * y[0] - friction * y[1]])


def rod(y, t, conductivity, loss):  # cold at both ends: details of its temperature are gone soon
    padded = np.concatenate((np.zeros(1), y, np.zeros(1)))
    return 400.0 * conductivity * (padded[2:] - 2.0 * y + padded[:-2]) - loss * y


def misfit(params, rhs, y0, ts, tolerance, adjoint):
    ys = s2sad.odeint(rhs, y0, ts, *params, rtol=tolerance, atol=tolerance, maxsteps=20_000, adjoint=adjoint)
    return np.sum(ys[-1] ** 2)


gradient = s2sad.grad(misfit, jit=True)


def measure(rhs, y0, ts, tolerance, adjoint):
    """Return the relative error of the gradient, and the milliseconds that it takes."""
    exact = gradient(PARAMS, rhs, y0, ts, 1e-12, "discrete")
    found = gradient(PARAMS, rhs, y0, ts, tolerance, adjoint)
    start = time.perf_counter()
    gradient(PARAMS, rhs, y0, ts, tolerance, adjoint)
    ms = 1e3 * (time.perf_counter() - start)
    return np.max(np.abs(found - exact)) / np.max(np.abs(exact)), ms


def main():
    warm = np.sin(np.pi * np.linspace(0.0, 1.0, 22)[1:-1]) + 0.1
    problems = {
        "oscillator, 2 times": (oscillator, np.array([1.0, 0.0]), np.array([0.0, 20.0])),
        "rod, 2 times": (rod, warm, np.array([0.0, 0.05])),
        "rod, 11 times": (rod, warm, np.linspace(0.0, 0.05, 11)),
    }
    print(f"{'':20} {'adjoint':10} tolerance     error      ms")
    errors = {}
    for name, problem in problems.items():
        for tolerance in (1e-4, 1e-8):
            for adjoint in ("discrete", "continuous"):
                error, ms = measure(*problem, tolerance, adjoint)
                print(f"{name:20} {adjoint:10} {tolerance:9.0e}  {error:8.1e}  {ms:6.2f}")
                errors[name, tolerance, adjoint] = error
    print(gradient.source_for(PARAMS, *problems["oscillator, 2 times"], 1e-8, "continuous"))
    return errors


if __name__ == "__main__":
    main()
