# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    out = {"a": 0.0, "b": 0.0}
    for v in x:
        out["a" if v > 0.0 else "b"] = v
    return out["a"]
# error
# text_of_a_branch.py:8:13: S313 the two sides are different texts
#     out["a" if v > 0.0 else "b"] = v
#         ^
#   put what it selects in the branches (if c: d['a'] = v, else: d['b'] = v), or use an array
