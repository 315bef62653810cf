# flags: vjp --wrt logits
# inputs: logits = rng.normal(size=(4, 3)); labels = np.eye(3)[[0, 2, 1, 1]]
import numpy as np


def cross_entropy(logits, labels):
    z = logits - np.max(logits, axis=1, keepdims=True)
    e = np.exp(z)
    normaliser = np.sum(e, axis=1, keepdims=True)
    log_prob = z - np.log(normaliser)
    picked = np.sum(labels * log_prob, axis=1)
    return -np.mean(picked)
# output
# s2sad 0.1  cross_entropy_vjp (cross_entropy.py:6)
import numpy as np


def cross_entropy_vjp(logits, labels, y_bar=1.0):
    """Return cross_entropy(logits, labels) and the cotangent of logits (cross_entropy.py:6)."""
    if logits.shape[0] != labels.shape[0]:
        raise ValueError("cross_entropy.py:11: logits.shape[0] must equal labels.shape[0]")
    if logits.shape[1] != labels.shape[1]:
        raise ValueError("cross_entropy.py:11: logits.shape[1] must equal labels.shape[1]")
    # forward sweep
    t1 = np.max(logits, axis=1, keepdims=True)
    z = logits - t1
    e = np.exp(z)
    normaliser = np.sum(e, axis=1, keepdims=True)
    log_prob = z - np.log(normaliser)
    picked = np.sum(labels * log_prob, axis=1)
    # reverse sweep
    picked_bar = -y_bar / picked.shape[0]  # cross_entropy.py:12
    log_prob_bar = labels * np.broadcast_to(picked_bar, picked.shape)[:, None]  # cross_entropy.py:11
    z_bar = log_prob_bar - e * (np.sum(log_prob_bar, axis=1, keepdims=True) / normaliser)  # cross_entropy.py:8
    t2 = (logits == t1).astype(np.float64)  # cross_entropy.py:7
    t3 = t2 / np.sum(t2, axis=1, keepdims=True)  # cross_entropy.py:7
    logits_bar = z_bar - t3 * np.sum(z_bar, axis=1, keepdims=True)  # cross_entropy.py:7
    return -np.mean(picked), logits_bar
