"""Draws: random numbers are constants of the call that draws them.

A draw is an effect, so that it happens once, in the forward sweep, in the program's order, and is never made
again by the reverse sweep. Parameters of distributions other than location and scale (which a meaning applies
to a standard draw, so that they have their pathwise derivative) are refused where they vary.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from s2sad.ir.builder import Sizes, result_type
from s2sad.ir.path import broadcast
from s2sad.ir.types import GENERATOR, RANDOM_STATE, Array
from s2sad.ops.declare import Params, Shape, Types, custom, dims_of, dtype_text, nondiff

KEYWORDS = ("replace", "endpoint", "dtype")


def _draw(rng: Any, *args: Any, method: str, given: int, p: bool = False, **keywords: Any) -> Any:
    parameters, rest = args[:given], args[given:]
    if p:
        keywords["p"], rest = rest[0], rest[1:]
    if method == "permutation":
        return rng.permutation(*rest)
    return getattr(rng, method)(*parameters, *((rest,) if rest else ()), **_set(keywords))


def _set(keywords: Params) -> Params:
    return {k: v for k, v in keywords.items() if v is not None}


def _shape(types: Types, params: Params, sizes: Sizes) -> Shape:
    first = 1 + params["given"]
    dims = types[first + params.get("p", False) :]
    if params["method"] in ("dirichlet", "multinomial", "multivariate_normal"):
        kinds = types[2 if params["method"] == "multinomial" else 1]
        return (*dims_of(dims, sizes), kinds.shape[-1])
    return dims_of(dims, sizes) if dims else broadcast([t.shape for t in types[1:first]], sizes.fresh)


def _try(rng: Any, *args: Any, given: int, method: str, **params: Any) -> Any:
    """A draw with parameters that the distribution has, to see what kind of numbers it gives."""
    legal = LEGAL.get(method, (1,) * given)
    if method != "multivariate_normal":
        args = (*(np.full(np.shape(a), v)[()] for a, v in zip(args, legal, strict=False)), *args[given:])
    return _draw(rng, *args, given=given, method=method, **params)


LEGAL = {
    "integers": (0, 2),
    "randint": (0, 2),
    "triangular": (0.0, 0.5, 1.0),
    "zipf": (2.0,),
    "logseries": (0.5,),
    "geometric": (0.5,),
    "hypergeometric": (2, 2, 1),
}


def _infer(types: Types, params: Params, sizes: Sizes) -> Types:
    t = result_type(_try, types, params)
    return (Array(t.dtype, _shape(types, params, sizes)) if isinstance(t, Array) else t,)


def _spell(types: Types, params: Params) -> str:
    given, count = 1 + params["given"], len(types)
    items = [f"{{{k}}}" for k in range(1, given)]
    dims = [f"{{{k}}}" for k in range(given + params.get("p", False), count)]
    if dims:
        items.append(dims[0] if len(dims) == 1 else f"({', '.join(dims)})")
    if params.get("p"):
        items.append(f"p={{{given}}}")
    for key in KEYWORDS:
        value = params.get(key)
        if value is not None:
            items.append(f"{key}={dtype_text(value) if key == 'dtype' else value}")
    return f"{{0}}.{params['method']}({', '.join(items)})"


def _refused(*args: Any, **params: Any) -> Any:
    raise AssertionError("no argument of a draw has a derivative")


custom(
    "draw",
    _draw,
    _refused,
    lambda g, args, y, **params: (None,) * len(args),
    "draw",
    infer=_infer,
    spell=_spell,
    no_rule=tuple(range(1, 32)),
    pure=False,
    cost=30,
    doc="a draw from a random stream: a constant of the call; params method, given, p, replace, dtype",
)
nondiff(
    "default_rng",
    lambda *seed: np.random.default_rng(*seed),
    "np.random.default_rng",
    infer=lambda types, params, sizes: (GENERATOR,),
    pure=False,
    doc="a random stream of its own",
)
nondiff(
    "random_state",
    lambda *seed: np.random.RandomState(*seed),
    "np.random.RandomState",
    infer=lambda types, params, sizes: (RANDOM_STATE,),
    pure=False,
    doc="a random stream of its own, of the older kind",
)
nondiff(
    "numpy_random",
    lambda: np.random.mtrand._rand,
    "np.random",
    spell=lambda types, params: "np.random",
    infer=lambda types, params, sizes: (RANDOM_STATE,),
    cost=0,
    doc="the random stream that np.random itself draws from",
)
nondiff(
    "seed",
    lambda rng, n: rng.seed(n),
    "{0}.seed({1})",
    infer=lambda types, params, sizes: (),
    pure=False,
    results=0,
    doc="set the state of a random stream of the older kind",
)
