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
# s2sad 0.1  final_hares_grad (runge_kutta.py:11)
import numpy as np


def growth(state, rates):
    hare = state[0]
    lynx = state[1]
    t1 = rates[0] * hare - rates[1] * hare * lynx
    return np.array([t1, rates[3] * hare * lynx - rates[2] * lynx])


def growth_vjp(state, rates, y_bar):
    """Return the cotangents of growth in state and rates (runge_kutta.py:6)."""
    # forward sweep
    hare = state[0]
    lynx = state[1]
    # reverse sweep
    rates_bar = np.zeros_like(rates)
    rates_bar[2] = lynx * -y_bar[1]  # runge_kutta.py:8
    t1 = lynx * y_bar[1]  # runge_kutta.py:8
    rates_bar[3] = hare * t1  # runge_kutta.py:8
    t2 = lynx * -y_bar[0]  # runge_kutta.py:8
    lynx_bar = rates[3] * hare * y_bar[1] - rates[2] * y_bar[1] - rates[1] * hare * y_bar[0]  # runge_kutta.py:8
    rates_bar[1] = hare * t2  # runge_kutta.py:8
    hare_bar = rates[3] * t1 + rates[1] * t2 + rates[0] * y_bar[0]  # runge_kutta.py:8
    rates_bar[0] = hare * y_bar[0]  # runge_kutta.py:8
    state_bar = np.zeros_like(state)
    state_bar[1] = lynx_bar  # runge_kutta.py:7
    state_bar[0] = hare_bar  # runge_kutta.py:7
    return state_bar, rates_bar


def final_hares_grad(rates, start, steps):
    """Return the gradient of final_hares in rates (runge_kutta.py:11)."""
    if start.shape[0] != 2:
        raise ValueError("runge_kutta.py:15: start.shape[0] must equal 2")
    # forward sweep
    state = start.copy()
    t1 = max(steps, 0)
    state_tape = np.empty((t1, 2))
    k2_tape = np.empty((t1, 2))
    for _ in range(steps):
        state_tape[_] = state
        k1 = growth(state, rates)
        t2 = state + 0.05 * k1
        k2_tape[_] = t2
        k2 = growth(t2, rates)
        state += 0.1 * k2
    # reverse sweep
    state_bar = np.zeros_like(state)
    state_bar[0] = 1.0  # runge_kutta.py:17
    rates_bar = np.zeros_like(rates)
    for _ in range(steps - 1, -1, -1):
        k2_bar = 0.1 * state_bar  # runge_kutta.py:16
        k2_bar, rates_bar1 = growth_vjp(k2_tape[_], rates, k2_bar)  # runge_kutta.py:15
        state_bar = state_bar + k2_bar  # runge_kutta.py:15
        k1_bar = 0.05 * k2_bar  # runge_kutta.py:15
        state = state_tape[_]
        state_bar1, rates_bar2 = growth_vjp(state, rates, k1_bar)  # runge_kutta.py:14
        state_bar = state_bar + state_bar1  # runge_kutta.py:14
        rates_bar += rates_bar1 + rates_bar2  # runge_kutta.py:14
    return rates_bar
