# call: s2sad.grad(f)(1.0)
def f(x):
    for _ in range(1, 2, 3, 4):
        x = x * 2.0
    return x
# error
# builtin_with_too_many.py:3:14: S319 TypeError: range() takes 1 to 3 arguments (4 given)
#     for _ in range(1, 2, 3, 4):
#              ^
