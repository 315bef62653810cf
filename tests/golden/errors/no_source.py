# call: s2sad.grad(f)(1.0)
import numpy as np


f = eval("lambda x: x * x")
# error
