# call: s2sad.grad(f)(1.0)
import numpy as np


async def f(x):
    return x
# error
