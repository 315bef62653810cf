"""Enzyme, by enzyme_ad: the kernels as loops in C++ (peer_enzyme.cpp), called from JAX, which adds some
microseconds per call. Not mlp and gp, whose time is in BLAS and LAPACK."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from enzyme_ad.jax import cpp_call

from benchmark.peer_jax import gradient
from benchmark.peers import Args, Peer

SOURCE = Path(__file__).with_suffix(".cpp").read_text(encoding="utf-8")
VALUE = jax.core.ShapedArray((1,), np.float64)


def prepare(name: str, args: Args, argnums: tuple[int, ...]) -> Callable[[], Any] | None:
    """Return the gradient at these arguments; the number of steps is a constant of the C++."""
    if f"void {name}(" not in SOURCE:
        return None
    steps = next((arg for arg in args if isinstance(arg, int)), 0)
    source = f"#define STEPS {steps}\n{SOURCE}"

    def program(*given: Any) -> Any:
        arrays = [jnp.reshape(arg, (1,)) if jnp.ndim(arg) == 0 else arg for arg in given]
        return cpp_call(*arrays, out_shapes=[VALUE], source=source, fn=name)[0][0]

    return gradient(program, tuple(arg for arg in args if not isinstance(arg, int)), argnums)


PEERS = [Peer("enzyme", prepare, compiles=True)]
