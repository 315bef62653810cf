"""Minimise Rosenbrock's valley: loops as one writes them, gradient and Hessian products by s2sad."""

import numpy as np
from scipy.optimize import minimize

import s2sad


def rosenbrock(x):
    total = 0.0
    for i in range(x.shape[0] - 1):
        total += 100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2
    return total


def hessian_product(x, v):
    return s2sad.hvp(rosenbrock, (x,), (v,))


def main():
    gradient = s2sad.grad(rosenbrock)
    start = np.tile([-1.2, 1.0], 3)
    fit = minimize(rosenbrock, start, jac=gradient, hessp=hessian_product, method="Newton-CG")
    print(gradient.source)
    print(f"minimum at {np.round(fit.x, 6)} after {fit.nit} iterations")
    return fit.x


if __name__ == "__main__":
    main()
