# call: s2sad.grad(f)(1.0)
import numpy as np


def f(x):
    async def g(v):
        return v

    return x
# error
