"""Attention in tiles of keys with an online softmax, differentiated as it stands and by a rule of its own.

The gradient of the plain loop keeps the weights and sums of every tile. The rule (custom_vjp) keeps the
result and one number per query, and computes the weights again (T. Dao et al., FlashAttention, 2022).
"""

import tracemalloc

import numpy as np

import s2sad

TILE = 16


def tiled(q, k, v):
    """Return softmax(q k') v, and the logarithm of its normalisers."""
    top, total = np.full(q.shape[0], -np.inf), np.zeros(q.shape[0])
    out = np.zeros((q.shape[0], v.shape[1]))
    for first in range(0, k.shape[0], TILE):
        scores = q @ k[first : first + TILE].T
        new_top = np.maximum(top, np.max(scores, axis=1))
        weights = np.exp(scores - new_top[:, None])
        shrink = np.exp(top - new_top)
        total = total * shrink + np.sum(weights, axis=1)
        out = out * shrink[:, None] + weights @ v[first : first + TILE]
        top = new_top
    return out / total[:, None], top + np.log(total)


def attention_forward(q, k, v):
    out, normaliser = tiled(q, k, v)
    return out, (q, k, v, out, normaliser)


def attention_backward(kept, out_bar):
    q, k, v, out, normaliser = kept
    q_bar, k_bar, v_bar = map(np.zeros_like, (q, k, v))
    mean = np.sum(out * out_bar, axis=1)
    for first in range(0, k.shape[0], TILE):
        tile = slice(first, first + TILE)
        weights = np.exp(q @ k[tile].T - normaliser[:, None])
        scores_bar = weights * (out_bar @ v[tile].T - mean[:, None])
        v_bar[tile] += weights.T @ out_bar
        k_bar[tile] += scores_bar.T @ q
        q_bar += scores_bar @ k[tile]
    return q_bar, k_bar, v_bar


attention = s2sad.custom_vjp(lambda q, k, v: tiled(q, k, v)[0])
attention.defvjp(attention_forward, attention_backward)


def textbook(q, k, v):
    weights = np.exp(q @ k.T)
    return weights / np.sum(weights, axis=1)[:, None] @ v


def loss(q, k, v, target, attend):
    return np.mean((attend(q, k, v) - target) ** 2)


def main():
    args = np.random.default_rng(0).normal(size=(4, 600, 8))
    gradient = s2sad.grad(loss, argnums=(0, 1, 2))
    ways = {"textbook": textbook, "tiled": lambda q, k, v: tiled(q, k, v)[0], "attention": attention}
    reference, errors, peaks = np.array(gradient(*args, textbook)), {}, {}
    for name, attend in ways.items():
        gradient.source_for(*args, attend)  # so that only the call itself is measured
        tracemalloc.start()
        errors[name] = np.max(np.abs(gradient(*args, attend) - reference)) / np.max(np.abs(reference))
        peaks[name] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        print(f"{name:>9}: largest difference {errors[name]:.1e}, memory {peaks[name] / 1e6:5.2f} MB")
    print(gradient.source)
    return errors, peaks


if __name__ == "__main__":
    main()
