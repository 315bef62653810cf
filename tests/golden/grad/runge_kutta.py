# flags: grad --wrt rates
# inputs: rates = np.array([0.5, 0.03, 0.8, 0.03]); start = np.array([30.0, 4.0]); steps = 4
import numpy as np


def growth(state, rates):
    hare = state[0]
    lynx = state[1]
    met = hare * lynx
    change = np.empty(2)
    change[0] = rates[0] * hare - rates[1] * met
    change[1] = rates[3] * met - rates[2] * lynx
    return change


def final_hares(rates, start, steps):
    state = start.copy()
    for _ in range(steps):
        k1 = growth(state, rates)
        middle = state + 0.05 * k1
        k2 = growth(middle, rates)
        state += 0.1 * k2
    return state[0]
# output
# s2sad 0.1  final_hares_grad (runge_kutta.py:16)
import numpy as np


def growth(state, rates):
    hare = state[0]
    lynx = state[1]
    met = hare * lynx
    change = np.empty(2)
    change[0] = rates[0] * hare - rates[1] * met
    change[1] = rates[3] * met - rates[2] * lynx
    return change


def growth_vjp(state, rates, y_bar):
    """Return the cotangents of growth in state and rates (runge_kutta.py:6)."""
    # forward sweep
    hare = state[0]
    lynx = state[1]
    met = hare * lynx
    # reverse sweep
    change_bar = y_bar[1]  # runge_kutta.py:12
    rates_bar = np.zeros_like(rates)
    rates_bar[2] = lynx * -change_bar  # runge_kutta.py:12
    met_bar = rates[3] * change_bar  # runge_kutta.py:12
    rates_bar[3] = met * change_bar  # runge_kutta.py:12
    met_bar -= rates[1] * y_bar[0]  # runge_kutta.py:11
    rates_bar[1] = met * -y_bar[0]  # runge_kutta.py:11
    hare_bar = rates[0] * y_bar[0]  # runge_kutta.py:11
    rates_bar[0] = hare * y_bar[0]  # runge_kutta.py:11
    lynx_bar = hare * met_bar - rates[2] * change_bar  # runge_kutta.py:9
    state_bar = np.zeros_like(state)
    state_bar[1] = lynx_bar  # runge_kutta.py:8
    state_bar[0] = hare_bar + lynx * met_bar  # runge_kutta.py:7
    return state_bar, rates_bar


def final_hares_grad(rates, start, steps):
    """Return the gradient of final_hares in rates (runge_kutta.py:16)."""
    if start.shape[0] != 2:
        raise ValueError("runge_kutta.py:20: start.shape[0] must equal 2")
    # forward sweep
    state = start.copy()
    t1 = max(steps, 0)
    state_tape = np.empty((t1, 2))
    middle_tape = np.empty((t1, 2))
    for k in range(steps):
        state_tape[k] = state
        k1 = growth(state, rates)
        middle = state + 0.05 * k1
        middle_tape[k] = middle
        k2 = growth(middle, rates)
        state += 0.1 * k2
    # reverse sweep
    state_bar = np.zeros_like(start)
    state_bar[0] = 1.0  # runge_kutta.py:23
    rates_bar = np.zeros_like(rates)
    for k in range(steps - 1, -1, -1):
        k2_bar = 0.1 * state_bar  # runge_kutta.py:22
        middle = middle_tape[k]
        middle_bar, rates_bar1 = growth_vjp(middle, rates, k2_bar)  # runge_kutta.py:21
        state_bar = state_bar + middle_bar  # runge_kutta.py:20
        k1_bar = 0.05 * middle_bar  # runge_kutta.py:20
        state = state_tape[k]
        state_bar1, rates_bar2 = growth_vjp(state, rates, k1_bar)  # runge_kutta.py:19
        state_bar = state_bar + state_bar1  # runge_kutta.py:19
        rates_bar += rates_bar1 + rates_bar2  # runge_kutta.py:19
    return rates_bar
