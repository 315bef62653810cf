# call: s2sad.grad(f, checkpoint="sqrt")(0.5, np.random.default_rng(0))
import numpy as np


def f(x, rng):
    for _ in range(5):
        if x > 0.1:
            x = np.sin(x + rng.normal())
    return x
# error
# checkpoint_of_draws.py:6:5: S206 this loop cannot be checkpointed: it draws random numbers in a branch or in a loop inside
#     for _ in range(5):
#     ^
#   leave this loop out: put it in a function of its own, or use checkpoint='none'
