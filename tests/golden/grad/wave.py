# flags: grad --wrt c,u0
# inputs: c = 1.1; u0 = np.sin(np.linspace(0.0, 3.0, 7)); steps = 4; dt = 0.1
import numpy as np


def wave(c, u0, steps, dt):
    u_prev = u0.copy()
    u = u0.copy()
    energy = []
    for _ in range(steps):
        lap = np.zeros_like(u)
        lap[1:-1] = u[2:] - 2 * u[1:-1] + u[:-2]
        u_next = 2 * u - u_prev + dt ** 2 * c ** 2 * lap
        u_next[0] = u_next[-1] = 0.0
        u_prev, u = u, u_next
        energy.append(0.5 * np.sum((u - u_prev) ** 2) / dt ** 2)
    return np.mean(energy)
# output
# s2sad 0.1  wave_grad (wave.py:6)
import numpy as np


def wave_grad(c, u0, steps, dt):
    """Return the gradient of wave in c and u0 (wave.py:6)."""
    # forward sweep
    u_prev = u0.copy()
    u = u0.copy()
    t1 = max(steps, 0)
    lap_tape = np.empty((t1,) + u0.shape)
    energy_tape = np.empty((t1,) + u0.shape)
    for k in range(steps):
        lap = np.zeros_like(u)
        lap[1:-1] = u[2:] - 2 * u[1:-1] + u[:-2]
        lap_tape[k] = lap
        u_next = 2 * u - u_prev + dt ** 2 * c ** 2 * lap
        u_next[0] = 0.0
        u_next[-1] = 0.0
        energy_tape[k] = u_next - u
        u_prev = u
        u = u_next
    # reverse sweep
    energy_bar = 1.0 / t1  # wave.py:17
    u_prev_bar = np.zeros_like(u0)
    u_bar = np.zeros_like(u0)
    energy_bar1 = np.full(t1, energy_bar)  # wave.py:10
    c_bar = 0.0  # wave.py:10
    for k in range(steps - 1, -1, -1):
        t2 = dt ** 2  # recomputed: wave.py:16
        energy_bar2 = 2 * energy_tape[k] * (0.5 * (energy_bar1[k] / t2))  # wave.py:16
        u_bar += energy_bar2  # wave.py:16
        energy_bar1[k] = 0.0  # wave.py:16
        u_bar[-1] = 0.0  # wave.py:14
        u_bar[0] = 0.0  # wave.py:14
        lap = lap_tape[k]
        lap_bar = t2 * c ** 2 * u_bar  # wave.py:13
        c_bar += 2 * c * (t2 * np.sum(lap * u_bar))  # wave.py:13
        u_prev_bar += 2 * u_bar - energy_bar2  # wave.py:13
        u_prev_bar[:-2] += lap_bar[1:-1]  # wave.py:12
        u_prev_bar[2:] += lap_bar[1:-1]  # wave.py:12
        u_prev_bar[1:-1] -= 2 * lap_bar[1:-1]  # wave.py:12
        u_bar, u_prev_bar = u_prev_bar, -u_bar
    return float(c_bar), u_bar + u_prev_bar
