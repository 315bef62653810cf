"""Python's own scalar functions: conversions, and the module math with its exceptions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from s2sad.ir.core import Instr, Literal, Operand, Value
from s2sad.ir.types import F8, INT, WEAK_INT, Array
from s2sad.lowering.code import ONE, ZERO, Code
from s2sad.lowering.context import Lowerer
from s2sad.lowering.ops import conversion
from s2sad.lowering.scalars import U64, check_fits, check_real, convert, real_for

DOMAIN = "math domain error"
RANGE = "math range error"
Check = Callable[[Code, tuple[Operand, ...]], Operand]


def _compare(op: str, limit: float) -> Check:
    return lambda code, args: code.op(op, args[0], Literal(limit))


def _outside(op: str) -> Check:
    return lambda code, args: code.op(op, code.op("absolute", args[0]), Literal(1.0))


def _infinite(code: Code, args: tuple[Operand, ...]) -> Operand:
    return code.op("isinf", args[0])


def _fmod(code: Code, args: tuple[Operand, ...]) -> Operand:
    return code.op("either", code.op("isinf", args[0]), code.op("equal", args[1], Literal(0.0)))


def _pow(code: Code, args: tuple[Operand, ...]) -> Operand:
    a, b = args
    whole = code.op("equal", code.op("floor", b), b)
    fraction = code.op("both", code.op("less", a, Literal(0.0)), code.op("not_", whole))
    zero = code.op("both", code.op("equal", a, Literal(0.0)), code.op("less", b, Literal(0.0)))
    return code.op("either", fraction, zero)


def _gamma(code: Code, args: tuple[Operand, ...]) -> Operand:
    (x,) = args
    whole = code.op("equal", code.op("floor", x), x)
    return code.op("both", code.op("less_equal", x, Literal(0.0)), whole)


def _lgamma(code: Code, args: tuple[Operand, ...]) -> Operand:
    return code.op("both", _gamma(code, args), code.op("isfinite", args[0]))


DOMAINS: dict[str, Check] = {
    "sqrt": _compare("less", 0.0),
    "log": _compare("less_equal", 0.0),
    "log2": _compare("less_equal", 0.0),
    "log10": _compare("less_equal", 0.0),
    "log_base": _compare("less_equal", 0.0),
    "log1p": _compare("less_equal", -1.0),
    "acosh": _compare("less", 1.0),
    "asin": _outside("greater"),
    "acos": _outside("greater"),
    "atanh": _outside("greater_equal"),
    "sin": _infinite,
    "cos": _infinite,
    "tan": _infinite,
    "fmod": _fmod,
    "remainder": _fmod,
    "pow": _pow,
    "gamma": _gamma,
    "lgamma": _lgamma,
    "isqrt": _compare("less", 0),
    "factorial": _compare("less", 0),
}
OVERFLOWS = {"exp", "exp2", "expm1", "sinh", "cosh", "pow", "gamma", "lgamma", "ldexp"}
BY_NUMPY = {"exp2": "exp2", "cbrt": "cbrt", "fmod": "fmod"}  # what Numba's math lacks
TO_INT = {"floor", "ceil", "trunc"}


def lower_math(low: Lowerer, instr: Instr) -> None:
    """Lower a function of the module math."""
    code = low.code
    name = instr.op.name.removeprefix("math_")
    args = tuple(_double(low.scalar(a), code) for a in instr.args)
    if name in DOMAINS:
        code.fail_if(DOMAINS[name](code, args), ValueError, DOMAIN)
    if name in TO_INT:
        check_fits(code, args[0], INT)
    found = _value(low, name, instr, args)
    if name in OVERFLOWS and not (name == "exp" and _is_minus_square(code, args[0])):
        finite = [code.op("isfinite", a) for a in args]
        ok = finite[0] if len(finite) == 1 else code.op("both", *finite)
        code.fail_if(code.op("both", code.op("isinf", found), ok), OverflowError, RANGE)
    low.define_scalar(instr.result, code.coerce(found, instr.result.type))


def _double(a: Operand, code: Code) -> Operand:
    """Return what Python makes of a number of single precision; compiled functions would keep it."""
    return convert(code, a, F8) if a.type.dtype.name in ("float16", "float32") else a


def _is_minus_square(code: Code, a: Operand) -> bool:
    """True for `-x * x`, which no exponential overflows of."""
    maker = {r: i for i in code.scopes[-1].builder.instrs for r in i.results}
    product = maker.get(a) if isinstance(a, Value) else None
    if product is None or product.op.name != "multiply":
        return False
    left, right = product.args
    minus = maker.get(left) if isinstance(left, Value) else None
    return minus is not None and minus.op.name == "negative" and minus.args == (right,)


def _value(low: Lowerer, name: str, instr: Instr, args: tuple[Operand, ...]) -> Operand:
    code = low.code
    match name:
        case "log_base":
            code.fail_if(code.op("less_equal", args[1], Literal(0.0)), ValueError, DOMAIN)
            return code.op("divide", code.op("math_log", args[0]), code.op("math_log", args[1]))
        case "exp2" | "cbrt" | "fmod":
            return code.op(BY_NUMPY[name], *(code.op("to_float", a) for a in args))
        case "hypot" if len(args) != 2:
            total = code.op("multiply", args[0], args[0])
            for a in args[1:]:
                total = code.op("add", total, code.op("multiply", a, a))
            return code.op("math_sqrt", total)
        case "ulp":
            return code.op("spacing", code.op("math_fabs", args[0]))
        case "factorial":
            return _factorial(code, args[0])
        case "comb":
            return _comb(code, *args)
        case "remainder":
            return _remainder(code, *args)
        case "fsum":
            return _fsum(code, args)
        case "isclose":
            return _isclose(code, *args)
        case "lcm":
            return _lcm(code, *args)
        case "perm":
            over = code.op("subtract", args[0], args[1])
            lo = code.op("at_least", code.op("add", over, ONE), ONE)
            found = _product(code, lo, code.add(args[0], ONE), lambda total, i: code.op("multiply", total, i))
            return code.op("select", code.op("less", over, ZERO), ZERO, found)
        case "isqrt":
            return _isqrt(code, args[0])
        case _:
            return code.op(instr.op.name, *args)


def _product(code: Code, lo: Operand, hi: Operand, term: Callable[[Operand, Operand], Operand]) -> Operand:
    start = code.op("widen", ONE, type=WEAK_INT)

    def body(i: Value, state: list[Operand]) -> Sequence[Operand]:
        return (term(state[0], i),)

    return code.loop((lo, hi, ONE), (start,), body)[0]


def _factorial(code: Code, n: Operand) -> Operand:
    return _product(code, Literal(2), code.add(n, ONE), lambda total, i: code.op("multiply", total, i))


def _comb(code: Code, n: Operand, k: Operand) -> Operand:
    bad = code.op("either", code.op("less", n, ZERO), code.op("less", k, ZERO))
    code.fail_if(bad, ValueError, "must be a non-negative integer")

    def term(total: Operand, i: Operand) -> Operand:
        over = code.op("multiply", total, code.sub(n, i))
        return code.op("floor_divide", over, code.add(i, ONE))

    return _product(code, ZERO, k, term)


def _isqrt(code: Code, n: Operand) -> Operand:
    root: Operand = code.op("to_int", code.op("sqrt", code.op("to_float64", n)))
    too_big = code.op("greater", code.op("multiply", root, root), n)
    root = code.op("select", too_big, code.op("subtract", root, ONE), root)
    above = code.op("add", root, ONE)
    fits = code.op("less_equal", code.op("multiply", above, above), n)
    return code.op("select", fits, above, root)


def _remainder(code: Code, x: Operand, y: Operand) -> Operand:
    """IEEE 754: to the nearest multiple of y, a tie to the even one; every step is exact."""
    long, short = code.op("math_fabs", x), code.op("math_fabs", y)
    low = code.op("fmod", long, short)
    high = code.op("subtract", short, low)
    parts = code.op("multiply", Literal(0.5), code.op("subtract", long, low))
    twice = code.op("multiply", Literal(2.0), code.op("fmod", parts, short))
    tie = code.op("subtract", low, twice)
    far = code.op("select", code.op("greater", low, high), code.op("negative", high), tie)
    near = code.op("select", code.op("less", low, high), low, far)
    return code.op("multiply", code.op("math_copysign", Literal(1.0), x), near)


def _fsum(code: Code, xs: tuple[Operand, ...]) -> Operand:
    """Neumaier's sum: the rounding errors are summed beside it."""
    total: Operand = Literal(0.0)
    lost: Operand = Literal(0.0)
    for x in xs:
        after = code.op("add", total, x)
        is_large = code.op("greater_equal", code.op("math_fabs", total), code.op("math_fabs", x))
        of_x = code.op("add", code.op("subtract", total, after), x)
        of_total = code.op("add", code.op("subtract", x, after), total)
        lost = code.op("add", lost, code.op("select", is_large, of_x, of_total))
        total = after
    return code.op("add", total, lost)


def _isclose(code: Code, a: Operand, b: Operand, relative: Operand, absolute: Operand) -> Operand:
    gap = code.op("math_fabs", code.op("subtract", a, b))
    largest = code.op("at_least", code.op("math_fabs", a), code.op("math_fabs", b))
    limit = code.op("at_least", code.op("multiply", relative, largest), absolute)
    near = code.op("both", code.op("less_equal", gap, limit), code.op("isfinite", gap))
    return code.op("either", code.op("equal", a, b), near)


def _lcm(code: Code, a: Operand, b: Operand) -> Operand:
    divisor = code.op("at_least", code.op("math_gcd", a, b), ONE)
    return code.op("absolute", code.op("multiply", code.op("floor_divide", a, divisor), b))


def lower_conversion(low: Lowerer, instr: Instr) -> None:
    """Lower float(), int(), bool(), complex(), round() of a number or of an array of one element."""
    code = low.code
    (x,) = instr.args
    if isinstance(x.type, Array):
        rep = low.rep(x)
        for k in range(rep.type.ndim):
            n = low.dim(rep, k)
            if n != ONE:
                bad = code.differ(n, ONE)
                code.fail_if(bad, ValueError, "can only convert an array of size 1 to a Python scalar")
    a = low.scalar(x)
    if instr.op.name in ("to_int", "to_float"):
        check_real(code, a)
        a = real_for(code, a, F8)
    if instr.op.name in ("to_int", "round_to_int"):
        check_fits(code, a, INT)
        if a.type.dtype == U64 and not isinstance(a, Literal):
            limit = code.op(conversion(U64), Literal(2**63))
            code.fail_if(
                code.op("greater_equal", a, limit), OverflowError, "int() of what is too large for 64 bits"
            )
        if a.type.dtype.kind in "iu":  # of 64 bits with a sign, whatever it was
            low.define_scalar(instr.result, code.coerce(convert(code, a, INT), instr.result.type))
            return
    if instr.op.name == "to_float" and a.type.dtype.kind == "b":
        a = convert(code, a, F8)
    low.define_scalar(instr.result, code.op(instr.op.name, a, **dict(instr.params)))


TABLE = {
    name: lower_conversion
    for name in ("to_float", "to_int", "to_bool", "to_complex", "round_to_int", "round_float", "not_")
}
