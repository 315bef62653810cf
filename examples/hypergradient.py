"""Differentiate the validation error in the strength of a regulariser: by unrolling, and implicitly.

Gradient descent fits a logistic regression. The curse of unrolling: the derivative of the iterates first goes
away from that of the solution, and then comes nearer at about the rate of the iterates themselves, a factor k
behind. custom_root takes the condition of the solution instead and needs no path. (D. Scieur et al., 2022.)
"""

import numpy as np

import s2sad


def objective(w, log_strength, x, sign):
    return np.mean(np.log1p(np.exp(-sign * (x @ w)))) + 0.5 * np.exp(log_strength) * np.sum(w * w)


gradient = s2sad.grad(objective)


def descend(w, log_strength, x, sign, steps):
    rate = 1.0 / (0.25 * np.linalg.norm(x, 2) ** 2 / x.shape[0] + np.exp(log_strength))
    rate = s2sad.stop_gradient(rate)
    for _ in range(steps):
        w = w - rate * gradient(w, log_strength, x, sign)
    return w


@s2sad.custom_root(lambda w, log_strength, x, sign, steps: gradient(w, log_strength, x, sign), solve="cg")
def solution(w, log_strength, x, sign, steps):
    return descend(w, log_strength, x, sign, steps)


def validation_error(log_strength, fit, start, train, valid, steps):
    w = fit(start, log_strength, train[0], train[1], steps)
    return np.mean(np.log1p(np.exp(-valid[1] * (valid[0] @ w))))


def main():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 10)) * np.logspace(0.0, -1.0, 10)
    sign = np.sign(x @ rng.normal(size=10) + 0.3 * rng.normal(size=80))
    train, valid, start = (x[:40], sign[:40]), (x[40:], sign[40:]), 3.0 * rng.normal(size=10)
    log_strength = np.log(0.01)

    slope = s2sad.grad(validation_error)
    best = descend(start, log_strength, *train, 20000)
    exact = slope(log_strength, solution, start, train, valid, 20000)
    rows = []
    print("steps   distance to the solution   unrolled gradient, error   implicit gradient, error")
    for steps in (1, 3, 10, 30, 100, 300, 1000, 3000):
        distance = np.linalg.norm(descend(start, log_strength, *train, steps) - best)
        found = [slope(log_strength, fit, start, train, valid, steps) for fit in (descend, solution)]
        rows.append([steps, distance, *(abs(g - exact) / abs(exact) for g in found)])
        print("{:5d} {:26.1e} {:26.1e} {:26.1e}".format(*rows[-1]))
    print(slope.source)
    table = np.array(rows)
    plot(table)
    return table


def plot(table):
    try:
        import matplotlib
    except ImportError:
        print("install matplotlib to see the plot")
        return
    matplotlib.use("Agg")
    from matplotlib import pyplot

    for k, name in enumerate(["distance to the solution", "unrolled gradient", "implicit gradient"], 1):
        pyplot.loglog(table[:, 0], table[:, k], "o-", label=name)
    pyplot.xlabel("steps of gradient descent")
    pyplot.legend(title="error")
    pyplot.savefig("hypergradient.png", dpi=120)
    print("saved hypergradient.png")


if __name__ == "__main__":
    main()
