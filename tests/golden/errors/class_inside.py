# call: s2sad.grad(f)(2.0)
import numpy as np


def f(x):
    class Point:
        pass

    return x
# error
# class_inside.py:6:5: S120 classes cannot be defined here
#     class Point:
#     ^
#   define the class outside
