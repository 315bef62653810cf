"""Random programs with rules that say what their code says, and with loops reversed from snapshots: the
derivatives are those of the code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from oracle import leaves
from property.programs import generated
from property.verdicts import arguments, compare, loaded, lowering_interpreted, tame, tangents

import s2sad

PROGRAMS = 24
SHARDS = 4
SIZE = (3, 2)
REFUSED = ("S127", "S206", "S402")  # it writes its arguments; the state of a loop grows; memory is shared
Check = Callable[[Any, tuple[Any, ...], tuple[Any, ...]], None]


def pulled(f: Any, args: tuple[Any, ...], **options: Any) -> list[Any]:
    """Return the cotangents of all arguments for a cotangent of ones, and the value."""
    y, pullback = s2sad.vjp(f, *args, **options)
    ones = [np.ones_like(v) if isinstance(v, np.ndarray) else type(v)(1.0) for v in leaves(y)]
    seed = ones[0] if not isinstance(y, tuple) else tuple(ones)
    return [v for v in (*leaves(pullback(seed)), *leaves(y)) if v is not None]


def with_rules(f: Any, args: tuple[Any, ...], dots: tuple[Any, ...]) -> None:
    """Compare both modes of both kinds of rules."""
    forward, reverse = s2sad.custom_jvp(f), s2sad.custom_vjp(f)
    forward.defjvp(lambda primals, tangents: s2sad.jvp(f, primals, tangents))
    reverse.defvjp(lambda *args: (f(*args), args), lambda args, g: s2sad.vjp(f, *args)[1](g))
    expected, along = pulled(f, args), leaves(s2sad.jvp(f, args, dots)[1])
    for rule in (forward, reverse):
        compare(pulled(rule, args), expected, 1e-9, "reverse mode")
    compare(leaves(s2sad.jvp(forward, args, dots)[1]), along, 1e-9, "forward mode")
    try:
        transposed = leaves(s2sad.jvp(reverse, args, dots)[1])
    except s2sad.UnsupportedOp as error:  # that the reverse sweep is linear in its seed cannot always be told
        if error.code != "S205":
            raise
    else:
        compare(transposed, along, 1e-9, "forward mode of a rule for reverse mode")


def with_snapshots(f: Any, args: tuple[Any, ...], dots: tuple[Any, ...]) -> None:
    """Compare gradients from one, two and many snapshots, and from segments, with those from tapes."""
    expected = pulled(f, args)
    for checkpoint in (1, 2, "sqrt", "600B"):
        compare(pulled(f, args, checkpoint=checkpoint), expected, 1e-9, f"checkpoint={checkpoint!r}")
    with lowering_interpreted():
        compare(pulled(f, args, checkpoint="sqrt", jit=True), expected, 1e-9, "loop nests")


@pytest.mark.parametrize("shard", range(SHARDS))
@pytest.mark.parametrize("check", [with_rules, with_snapshots], ids=lambda check: check.__name__)
def test_random_programs(check: Check, shard: int) -> None:
    done = 0
    for number in range(shard, PROGRAMS, SHARDS):
        text = generated(number).text
        f = loaded(text, f"ruled_{number}")
        f.__globals__["RATE"] = 0.83
        args = arguments(number, *SIZE)
        try:
            with np.errstate(all="ignore"):
                value = f(*[a.copy() if isinstance(a, np.ndarray) else a for a in args])
                if not tame(leaves(value)) or not tame(pulled(f, args)):
                    continue
                check(f, args, tangents(number, args))
            done += 1
        except s2sad.S2sadError as error:
            if error.code not in REFUSED:
                raise
        except (ValueError, IndexError, NameError, ZeroDivisionError):
            continue
        except AssertionError as error:
            raise AssertionError(f"program {number}: {error}\n{text}") from error
    assert done >= PROGRAMS // SHARDS // 3
