# flags: grad --wrt p
# inputs: p = 0.3; u0 = rng.normal(size=5); steps = 3
import numpy as np


def reaction(p, u0, steps):
    u, v = u0.copy(), 1.0 - u0
    for _ in range(steps):
        rate = p * u
        u += rate * v
        v -= rate
    return np.mean(v)
# output
# s2sad 0.1  reaction_grad (reaction.py:6)
import numpy as np


def reaction_grad(p, u0, steps):
    """Return the gradient of reaction in p (reaction.py:6)."""
    # forward sweep
    u = u0.copy()
    v = 1.0 - u0
    t1 = max(steps, 0)
    u_tape = np.empty((t1,) + u0.shape)
    v_tape = np.empty((t1,) + u0.shape)
    for k in range(steps):
        u_tape[k] = u
        v_tape[k] = v
        rate = p * u
        u += rate * v
        v -= rate
    # reverse sweep
    v_bar = 1.0 / u0.shape[0]  # reaction.py:12
    u_bar = np.zeros_like(u0)
    v_bar1 = np.broadcast_to(v_bar, u0.shape)  # reaction.py:8
    p_bar = 0.0  # reaction.py:8
    for k in range(steps - 1, -1, -1):
        v = v_tape[k]
        rate_bar = v * u_bar - v_bar1  # reaction.py:10
        u = u_tape[k]
        rate = p * u  # recomputed: reaction.py:9
        t2 = rate * u_bar  # reaction.py:10
        p_bar += np.sum(u * rate_bar)  # reaction.py:9
        u_bar = u_bar + p * rate_bar  # reaction.py:9
        v_bar1 = v_bar1 + t2  # reaction.py:10
    return float(p_bar)
