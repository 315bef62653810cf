# flags: grad --wrt w,b
# inputs: w = rng.normal(size=(3, 2)); b = rng.normal(size=2); x = rng.normal(size=(4, 3)); labels = np.array([0, 1, 1, 0])
import numpy as np


def cross_entropy(w, b, x, labels):
    logits = x @ w + b
    logits = logits - logits.max(axis=1, keepdims=True)
    logp = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return -np.mean(logp[np.arange(len(labels)), labels])
# output
# s2sad 0.1  cross_entropy_grad (picked_labels.py:6)
import numpy as np


def cross_entropy_grad(w, b, x, labels):
    """Return the gradient of cross_entropy in w and b (picked_labels.py:6)."""
    if w.shape[1] != b.shape[0]:
        raise ValueError("picked_labels.py:7: w.shape[1] must equal b.shape[0]")
    # forward sweep
    t1 = x @ w
    logits = t1 + b
    t2 = np.max(logits, axis=1, keepdims=True)
    logits1 = logits - t2
    t3 = np.exp(logits1)
    # reverse sweep
    logp_bar = np.zeros_like(t1)
    logp_bar[np.arange(labels.shape[0]), labels] = -1.0 / labels.shape[0]  # picked_labels.py:10
    t4 = np.sum(logp_bar, axis=1, keepdims=True)  # picked_labels.py:9
    logits_bar = logp_bar - t3 * (t4 / np.sum(t3, axis=1, keepdims=True))  # picked_labels.py:9
    t5 = np.sum(logits_bar, axis=1, keepdims=True)  # picked_labels.py:8
    t6 = (logits == t2).astype(np.float64)  # picked_labels.py:8
    logits_bar = logits_bar - t6 / np.sum(t6, axis=1, keepdims=True) * t5  # picked_labels.py:8
    return x.T @ logits_bar, np.sum(logits_bar, axis=0)
