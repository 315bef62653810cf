"""Train a variational autoencoder: the noise is drawn inside the loss (the reparameterisation trick).

The data are noisy points of a parabola. Each call of the loss draws from the generator it is given; the
gradient uses those very numbers and never draws again (D. Kingma, M. Welling, Auto-encoding variational
Bayes, 2013).
"""

import numpy as np

import s2sad

NOISE = 0.1  # standard deviation of the decoder


def dense(layer, x):
    return x @ layer["w"] + layer["b"]


def encode(params, x):
    hidden = np.tanh(dense(params["encoder"], x))
    return dense(params["mean"], hidden), dense(params["log_var"], hidden)


def decode(params, z):
    return dense(params["points"], np.tanh(dense(params["decoder"], z)))


def loss(params, x, rng):
    mean, log_var = encode(params, x)
    z = rng.normal(mean, np.exp(0.5 * log_var))
    error = np.sum((decode(params, z) - x) ** 2, axis=1) / (2.0 * NOISE**2)
    divergence = 0.5 * np.sum(np.exp(log_var) + mean**2 - 1.0 - log_var, axis=1)
    return np.mean(error + divergence)


def layer(rng, inputs, outputs):
    return {"w": rng.normal(size=(inputs, outputs)) / np.sqrt(inputs), "b": np.zeros(outputs)}


def main():
    rng = np.random.default_rng(0)
    t = rng.normal(size=400)
    x = np.stack([t, 0.5 * t * t - 0.5], axis=1) + NOISE * rng.normal(size=(400, 2))
    shapes = {"encoder": (2, 16), "mean": (16, 1), "log_var": (16, 1), "decoder": (1, 16), "points": (16, 2)}
    params = {name: layer(rng, *shape) for name, shape in shapes.items()}

    value_and_grad = s2sad.value_and_grad(loss)
    _, grads = value_and_grad(params, x, np.random.default_rng(1))
    h, direction = 1e-5, grads["mean"]["w"] / np.linalg.norm(grads["mean"]["w"])
    ahead, behind = (
        loss(
            {**params, "mean": {**params["mean"], "w": params["mean"]["w"] + s * h * direction}},
            x,
            np.random.default_rng(1),  # the same draws
        )
        for s in (1, -1)
    )
    error = abs((ahead - behind) / (2.0 * h) / np.sum(grads["mean"]["w"] * direction) - 1.0)
    print(f"gradient against differences: {error:.1e}")
    losses = []
    for epoch in range(20):
        order = rng.permutation(400)
        total = 0.0
        for k in range(0, 400, 20):
            value, grads = value_and_grad(params, x[order[k : k + 20]], rng)
            total += value / 20
            for name, part in params.items():
                for key in part:
                    part[key] = part[key] - 0.002 * grads[name][key]
        losses.append(total)
        print(f"epoch {epoch + 1}: loss {total:.3f}")
    print(value_and_grad.source)
    return error, losses


if __name__ == "__main__":
    main()
