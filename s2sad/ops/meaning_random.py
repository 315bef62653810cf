"""What draws mean: methods of np.random.Generator and RandomState, and functions of np.random.

Location and scale are applied to a standard draw, which is what NumPy does: the same numbers, and their
pathwise derivative (the reparameterisation trick).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from s2sad.ir.types import F8, GENERATOR, INT
from s2sad.ops import functions
from s2sad.ops.call import FUNCTIONS, Call, as_rank0, dims, dtype_of, expr, make_call, only, unsupported
from s2sad.ops.declare import literal_value
from s2sad.ops.expr import Expr, apply
from s2sad.ops.functions import cast, exp, zeros_like
from s2sad.ops.meaning_select import take

DRAWS: dict[str, Call] = {}


def _draws(function: Callable[..., Any]) -> Callable[..., Any]:
    """Register what a method of a random stream means, and the function of np.random of that name."""
    name = function.__name__.rstrip("_")
    DRAWS[name] = make_call(name, function, "replace shuffle method")
    of_numpy = getattr(np.random, name, None)
    if of_numpy is not None:
        theirs = inspect.signature(of_numpy).parameters
        ours = list(DRAWS[name].signature.parameters.values())[1:]
        rest = inspect.Signature([p for p in ours if p.name in theirs or p.kind is p.VAR_POSITIONAL])

        def module_level(*args: Any, **kwargs: Any) -> Any:
            return function(apply("numpy_random"), *args, **kwargs)

        FUNCTIONS[of_numpy] = make_call(name, module_level, "replace shuffle method", rest)
    return function


def _draw(rng: Expr, method: str, *args: Any, size: Any = None, **params: Any) -> Expr:
    shape = () if size is None else dims(size)
    if size is not None and not shape:
        raise unsupported("size=() is not supported", "leave out size=")
    return apply("draw", rng, *(expr(a) for a in args), *shape, method=method, given=len(args), **params)


def _full_size(size: Any, *args: Expr) -> Any:
    """The shape of a draw: `size`, or that of its parameters together."""
    if size is not None:
        return size
    arrays = [a for a in args if a.ndim]
    if not arrays:
        return None
    like = arrays[0]
    for a in arrays[1:]:
        like = like + a
    return tuple(apply("size", like, axis=k) for k in range(like.ndim))


def _located(rng: Expr, method: str, loc: Any, scale: Any, size: Any, *standard: Any) -> Expr:
    """loc + scale * draw, without what changes nothing."""
    loc, scale = _float(expr(loc)), _float(expr(scale))
    z = _draw(rng, method, *standard, size=_full_size(size, loc, scale))
    scaled = z if literal_value(scale) == 1 else scale * z
    return scaled if literal_value(loc) == 0 else loc + scaled


def _float(e: Expr) -> Expr:
    """A parameter as the C code takes it: a double; and a number among numbers is a Python number."""
    if literal_value(e) is not None:
        return e
    if not e.is_array:
        return apply("to_float", e)
    return cast(e, F8)


# --- location and scale -------------------------------------------------------------------------


@_draws
def normal(rng: Expr, loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> Expr:
    """Return rng.normal(loc, scale, size)."""
    return _located(rng, "standard_normal", loc, scale, size)


@_draws
def uniform(rng: Expr, low: Any = 0.0, high: Any = 1.0, size: Any = None) -> Expr:
    """Return rng.uniform(low, high, size)."""
    low, high = _float(expr(low)), _float(expr(high))
    a, b = literal_value(low), literal_value(high)
    width = high if a == 0 else high - low
    if a is not None and b is not None:
        width = expr(float(b - a))
    return _located(rng, "random", low, width, size if size is not None else _full_size(None, low, high))


@_draws
def exponential(rng: Expr, scale: Any = 1.0, size: Any = None) -> Expr:
    """Return rng.exponential(scale, size)."""
    return _located(rng, "standard_exponential", 0.0, scale, size)


@_draws
def laplace(rng: Expr, loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> Expr:
    """Return rng.laplace(loc, scale, size)."""
    return _located(rng, "laplace", loc, scale, size, 0.0, 1.0)


@_draws
def gumbel(rng: Expr, loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> Expr:
    """Return rng.gumbel(loc, scale, size)."""
    return _located(rng, "gumbel", loc, scale, size, 0.0, 1.0)


@_draws
def logistic(rng: Expr, loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> Expr:
    """Return rng.logistic(loc, scale, size)."""
    return _located(rng, "logistic", loc, scale, size, 0.0, 1.0)


@_draws
def rayleigh(rng: Expr, scale: Any = 1.0, size: Any = None) -> Expr:
    """Return rng.rayleigh(scale, size)."""
    return _located(rng, "rayleigh", 0.0, scale, size, 1.0)


@_draws
def gamma(rng: Expr, shape: Any, scale: Any = 1.0, size: Any = None) -> Expr:
    """Return rng.gamma(shape, scale, size)."""
    shape, scale = expr(shape), expr(scale)
    return _located(rng, "standard_gamma", 0.0, scale, _full_size(size, shape, scale), shape)


@_draws
def lognormal(rng: Expr, mean: Any = 0.0, sigma: Any = 1.0, size: Any = None) -> Expr:
    """Return rng.lognormal(mean, sigma, size), to the last bit but one."""
    found = _located(rng, "standard_normal", mean, sigma, size)
    return exp(found) if found.is_array else apply("math_exp", found)


@_draws
def multivariate_normal(
    rng: Expr, mean: Any, cov: Any, size: Any = None, check_valid: Any = "warn", tol: float = 1e-8,
    *, method: str = "svd",
) -> Expr:  # fmt: skip
    """Return rng.multivariate_normal(mean, cov, size)."""
    only("method", method, "svd")
    only("check_valid", check_valid, "warn")
    if tol != 1e-8:
        raise unsupported(f"tol={tol!r} is not supported", "leave out tol=")
    center = expr(mean)
    centered = zeros_like(center, dtype=None)
    return center + _draw(rng, "multivariate_normal", centered, cov, size=size)


# --- standard draws -----------------------------------------------------------------------------


def _standard(method: str, size: Any, dtype: Any, rng: Expr, out: Any) -> Expr:
    only("out", out, None)
    found = dtype_of(dtype)
    return _draw(rng, method, size=size, dtype=None if found == F8 else found)


@_draws
def random(rng: Expr, size: Any = None, dtype: Any = None, out: Any = None) -> Expr:
    """Return rng.random(size)."""
    return _standard("random", size, dtype, rng, out)


@_draws
def standard_normal(rng: Expr, size: Any = None, dtype: Any = None, out: Any = None) -> Expr:
    """Return rng.standard_normal(size)."""
    return _standard("standard_normal", size, dtype, rng, out)


@_draws
def standard_exponential(
    rng: Expr, size: Any = None, dtype: Any = None, method: str = "zig", out: Any = None
) -> Expr:
    """Return rng.standard_exponential(size)."""
    only("method", method, "zig")
    return _standard("standard_exponential", size, dtype, rng, out)


def _of_dims(name: str, method: str) -> None:
    def draw(rng: Expr, *args: Any) -> Expr:
        return _draw(rng, method, size=args or None)

    draw.__name__ = name
    _draws(draw)


def _of_size(name: str, method: str) -> None:
    def draw(rng: Expr, size: Any = None) -> Expr:
        return _draw(rng, method, size=size)

    draw.__name__ = name
    _draws(draw)


def _of_parameters(name: str, *parameters: str, **defaults: float) -> None:
    """A distribution whose parameters must not vary."""

    def draw(rng: Expr, *args: Any) -> Expr:
        return _draw(rng, name, *args[:-1], size=args[-1])

    kind, empty = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.empty
    signature = inspect.Signature(
        [
            inspect.Parameter("rng", kind),
            *(inspect.Parameter(p, kind, default=defaults.get(p, empty)) for p in parameters),
            inspect.Parameter("size", kind, default=None),
        ]
    )

    def bound(*args: Any, **kwargs: Any) -> Expr:
        found = signature.bind(*args, **kwargs)
        found.apply_defaults()
        return draw(*found.args)

    bound.__name__ = name
    bound.__signature__ = signature  # type: ignore[attr-defined]
    _draws(bound)


_of_dims("randn", "standard_normal")
_of_dims("rand", "random")
_of_size("random_sample", "random")
_of_size("standard_cauchy", "standard_cauchy")
for _name, *_parameters in (
    ("standard_gamma", "shape"),
    ("standard_t", "df"),
    ("beta", "a", "b"),
    ("chisquare", "df"),
    ("noncentral_chisquare", "df", "nonc"),
    ("f", "dfnum", "dfden"),
    ("pareto", "a"),
    ("power", "a"),
    ("weibull", "a"),
    ("triangular", "left", "mode", "right"),
    ("vonmises", "mu", "kappa"),
    ("wald", "mean", "scale"),
    ("binomial", "n", "p"),
    ("negative_binomial", "n", "p"),
    ("geometric", "p"),
    ("hypergeometric", "ngood", "nbad", "nsample"),
    ("logseries", "p"),
    ("zipf", "a"),
    ("dirichlet", "alpha"),
    ("multinomial", "n", "pvals"),
):
    _of_parameters(_name, *_parameters)

_of_parameters("poisson", "lam", lam=1.0)

# --- ints, choices, orders ----------------------------------------------------------------------


@_draws
def integers(
    rng: Expr, low: Any, high: Any = None, size: Any = None, dtype: Any = INT, endpoint: bool = False
) -> Expr:
    """Return rng.integers(low, high, size)."""
    if high is None:
        low, high = 0, low
    kind = None if dtype_of(dtype) == INT else dtype_of(dtype)
    return _draw(rng, "integers", low, high, size=size, dtype=kind, endpoint=endpoint or None)


@_draws
def randint(rng: Expr, low: Any, high: Any = None, size: Any = None, dtype: Any = int) -> Expr:
    """Return rng.randint(low, high, size)."""
    if dtype is not int and dtype_of(dtype) != INT:
        raise unsupported(f"dtype={dtype!r} is not supported", "cast with .astype")
    if high is None:
        low, high = 0, low
    return _draw(rng, "randint", low, high, size=size)


@_draws
def permutation(rng: Expr, x: Any, axis: int = 0) -> Expr:
    """Return rng.permutation(x): of range(x), or of the rows of x."""
    only("axis", axis, 0)
    e = expr(x)
    if not e.ndim:
        return apply("draw", rng, e, method="permutation", given=0)
    order = apply("draw", rng, functions.size(e, 0), method="permutation", given=0)
    return take(e, order, axis=0)


@_draws
def choice(
    rng: Expr, a: Any, size: Any = None, replace: bool = True, p: Any = None, axis: int = 0,
    shuffle: bool = True,
) -> Expr:  # fmt: skip
    """Return rng.choice(a, size): of range(a), or of the rows of a."""
    only("axis", axis, 0)
    only("shuffle", shuffle, True)
    e = expr(a)
    if rng.type != GENERATOR and e.ndim > 1:
        raise ValueError("a must be 1-dimensional")
    n = functions.size(e, 0) if e.ndim else e
    shape = () if size is None else dims(size)
    if shape and replace and p is None:  # which is how NumPy draws them
        method = "integers" if rng.type == GENERATOR else "randint"
        picked = _draw(rng, method, 0, n, size=size)
        return take(e, picked, axis=0) if e.ndim else picked
    weights = () if p is None else (as_rank0(expr(p)),)
    params = {"replace": None if replace else False, "p": True if weights else None}
    params = {k: v for k, v in params.items() if v is not None}
    picked = apply("draw", rng, n, *weights, *shape, method="choice", given=1, **params)
    return take(e, picked, axis=0) if e.ndim else picked


# --- streams ------------------------------------------------------------------------------------


def _stream(op: str, seed: Any) -> Expr:
    if seed is None:
        return apply(op)
    e = expr(seed)
    if e.ndim or e.dtype.kind not in "iu":
        raise unsupported("the seed must be an int", "pass the generator as an argument")
    return apply(op, e)


def default_rng(seed: Any = None) -> Expr:
    """Return np.random.default_rng(seed)."""
    return _stream("default_rng", seed)


def random_state(seed: Any = None) -> Expr:
    """Return np.random.RandomState(seed)."""
    return _stream("random_state", seed)


FUNCTIONS[np.random.default_rng] = make_call("default_rng", default_rng)
FUNCTIONS[np.random.RandomState] = make_call("RandomState", random_state)
