# call: s2sad.jacfwd(f)(np.ones(3))
import numpy as np


def f(x):
    rng = np.random.default_rng()
    return x * rng.normal(size=3)
# error
# unseeded_draws_by_columns.py:5:1: S353 f draws random numbers, others in each of the runs that this derivative is made of
#     def f(x):
#     ^
#   draw before and pass the numbers
