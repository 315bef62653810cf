"""PyTorch, eager and compiled, float64. Arrays are cloned before each write, `while` is masked trips."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import torch
from corpus.kernels import black_scholes_vectorised, gmm_vectorised, gp, logsumexp, lorenz, mlp

from benchmark import rewritten
from benchmark.peers import Args, Peer
from benchmark.primals import rebound

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)

# what NumPy's functions are called here, where they take the same arguments
ALIKE = ["concatenate", "diag", "einsum", "exp", "eye", "linalg", "log", "mean", "sigmoid", "sqrt", "stack"]
ALIKE += ["sum", "tanh", "where", "zeros"]

NUMPY = SimpleNamespace(
    **{name: getattr(torch, name) for name in ALIKE},
    max=lambda x, axis=(), keepdims=False: torch.amax(x, axis, keepdims),
    maximum=lambda x, least: torch.clamp(x, min=least),
    triu_indices=lambda n, k: torch.triu_indices(n, n, k),
)
NAMES = {"np": NUMPY, "erf": torch.special.erf}


def jacobi2d(a: Any, b: Any, weight: Any, steps: int) -> Any:
    """The spelling with slices, a clone before each write."""

    def smooth(to: Any, of: Any) -> Any:
        to = to.clone()
        to[1:-1, 1:-1] = 0.2 * (of[1:-1, 1:-1] + of[1:-1, :-2] + of[1:-1, 2:] + of[2:, 1:-1] + of[:-2, 1:-1])
        return to

    for _ in range(steps):
        b = smooth(b, a)
        a = smooth(a, b)
    return torch.sum(a * weight)


def seidel(grid: Any, weight: Any, steps: int) -> Any:
    """Each row's recurrence a dense matrix product."""
    matrix, decay = map(torch.from_numpy, rewritten.recurrence(grid.shape[0] - 2))
    return rewritten.seidel(NUMPY, matrix, decay, grid, weight, steps)


PROGRAMS: dict[str, Callable[..., Any]] = {
    "gmm": rebound(gmm_vectorised, NAMES),
    "lstm": functools.partial(rewritten.lstm, NUMPY),
    "mlp": rebound(mlp, NAMES),
    "seidel": seidel,
    "jacobi2d": jacobi2d,
    "lorenz": lorenz,
    "black_scholes": rebound(black_scholes_vectorised, NAMES),
    "logsumexp": rebound(logsumexp, NAMES),
    "gp": rebound(gp, NAMES),
    "newton": functools.partial(rewritten.newton, NUMPY),
    "mandel": functools.partial(rewritten.mandel, NUMPY),
}

# the compiler unrolls loops: thousands of steps are too many for it
COMPILED = ("gmm", "mlp", "jacobi2d", "black_scholes", "logsumexp", "gp", "mandel")


def tensors(tree: Any, varies: bool) -> Any:
    """Return the arrays and floats of lists and tuples as tensors."""
    if isinstance(tree, list | tuple):
        return type(tree)(tensors(item, varies) for item in tree)
    return tree if isinstance(tree, int) else torch.tensor(tree, requires_grad=varies)


def flat(tree: Any) -> list[Any]:
    """Return the tensors of lists and tuples."""
    return [leaf for item in tree for leaf in flat(item)] if isinstance(tree, list | tuple) else [tree]


def prepare(name: str, args: Args, argnums: tuple[int, ...], compiled: bool = False) -> Any:
    """Return the gradient at these arguments, None if the program is not for the compiler."""
    if compiled and name not in COMPILED:
        return None
    torch.compiler.reset()
    f = torch.compile(PROGRAMS[name], dynamic=False) if compiled else PROGRAMS[name]
    given = [tensors(arg, k in argnums) for k, arg in enumerate(args)]
    varied = flat([given[k] for k in argnums])
    return lambda: torch.autograd.grad(f(*given), varied)


PEERS = [
    Peer("torch", prepare, compiles=False),
    Peer("torch.compile", functools.partial(prepare, compiled=True), compiles=True),
]
