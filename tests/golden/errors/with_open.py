# call: s2sad.grad(f)(2.0)
import numpy as np


def f(x):
    with open("log.txt") as file:
        file.write("x")
    return x
# error
