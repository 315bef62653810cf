# call: s2sad.grad(f)(1.0)
import numpy as np


def f(x):
    async def g(v):
        return v

    return x
# error
# nested_async.py:6:5: S102 async code is not supported
#     async def g(v):
#     ^
#   use a plain function
