# call: s2sad.grad(f)(1.0)
import numpy as np


f = eval("lambda x: x * x")
# error
# <string>:1:1: S101 the source text of `<lambda>` cannot be found
#   write the function in a file, or in a notebook cell, so that its text can be read
