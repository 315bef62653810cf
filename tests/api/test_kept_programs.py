"""What jvp, vjp and their like make of a function is kept with it, and freed with it."""

import copy
import functools
import gc
import pickle
import weakref

import numpy as np

import s2sad
from s2sad.driver.kept import NAME, Kept


def square(x):
    return x * x


def programs(f):
    return dict(getattr(f, NAME))


def test_a_function_is_transformed_once():
    def f(x):
        return x * x

    for x in (1.0, 2.0, 3.0):
        assert s2sad.vjp(f, x)[1](1.0) == (2 * x,)
        assert s2sad.jvp(f, (x,), (1.0,)) == (x * x, 2 * x)
    first = programs(f)
    assert len(first) == 2
    s2sad.vjp(f, 4.0)
    assert list(programs(f).values()) == list(first.values())
    s2sad.vjp(f, 4.0, debug=True)
    assert len(programs(f)) == 3


def test_what_a_function_captures_is_freed_with_it():
    class Large(np.ndarray):
        """An array that weak references can be had of."""

    def once():
        batch = np.ones(3).view(Large)
        batch.flags.writeable = False
        assert s2sad.jvp(lambda w: w * batch[0], (2.0,), (1.0,)) == (2.0, 1.0)
        return weakref.ref(batch)

    found = once()
    gc.collect()
    assert found() is None


def test_a_wrapper_has_programs_of_its_own():
    def f(x):
        return x * x

    assert s2sad.jvp(f, (3.0,), (1.0,)) == (9.0, 6.0)

    @functools.wraps(f)
    def g(x):
        return x * x * x

    assert s2sad.jvp(g, (3.0,), (1.0,)) == (27.0, 27.0)
    assert s2sad.jvp(f, (3.0,), (1.0,)) == (9.0, 6.0)


def test_bound_methods_and_objects():
    class Scale:
        def __init__(self, k):
            self.k = k

        def __call__(self, x):
            return self.k * x

        def squared(self, x):
            return self.k * x * x

    two, five = Scale(2.0), Scale(5.0)
    for scale in (two, five, two):
        assert s2sad.jvp(scale, (3.0,), (1.0,)) == (3 * scale.k, scale.k)
        assert s2sad.jvp(scale.squared, (3.0,), (1.0,)) == (9 * scale.k, 6 * scale.k)
    assert vars(two) == {"k": 2.0}


def test_functions_are_copied_and_pickled_as_before():
    s2sad.jvp(square, (3.0,), (1.0,))
    assert pickle.loads(pickle.dumps(square)) is square
    for copied in (copy.deepcopy(vars(square)), pickle.loads(pickle.dumps(vars(square)))):
        assert isinstance(copied[NAME], Kept) and not copied[NAME]
