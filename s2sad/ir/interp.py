"""The reference evaluator: runs a Function on NumPy values, with functional array writes.

Slow and simple on purpose. It defines what the IR means; passes, emission and lowering are tested
against it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from s2sad.ir.core import Block, Function, Instr, Literal, Operand, Value
from s2sad.record import dataclass


@dataclass(frozen=True, slots=True)
class _Exit:
    kind: str
    values: tuple[Any, ...]


def run(fn: Function, *leaves: Any) -> tuple[Any, ...]:
    """Return the function's result leaves for argument leaves. Arguments are not modified."""
    assert len(leaves) == len(fn.params), f"{fn.name} takes {len(fn.params)} leaves"
    env: dict[Value, Any] = dict(zip(fn.params, leaves, strict=True))
    out = _block(fn.block, env)
    assert out.kind == "return", out.kind
    return out.values


def _read(env: dict[Value, Any], a: Operand) -> Any:
    return a.value if isinstance(a, Literal) else env[a]


def _block(block: Block, env: dict[Value, Any]) -> _Exit:
    for instr in block.instrs:
        out = _instr(instr, env)
        if out is not None:
            return out
    end = block.end
    values = tuple(_read(env, a) for a in end.args)
    if end.kind == "raise":
        params = dict(end.params)
        raise params["exception"](render_message(params["message"], values))
    assert end.kind != "unreachable", "an unreachable end was reached"
    return _Exit(end.kind, values)


def render_message(template: tuple[Any, ...], values: tuple[Any, ...]) -> str:
    """Return the text of a message: strings, and (index, format) pairs that select a value."""
    return "".join(p if isinstance(p, str) else format(values[p[0]], p[1]) for p in template)


def _bind(env: dict[Value, Any], targets: tuple[Value, ...], values: tuple[Any, ...]) -> None:
    env.update(zip(targets, values, strict=True))


def _instr(instr: Instr, env: dict[Value, Any]) -> _Exit | None:
    args = tuple(_read(env, a) for a in instr.args)
    match instr.op.name:
        case "if":
            out = _block(instr.blocks[0 if args[0] else 1], env)
            if out.kind != "yield":
                return out
            _bind(env, instr.results, out.values)
        case "for":
            return _for(instr, args, env)
        case "while":
            return _while(instr, args, env)
        case "call":
            _bind(env, instr.results, run(instr.param("callee"), *args))
        case _:
            with np.errstate(all="ignore"):
                value = instr.op.evaluate(*args, **dict(instr.params))
            if instr.op.results == 1:
                _bind(env, instr.results, (value,))
            else:
                _bind(env, instr.results, value if value is not None else ())
    return None


def _for(instr: Instr, args: tuple[Any, ...], env: dict[Value, Any]) -> _Exit | None:
    (body,) = instr.blocks
    carried = args[3:]
    for i in range(args[0], args[1], args[2]):
        _bind(env, body.params, (i, *carried))
        out = _block(body, env)
        if out.kind == "return":
            return out
        carried = out.values
        if out.kind == "break":
            break
    _bind(env, instr.results, carried)
    return None


def _while(instr: Instr, carried: tuple[Any, ...], env: dict[Value, Any]) -> _Exit | None:
    cond, body = instr.blocks
    while True:
        _bind(env, cond.params, carried)
        out = _block(cond, env)
        if not out.values[0]:
            break
        _bind(env, body.params, carried)
        out = _block(body, env)
        if out.kind == "return":
            return out
        carried = out.values
        if out.kind == "break":
            break
    _bind(env, instr.results, carried)
    return None
