"""The few functions that emitted text may need beside NumPy's: printed where used, read back as ops."""

from __future__ import annotations

SUPPORT = {
    "unbroadcast": '''def unbroadcast(g, shape):
    """Return g with `shape`: summed where that is 1, repeated where g is."""
    lead = g.ndim - len(shape)
    axes = tuple(k for k in range(g.ndim) if k < lead or shape[k - lead] == 1 != g.shape[k])
    if axes:
        g = np.sum(g, axis=axes, keepdims=True)
        g = g.reshape(g.shape[lead:])
    return np.broadcast_to(g, shape).copy()
'''
}
