# flags: grad --wrt rates
# inputs: rates = np.array([0.5, 0.03, 0.8, 0.03]); start = np.array([30.0, 4.0]); steps = 4
import numpy as np


def growth(state, rates):
    hare, lynx = state[0], state[1]
    return np.array([rates[0] * hare - rates[1] * hare * lynx, rates[3] * hare * lynx - rates[2] * lynx])


def final_hares(rates, start, steps):
    state = start.copy()
    for _ in range(steps):
        k1 = growth(state, rates)
        k2 = growth(state + 0.05 * k1, rates)
        state += 0.1 * k2
    return state[0]
# output
