# call: s2sad.grad(f)(2.0)
import numpy as np


def f(x):
    with open("log.txt") as file:
        file.write("x")
    return x
# error
# with_open.py:6:10: S201 `io.open` has no rule
#     with open("log.txt") as file:
#          ^
#   write it with functions that have one, or call it before the differentiated function
