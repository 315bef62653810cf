# flags: vjp --wrt logits
# inputs: logits = rng.normal(size=(4, 3)); labels = np.eye(3)[[0, 2, 1, 1]]
import numpy as np


def cross_entropy(logits, labels):
    z = logits - np.max(logits, axis=1, keepdims=True)
    log_prob = z - np.log(np.sum(np.exp(z), axis=1, keepdims=True))
    return -np.mean(np.sum(labels * log_prob, axis=1))
# output
# s2sad 0.1  cross_entropy_vjp (cross_entropy.py:6)
import numpy as np


def cross_entropy_vjp(logits, labels, y_bar=1.0):
    """Return cross_entropy(logits, labels) and the cotangent of logits (cross_entropy.py:6)."""
    if logits.shape[0] != labels.shape[0]:
        raise ValueError("cross_entropy.py:9: logits.shape[0] must equal labels.shape[0]")
    if logits.shape[1] != labels.shape[1]:
        raise ValueError("cross_entropy.py:9: logits.shape[1] must equal labels.shape[1]")
    # forward sweep
    t1 = np.max(logits, axis=1, keepdims=True)
    z = logits - t1
    t2 = np.exp(z)
    t3 = np.sum(t2, axis=1, keepdims=True)
    log_prob = z - np.log(t3)
    t4 = np.sum(labels * log_prob, axis=1)
    # reverse sweep
    log_prob_bar = labels * np.broadcast_to(-y_bar / t4.shape[0], t4.shape)[:, None]  # cross_entropy.py:9
    z_bar = log_prob_bar - t2 * (np.sum(log_prob_bar, axis=1, keepdims=True) / t3)  # cross_entropy.py:8
    t5 = (logits == t1).astype(np.float64)  # cross_entropy.py:7
    t6 = t5 / np.sum(t5, axis=1, keepdims=True)  # cross_entropy.py:7
    logits_bar = z_bar - t6 * np.sum(z_bar, axis=1, keepdims=True)  # cross_entropy.py:7
    return -np.mean(t4), logits_bar
