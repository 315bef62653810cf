"""What bufferized IR means: the instructions in order, with real writes in place and real views."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from s2sad.ir import path as paths
from s2sad.ir.core import Block, Function, Instr, Literal, Operand, Value
from s2sad.ir.interp import render_message


@dataclass(frozen=True)
class Exit:
    kind: str
    values: tuple[Any, ...]


def emulate(fn: Function, *leaves: Any) -> tuple[Any, ...]:
    """Return the result leaves; arrays among `leaves` are updated where the function writes them."""
    env = dict(zip(fn.params, leaves, strict=True))
    out = _block(fn.block, env)
    assert out.kind == "return", out.kind
    return out.values


def _read(env: dict[Value, Any], a: Operand) -> Any:
    return a.value if isinstance(a, Literal) else env[a]


def _block(block: Block, env: dict[Value, Any]) -> Exit:
    for instr in block.instrs:
        out = _instr(instr, env)
        if out is not None:
            return out
    values = tuple(_read(env, a) for a in block.end.args)
    if block.end.kind == "raise":
        params = dict(block.end.params)
        raise params["exception"](render_message(params["message"], values))
    return Exit(block.end.kind, values)


def _instr(instr: Instr, env: dict[Value, Any]) -> Exit | None:
    args = [_read(env, a) for a in instr.args]
    match instr.op.name:
        case "if":
            out = _block(instr.blocks[0 if args[0] else 1], env)
            if out.kind != "yield":
                return out
            env.update(zip(instr.results, out.values, strict=True))
        case "for" | "while":
            return _loop(instr, args, env)
        case "worth_threads":
            env[instr.result] = True
        case "call" if instr.param("parallel"):
            env.update(zip(instr.results, _shared(instr, args), strict=True))
        case "call":
            env.update(zip(instr.results, emulate(instr.param("callee"), *args), strict=True))
        case "setitem" | "accum":
            x, v, *operands = args
            how = "set" if instr.op.name == "setitem" else "at" if instr.param("at") else "add"
            paths.assign(x, instr.param("path"), operands, v, how)
            env[instr.result] = x
        case _:
            with np.errstate(all="ignore"):
                value = instr.op.evaluate(*args, **dict(instr.params))
            values = (value,) if instr.op.results == 1 else value if value is not None else ()
            env.update(zip(instr.results, values, strict=True))
    return None


def _loop(instr: Instr, args: list[Any], env: dict[Value, Any]) -> Exit | None:
    counted = instr.op.name == "for"
    body = instr.blocks[-1]
    carried = tuple(args[3:] if counted else args)
    trips = iter(range(*args[:3])) if counted else iter(int, 1)
    for i in trips:
        if counted:
            env.update(zip(body.params, (i, *carried), strict=True))
        else:
            cond = instr.blocks[0]
            env.update(zip(cond.params, carried, strict=True))
            if not _block(cond, env).values[0]:
                break
            env.update(zip(body.params, carried, strict=True))
        out = _block(body, env)
        if out.kind == "return":
            return out
        carried = out.values
        if out.kind == "break":
            break
    env.update(zip(instr.results, carried, strict=True))
    return None


def _shared(instr: Instr, args: list[Any]) -> tuple[Any, ...]:
    """Return the results of a call that threads share, one for each trip, of which the last comes first."""
    callee, kinds, step = instr.param("callee"), instr.param("parallel"), instr.param("step").value
    first, last, *given = args
    parts = range(first, last, step)
    results = list(given[: len(kinds)])
    error: Exception | None = None
    sums: list[list[Any]] = []
    for place, i in reversed(list(enumerate(parts))):
        own = list(given)
        for k, kind in enumerate(kinds):
            if kind == "sum" or (kind == "own" and place):
                own[k] = np.zeros_like(given[k]) if isinstance(given[k], np.ndarray) else type(given[k])(0)
        try:
            found = emulate(callee, i, i + step, *own)
        except Exception as raised:
            error = raised
            continue
        sums.insert(0, [x for x, kind in zip(found, kinds, strict=True) if kind == "sum"])
    if error is not None:
        raise error
    slots = [k for k, kind in enumerate(kinds) if kind == "sum"]
    for part in sums:
        for k, x in zip(slots, part, strict=True):
            if isinstance(x, np.ndarray):
                results[k] += x
            else:
                results[k] = results[k] + x
    return tuple(results)
