# call: s2sad.grad(f)(1.0)
import numpy as np


async def f(x):
    return x
# error
# async_function.py:5:1: S102 async functions are not supported
#     async def f(x):
#     ^
#   make it a plain `def`
