"""Learn a starting point from which one step of gradient descent fits a new task (MAML), in two ways.

The outer gradient goes through the inner one, and so has second derivatives; the first-order variant takes
the inner gradient as a constant (C. Finn et al., Model-agnostic meta-learning, 2017). Tasks are sine waves.
"""

import numpy as np

import s2sad

RATE = 0.05


def predict(params, x):
    hidden = np.tanh(np.outer(x, params["w1"]) + params["b1"])
    return hidden @ params["w2"] + params["b2"]


def loss(params, x, y):
    return np.mean((predict(params, x) - y) ** 2)


gradient = s2sad.grad(loss)


def adapted(params, x, y):
    grads = gradient(params, x, y)
    return {name: params[name] - RATE * grads[name] for name in params}


def adapted_first_order(params, x, y):
    grads = s2sad.stop_gradient(gradient(params, x, y))
    return {name: params[name] - RATE * grads[name] for name in params}


def meta_loss(params, tasks, adapt):
    total = 0.0
    for x, y, x_new, y_new in zip(*tasks, strict=True):
        total += loss(adapt(params, x, y), x_new, y_new)
    return total / tasks[0].shape[0]


def sample(rng, count):
    """Return points of sine waves, to adapt to and to be judged by: four arrays, a row per task."""
    height, phase = rng.uniform(0.5, 2.0, (count, 1)), rng.uniform(0.0, 1.5, (count, 1))
    x, x_new = rng.uniform(-2.0, 2.0, (2, count, 10))
    return x, height * np.sin(x + phase), x_new, height * np.sin(x_new + phase)


def train(params, adapt):
    params, rng, meta_gradient = dict(params), np.random.default_rng(1), s2sad.grad(meta_loss)
    for _ in range(250):
        grads = meta_gradient(params, sample(rng, 5), adapt)
        for name in params:
            params[name] = params[name] - 0.08 * grads[name]
    return params


def main():
    rng = np.random.default_rng(0)
    w1, b1, w2 = rng.normal(size=(3, 20))
    params = {"w1": w1, "b1": b1, "w2": 0.3 * w2, "b2": 0.0}
    tasks, unseen = sample(rng, 8), sample(rng, 200)
    h = 1e-5
    ahead, behind = (meta_loss({**params, "b2": s * h}, tasks, adapted) for s in (1, -1))
    slopes = {"differences": (ahead - behind) / (2.0 * h)}
    losses = {"at the start": meta_loss(params, unseen, adapted)}
    for name, adapt in (("second order", adapted), ("first order", adapted_first_order)):
        meta_gradient = s2sad.grad(meta_loss)
        slopes[name] = meta_gradient(params, tasks, adapt)["b2"]
        losses[name] = meta_loss(train(params, adapt), unseen, adapt)
    print(meta_gradient.source)
    print("d loss / d b2: " + ", ".join(f"{slope:.8f} by {name}" for name, slope in slopes.items()))
    for name, value in losses.items():
        print(f"loss of unseen tasks after one step, {name:>12}: {value:.4f}")
    return slopes, losses


if __name__ == "__main__":
    main()
