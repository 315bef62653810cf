"""What calls of Python's builtins and of the module math mean, and the attributes of arrays."""

from __future__ import annotations

import builtins
import math
from typing import Any

from s2sad.ir.path import At, Index
from s2sad.ir.size import Size
from s2sad.ops.call import ATTRIBUTES, FUNCTIONS, METHODS, Call, make_call, meaning, unsupported
from s2sad.ops.declare import literal_value
from s2sad.ops.expr import Expr, Unclear, apply, lift
from s2sad.ops.functions import literal, real, swap
from s2sad.ops.meaning_elementwise import imaginary
from s2sad.ops.meaning_shape import transpose
from s2sad.ops.table import OPS

# --- builtins -----------------------------------------------------------------------------------


def _number(x: Any) -> Expr:
    e = lift(x)
    if any(not n.is_one and n.is_const for n in e.dims):
        raise TypeError("only arrays of one element can be converted to a number")
    return e


@meaning(builtins.float)
def float_(x: Any = 0.0, /) -> Any:
    """Return float(x)."""
    if isinstance(x, str):
        return literal(float(x))
    e = _number(x)
    if isinstance(e, Unclear):
        raise TypeError("must be real number, not complex")
    value = literal_value(e)
    return literal(float(value)) if value is not None else apply("to_float", e)


@meaning(builtins.int)
def int_(x: Any = 0, /, base: Any = None) -> Any:
    """Return int(x), or int(x, base) of a text."""
    if isinstance(x, str):
        chosen = 10 if base is None else literal_value(lift(base))
        if chosen is None:
            raise unsupported("the base of int(text, base) must be known when the program is read")
        return literal(int(x, chosen))
    if base is not None:
        raise TypeError("int() can't convert non-string with explicit base")
    e = _number(x)
    if isinstance(e, Unclear):
        raise TypeError("must be real number, not complex")
    value = literal_value(e)
    return literal(int(value)) if value is not None else apply("to_int", e)


@meaning(builtins.bool)
def bool_(x: Any = False, /) -> Any:
    """Return bool(x)."""
    if isinstance(x, str):
        return literal(bool(x))
    e = _number(x)
    value = literal_value(e)
    return literal(bool(value)) if value is not None else apply("to_bool", e)


@meaning(builtins.complex)
def complex_(real: Any = 0, imag: Any = 0) -> Expr:
    """Return complex(real, imag)."""
    if isinstance(real, str):
        return literal(complex(real))
    re, im = _number(real), _number(imag)
    return apply("to_complex", re) if literal_value(im) == 0 else apply("to_complex", re + 1j * im)


@meaning(builtins.abs)
def abs_(x: Any, /) -> Expr:
    """Return abs(x)."""
    return apply("absolute", x)


@meaning(builtins.pow)
def pow_(base: Any, exp: Any, mod: Any = None) -> Expr:
    """Return pow(base, exp)."""
    if mod is not None:
        raise unsupported("pow with a modulus is not supported", "write (base ** exp) % mod")
    return apply("power", base, exp)


@meaning(builtins.divmod)
def divmod_(x: Any, y: Any, /) -> tuple[Expr, Expr]:
    """Return divmod(x, y)."""
    return apply("floor_divide", x, y), apply("remainder", x, y)


@meaning(builtins.round, static="ndigits")
def round_(number: Any, ndigits: Any = None) -> Expr:
    """Return round(number, ndigits)."""
    x = lift(number)
    if x.is_array and (x.ndim or ndigits is None):
        raise TypeError("type numpy.ndarray doesn't define __round__ method")
    if x.dtype.kind == "c" and not x.is_array:
        raise TypeError("type complex doesn't define __round__ method")
    if ndigits is None:
        return apply("round_to_int", x)
    if getattr(x.type, "weak", False):
        return apply("round_float", x, digits=ndigits) if x.dtype.kind == "f" else x
    return apply("round", x, decimals=ndigits)


def _extreme(op: str) -> Any:
    def choose(*args: Any) -> Expr:
        items = args[0] if len(args) == 1 else args
        if not isinstance(items, tuple | list):
            raise unsupported(f"{op[3:]}() of an array is not supported", f"write np.{op[3:]}(x)")
        if not items:
            raise ValueError(f"{op[3:]}() of nothing")
        out = lift(items[0])
        for x in items[1:]:
            e = lift(x)
            if out.ndim or e.ndim:
                raise unsupported(f"{op[3:]}() of arrays is not supported", f"write np.{op[3:]}imum(a, b)")
            out = apply(op, _scalar(out), _scalar(e))
        return out

    return choose


def _scalar(e: Expr) -> Expr:
    return apply("item0", e) if e.is_array else e


meaning(builtins.max)(_extreme("py_max"))
meaning(builtins.min)(_extreme("py_min"))


@meaning(builtins.sum)
def sum_(iterable: Any, /, start: Any = 0) -> Expr:
    """Return sum(iterable, start), adding from the left."""
    if not isinstance(iterable, tuple | list):
        raise unsupported("sum() of an array is not supported", "write np.sum(x, axis=0)")
    out = lift(start)
    for k, x in enumerate(iterable):
        out = lift(x) if not k and literal_value(out) == 0 and not lift(x).is_array else out + lift(x)
    return out


# --- math ---------------------------------------------------------------------------------------


def _math(name: str) -> Call:
    arity = {
        "pow": 2,
        "atan2": 2,
        "fmod": 2,
        "copysign": 2,
        "remainder": 2,
        "comb": 2,
        "ldexp": 2,
        "nextafter": 2,
    }.get(name, 1)

    def one(x: Any, /) -> Expr:
        return apply("math_" + name, _rank0(x))

    def two(x: Any, y: Any, /) -> Expr:
        return apply("math_" + name, _rank0(x), _rank0(y))

    return make_call(name, one if arity == 1 else two)


def _rank0(x: Any) -> Expr:
    e = lift(x)
    if e.ndim:
        raise TypeError("only 0-dimensional arrays can be converted to Python scalars")
    return _as_real(e)


def _as_real(x: Any) -> Expr:
    e = lift(x)
    if e.dtype.kind != "c":
        return e
    if e.is_array or getattr(e.type, "weak", False) or isinstance(e, Unclear):
        raise TypeError("must be real number, not complex")
    return real(e)  # NumPy's scalars lose the rest, with a warning


VARIADIC = ("hypot", "gcd", "lcm")
for _op in [name for name in OPS if name.startswith("math_")]:
    _name = _op.removeprefix("math_")
    if _name not in (*VARIADIC, "log_base", "fsum", "isclose", "log", "perm", "exponent"):
        FUNCTIONS[getattr(math, _name)] = _math(_name)


def _variadic(name: str) -> Any:
    def expand(*args: Any) -> Expr:
        return apply("math_" + name, *map(_rank0, args))

    return expand


for _name in VARIADIC:
    meaning(getattr(math, _name))(_variadic(_name))


@meaning(math.log)
def log(x: Any, base: Any = None, /) -> Expr:
    """Return math.log(x, base)."""
    return apply("math_log", _rank0(x)) if base is None else apply("math_log_base", _rank0(x), _rank0(base))


def _sequence(xs: Any, what: str) -> tuple[Any, ...]:
    if not isinstance(xs, tuple | list):
        raise unsupported(f"{what} of an array is not supported", "use the NumPy function")
    return tuple(xs)


@meaning(math.fsum)
def fsum(seq: Any, /) -> Expr:
    """Return math.fsum(seq)."""
    return apply("math_fsum", *map(_as_real, _sequence(seq, "math.fsum")))


@meaning(math.prod)
def prod(iterable: Any, /, *, start: Any = 1) -> Expr:
    """Return math.prod(iterable)."""
    out = lift(start)
    for k, x in enumerate(_sequence(iterable, "math.prod")):
        out = lift(x) if not k and literal_value(out) == 1 else out * lift(x)
    return out


@meaning(math.dist)
def dist(p: Any, q: Any, /) -> Expr:
    """Return math.dist(p, q)."""
    pairs = zip(_sequence(p, "math.dist"), _sequence(q, "math.dist"), strict=True)
    return apply("math_hypot", *(_as_real(a) - _as_real(b) for a, b in pairs))


@meaning(math.isclose)
def isclose(a: Any, b: Any, *, rel_tol: Any = 1e-09, abs_tol: Any = 0.0) -> Expr:
    """Return math.isclose(a, b)."""
    return apply("math_isclose", _as_real(a), _as_real(b), rel_tol, abs_tol)


@meaning(math.perm)
def perm(n: Any, k: Any = None, /) -> Expr:
    """Return math.perm(n, k)."""
    return apply("math_factorial", n) if k is None else apply("math_perm", n, k)


@meaning(math.gcd)
def gcd(*integers: Any) -> Expr:
    """Return math.gcd(*integers)."""
    found = lift(0)
    for n in integers:
        found = apply("math_gcd", found, n)
    return found


@meaning(math.lcm)
def lcm(*integers: Any) -> Expr:
    """Return math.lcm(*integers)."""
    found = lift(1)
    for n in integers:
        found = apply("math_lcm", found, n)
    return found


@meaning(math.frexp)
def frexp(x: Any, /) -> tuple[Expr, Expr]:
    """Return math.frexp(x): the exponent is a constant of the derivative."""
    e = _rank0(x)
    n = apply("math_exponent", e)
    return apply("math_ldexp", e, -n), n


@meaning(math.modf)
def modf(x: Any, /) -> tuple[Expr, Expr]:
    """Return math.modf(x): the fraction, which keeps the derivative, and the whole part."""
    e = apply("to_float", _rank0(x))
    fraction = apply("math_fmod", e, 1.0)
    return fraction, apply("stop_gradient", e - fraction)


# --- attributes and small methods ---------------------------------------------------------------


def _transposed(self: Any) -> Expr:
    return transpose(self)


def _matrix_transposed(self: Any) -> Expr:
    return swap(lift(self))


def _real(self: Any) -> Expr:
    x = lift(self)
    return real(x) if x.dtype.kind == "c" else x


def _imag(self: Any) -> Expr:
    return imaginary(lift(self))


for _name, _function in (("T", _transposed), ("mT", _matrix_transposed), ("real", _real), ("imag", _imag)):
    ATTRIBUTES[_name] = make_call(_name, _function)


def item(self: Any, *args: Any) -> Expr:
    """Return `a.item()`, a Python number."""
    x = lift(self)
    if args:
        index = args[0] if isinstance(args[0], tuple) else args
        if len(index) != x.ndim:
            x, index = apply("reshape", x, -1), index[:1]
        x = getitem(x, *index)
    kind = {"f": "to_float", "c": "to_complex", "b": "to_bool"}.get(x.dtype.kind, "to_int")
    if any(n != Size.of(1) for n in x.dims) and any(n.is_const and not n.is_one for n in x.dims):
        raise ValueError("can only convert an array of size 1 to a Python scalar")
    return apply(kind, x)


def getitem(x: Expr, *index: Any) -> Expr:
    """Return `x[index]` with one int per dimension."""
    return apply("getitem", x, *index, path=(Index((At(),) * x.ndim),))


METHODS["item"] = make_call("item", item)
