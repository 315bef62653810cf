# call: s2sad.grad(f)(np.ones(3), 2)
import numpy as np


def f(x, n):
    return x[0] if n in range(0, 9, n) else x[1]
# error
# range_with_a_step_at_run_time.py:6:20: S109 `in` needs a range whose step is known
#     return x[0] if n in range(0, 9, n) else x[1]
#                    ^
#   compare with < and %
