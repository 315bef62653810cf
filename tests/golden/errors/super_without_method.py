# call: s2sad.grad(f)(np.ones(3))
import numpy as np


class Body:
    def __init__(self, k):
        self.k = k

    def value(self):
        return super().value() * self.k


def f(x):
    return Body(x[0]).value()
# error
# super_without_method.py:10:16: S111 super() has no method `value` that can be read
#     return super().value() * self.k
#            ^
#   check the spelling
