# call: s2sad.grad(f)(1.0)
from scipy.integrate import solve_ivp


def f(k):
    found = solve_ivp(lambda t, y: -k * y, (0.0, 1.0), [1.0], events=lambda t, y: y[0] - 0.5)
    return found.y[0, -1]
# error
# solve_ivp_events.py:6:13: S118 events= of solve_ivp is not supported
#     found = solve_ivp(lambda t, y: -k * y, (0.0, 1.0), [1.0], events=lambda t, y: y[0] - 0.5)
#             ^
#   look for the event in the result's .y
