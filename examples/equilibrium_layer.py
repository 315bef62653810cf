"""Train a deep equilibrium layer: a layer whose output z is the fixed point of z = tanh(W z + U x + b).

The points of two interleaved spirals are told apart. custom_fixed_point differentiates the equilibrium by one
linear system; the iterations that find it are not stored (S. Bai et al., Deep equilibrium models, 2019).
"""

import numpy as np

import s2sad


def layer(z, params, x):
    return np.tanh(z @ params["w"] + x @ params["u"] + params["b"])


@s2sad.custom_fixed_point(layer, solve="gmres")
def equilibrium(z, params, x):
    for _ in range(100):
        before = z
        z = layer(z, params, x)
        if np.max(np.abs(z - before)) < 1e-10:
            break
    return z


def logits(params, x):
    z = equilibrium(np.zeros((x.shape[0], params["w"].shape[0])), params, x)
    return z @ params["v"]


def loss(params, x, sign):
    return np.mean(np.log1p(np.exp(-sign * logits(params, x))))


def main():
    rng = np.random.default_rng(0)
    turn = np.linspace(0.5, 4.0, 40)
    spiral = 0.4 * np.stack([turn * np.cos(turn), turn * np.sin(turn)], axis=1)
    x, sign = np.concatenate([spiral, -spiral]), np.repeat([1.0, -1.0], 40)
    params = {
        "w": 0.1 * rng.normal(size=(12, 12)),
        "u": rng.normal(size=(2, 12)),
        "b": 0.5 * rng.normal(size=12),
        "v": 0.3 * rng.normal(size=12),
    }
    value_and_grad = s2sad.value_and_grad(loss)
    h, direction = 1e-5, rng.normal(size=(12, 12))
    ahead, behind = (loss({**params, "w": params["w"] + s * h * direction}, x, sign) for s in (1, -1))
    slope = np.sum(value_and_grad(params, x, sign)[1]["w"] * direction)
    error = abs(slope / ((ahead - behind) / (2.0 * h)) - 1.0)
    momentum = {name: np.zeros_like(value) for name, value in params.items()}
    for epoch in range(40):
        value, grads = value_and_grad(params, x, sign)
        for name in params:
            momentum[name] = 0.9 * momentum[name] - 0.1 * grads[name]
            params[name] += momentum[name]
        if epoch % 10 == 9:
            print(f"epoch {epoch + 1}: loss {value:.4f}")
    right = np.mean(np.sign(logits(params, x)) == sign)
    print(value_and_grad.source)
    print(f"gradient against differences: {error:.1e}; told apart: {100.0 * right:.0f} %")
    return error, right


if __name__ == "__main__":
    main()
