# flags: grad --wrt p
# inputs: p = 0.3; u0 = rng.normal(size=5); v0 = rng.normal(size=5); steps = 3
import numpy as np


def reaction(p, u0, v0, steps):
    u, v = u0.copy(), v0.copy()
    for _ in range(steps):
        uvv = u * v**2
        u += p * (1 - u) - uvv
        v += uvv - p * v
    return np.mean(v**2)
# output
# s2sad 0.1  reaction_grad (reaction.py:6)
import numpy as np


def reaction_grad(p, u0, v0, steps):
    """Return the gradient of reaction in p (reaction.py:6)."""
    if v0.shape[0] != u0.shape[0]:
        raise ValueError("reaction.py:9: v0.shape[0] must equal u0.shape[0]")
    # forward sweep
    u = u0.copy()
    v = v0.copy()
    t1 = max(steps, 0)
    u_tape = np.empty((t1,) + u0.shape)
    v_tape = np.empty((t1,) + u0.shape)
    uvv_tape = np.empty((t1,) + u0.shape)
    for k in range(steps):
        u_tape[k] = u
        v_tape[k] = v
        t2 = v ** 2
        uvv_tape[k] = t2
        uvv = u * t2
        u += p * (1 - u) - uvv
        v += uvv - p * v
    # reverse sweep
    v_bar = 2 * v * (1.0 / u0.shape[0])  # reaction.py:12
    u_bar = np.zeros_like(u0)
    p_bar = 0.0  # reaction.py:8
    for k in range(steps - 1, -1, -1):
        v = v_tape[k]
        p_bar -= np.sum(v * v_bar)  # reaction.py:11
        uvv_bar = v_bar - u_bar  # reaction.py:10
        u = u_tape[k]
        p_bar += np.sum((1 - u) * u_bar)  # reaction.py:10
        u_bar = u_bar - p * u_bar  # reaction.py:10
        u_bar = u_bar + uvv_tape[k] * uvv_bar  # reaction.py:9
        v_bar = v_bar - p * v_bar + 2 * v * (u * uvv_bar)  # reaction.py:9
    return float(p_bar)
