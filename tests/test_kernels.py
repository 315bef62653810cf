"""The benchmark kernels at their small sizes: value, gradient, both modes, with and without jit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from corpus.kernels import KERNELS, Kernel
from oracle import Check, active_leaves, copied, differences, inner

import s2sad

STEP = 3e-6  # mandel has a kink at every change of sign


def directional(kernel: Kernel, args: tuple[Any, ...], tangents: Any) -> float:
    """Return the derivative of the kernel along tangents by differences."""
    return float(differences(kernel.f, args, tangents, STEP)[0])


@pytest.mark.parametrize("jit", [False, True], ids=["numpy", "jit"])
@pytest.mark.parametrize("kernel", KERNELS, ids=[kernel.id for kernel in KERNELS])
def test_kernel(kernel: Kernel, jit: bool):
    args = kernel.make(**kernel.small)
    case = Check(kernel.f, args, kernel.argnums, jit, tol=1e-7, step=STEP)
    case.first()
    value, gradient = s2sad.value_and_grad(kernel.f, argnums=kernel.argnums, jit=jit)(*args)
    case.untouched("value_and_grad")
    assert abs(value - kernel.f(*copied(args))) <= 1e-12 * abs(value)
    for seed in range(3):
        case.rng = np.random.default_rng(seed)
        tangents = case.tangents()
        slope = directional(kernel, args, case.spread(tangents))
        got = inner(gradient, tuple(tangents[k] for k in kernel.argnums))
        assert abs(got - slope) <= 1e-7 * max(1.0, abs(slope))


@pytest.mark.parametrize("name", ["gmm", "jacobi2d", "lstm", "seidel"])
def test_spellings_have_the_same_gradient(name: str):
    norms = []
    for kernel in (k for k in KERNELS if k.name == name):
        args = kernel.make(**kernel.small)
        gradient = s2sad.grad(kernel.f, argnums=kernel.argnums)(*args)
        norms.append(np.sqrt(sum(np.sum(np.square(leaf)) for leaf in active_leaves(gradient))))
    assert np.ptp(norms) <= 1e-11 * max(norms)
