# flags: vjp
# inputs: m = rng.normal(size=(3, 4))
import numpy as np


def moments(m):
    mean = np.mean(m, axis=0)
    spread = np.sum((m - mean) ** 2, axis=0)
    return np.sum(spread) + np.prod(mean)
# output
# s2sad 0.1  moments_vjp (reductions.py:6)
import numpy as np


def moments_vjp(m, y_bar=1.0):
    """Return moments(m) and the cotangent of m (reductions.py:6)."""
    # forward sweep
    mean = np.mean(m, axis=0)
    t1 = m - mean
    spread = np.sum(t1 ** 2, axis=0)
    # reverse sweep
    t2 = np.ones_like(mean[:1])  # reductions.py:9
    t3 = np.concatenate((np.cumprod(mean[1:][::-1])[::-1], t2))  # reductions.py:9
    mean_bar = np.concatenate((t2, np.cumprod(mean[:-1]))) * t3 * y_bar  # reductions.py:9
    spread_bar = np.broadcast_to(y_bar, spread.shape)  # reductions.py:8
    spread_bar1 = 2 * t1 * spread_bar[None, :]  # reductions.py:8
    mean_bar = mean_bar - np.sum(spread_bar1, axis=0)  # reductions.py:8
    return np.sum(spread) + np.prod(mean), spread_bar1 + mean_bar[None, :] / m.shape[0]
