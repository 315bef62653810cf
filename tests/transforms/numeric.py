"""Numerical checks of derivative Functions on the interpreter."""

from __future__ import annotations

import numpy as np

from s2sad.ir import interp
from s2sad.ir.structure import flatten

RNG = np.random.default_rng(3)


def flags(args, argnums):
    """Return the argument leaves, and for each whether it is differentiated."""
    leaves, active = [], []
    for k, arg in enumerate(args):
        found = flatten(arg)[1]
        leaves += found
        active += [k in argnums and np.asarray(x).dtype.kind == "f" for x in found]
    return leaves, tuple(active)


def like(value):
    """Return a random number or array of the kind, shape and dtype of `value`."""
    if isinstance(value, np.ndarray):
        return RNG.normal(size=value.shape).astype(value.dtype)
    return type(value)(RNG.normal())


def moved(leaves, dots, h):
    """Return the leaves moved by h along the tangents of those that have one."""
    return [
        x if d is None else type(x)(x + h * d) if np.isscalar(x) else x + x.dtype.type(h) * d
        for x, d in zip(leaves, dots, strict=True)
    ]


def differences(fn, leaves, dots, h=2e-4):
    """Return the 6th-order central differences of the results of a Function along tangents."""
    total = None
    for k, w in ((1, 0.75), (2, -0.15), (3, 1 / 60)):
        ahead, behind = (interp.run(fn, *moved(leaves, dots, s * k * h)) for s in (1, -1))
        part = [w * (np.asarray(a) - np.asarray(b)) / h for a, b in zip(ahead, behind, strict=True)]
        total = part if total is None else [t + p for t, p in zip(total, part, strict=True)]
    return total


def product(left, right):
    """Return the sum of products of matching leaves."""
    return sum(
        float(np.sum(np.asarray(a, float) * np.asarray(b, float))) for a, b in zip(left, right, strict=True)
    )


def same_type(got, wanted):
    """Return True if two values agree in kind, dtype and shape."""
    if isinstance(wanted, np.ndarray) or isinstance(got, np.ndarray):
        return type(got) is type(wanted) and got.dtype == wanted.dtype and got.shape == wanted.shape
    return type(got) is type(wanted)


def close(a, b, tol):
    """Return True if two numbers or arrays agree to a tolerance, relative where they are large."""
    return bool(np.allclose(np.asarray(a), np.asarray(b), rtol=tol, atol=tol))
