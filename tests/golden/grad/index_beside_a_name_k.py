# flags: grad --wrt x
# inputs: x = rng.normal(size=6)
import numpy as np


def odd(x):
    k = 0
    total = 0.0
    while True:
        k += 1
        if k % 2:
            continue
        if k > 5:
            break
        total += x[k] ** 2 * k
    return total
# output
# s2sad 0.1  odd_grad (index_beside_a_name_k.py:6)
import numpy as np


def odd_grad(x):
    """Return the gradient of odd in x (index_beside_a_name_k.py:6)."""
    # forward sweep
    k_tape = np.empty(16, dtype=np.int64)
    k_tape1 = np.empty(16, dtype=np.bool_)
    k = 0
    trips = 0
    while True:
        k += 1
        t1 = bool(k % 2)
        if not t1:
            if k > 5:
                break
        if trips == k_tape.shape[0]:
            k_tape = np.concatenate((k_tape, np.empty_like(k_tape)))
        k_tape[trips] = k
        if trips == k_tape1.shape[0]:
            k_tape1 = np.concatenate((k_tape1, np.empty_like(k_tape1)))
        k_tape1[trips] = t1
        trips += 1
    # reverse sweep
    x_bar = np.zeros_like(x)
    for k in range(trips - 1, -1, -1):
        t2 = k_tape1[k]
        k1 = k_tape[k]
        if not t2:
            x_bar[k1] += 2 * x[k1] * k1  # index_beside_a_name_k.py:15
    return x_bar
