"""What `s2sad ops` prints: the table of functions and operations, and one of them in full."""

from __future__ import annotations

import contextlib
import difflib
import importlib
import inspect
from typing import Any

from s2sad.driver.derive import joint, pushforward
from s2sad.driver.pipeline import clean, finish
from s2sad.driver.trace import Trace
from s2sad.emit.source import module
from s2sad.errors import S2sadError
from s2sad.ir.core import Function
from s2sad.ir.op import Kind, Op
from s2sad.ir.transformed import Transformed
from s2sad.ir.types import is_differentiable
from s2sad.lowering.lower import has_lowering
from s2sad.ops import OPS, Call, describe, names, trial

PREFIXES = ("", "np.", "np.linalg.", "np.fft.", "math.", "scipy.special.", "x.", "rng.")
MODULES = ("fft", "integrate", "linalg", "signal", "special", "stats")


def table() -> str:
    """Return a line for each function, then a line for each operation that they are made of."""
    _import_scipy()
    found = names.functions() | names.methods()
    width = max(map(len, (*found, *OPS)))
    lines = [f"{name:{width}}  {_kind(call)}".rstrip() for name, call in sorted(found.items())]
    rows = [f"{name:{width}}  {op.kind.value:11}  {op.doc}".rstrip() for name, op in sorted(OPS.items())]
    return "\n".join(["# functions", *lines, "", "# operations that they are made of", *rows]) + "\n"


def entry(name: str) -> str:
    """Return what is known of a function or an operation, with the jvp and the vjp of a call of it;
    ValueError if there is none of that name."""
    _import_scipy()
    found = names.functions() | names.methods()
    full = next((p + name for p in PREFIXES if p + name in found), None)
    call, op = found.get(full or ""), OPS.get(name)
    if call is None and op is None:
        near = names.nearest(name, [*found, *OPS], 3) or difflib.get_close_matches(name, OPS, 1)
        hint = f"; the nearest: {', '.join(near)}" if near else ""
        raise ValueError(f"no function or operation {name!r}{hint}; `s2sad ops` lists them")
    lines = []
    if call is not None:
        lines += [f"{full}{_plain(call.signature)}"]
        lines += _of_call(call)
    if op is not None:
        lines += [*([""] if lines else []), *_of_op(op)]
    return "\n".join(lines) + "\n"


def _import_scipy() -> None:
    for part in MODULES:
        with contextlib.suppress(ImportError):
            importlib.import_module(f"scipy.{part}")


def _plain(signature: inspect.Signature) -> inspect.Signature:
    bare = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
    return inspect.Signature(bare)


def _kind(call: Call) -> str:
    op = OPS.get(call.name)
    return op.kind.value if op is not None else "by others"


def _of_call(call: Call) -> list[str]:
    fn = trial.program(call)
    if fn is None:
        return []
    made = [name for name in trial.made_of(fn) if OPS[name].kind is not Kind.CONTROL]
    lines = [f"  made of      {', '.join(made)}"] if made != [call.name] else []
    missing = [name for name in made if not has_lowering(name)]
    lines.append(f"  jit          {'no: ' + ', '.join(missing) if missing else 'yes'}")
    for title, text in (("jvp", derived(fn, "jvp")), ("vjp", derived(fn, "vjp"))):
        lines += ["", f"# {title}", text.rstrip()] if text else []
    return lines


def derived(fn: Function, mode: str) -> str:
    """Return the text of a derivative of a program by all its floats that have a rule, empty if none."""
    trace = Trace(fn.name)
    fn = clean(fn, trace)
    floats = tuple(is_differentiable(p.type) for p in fn.params)
    if not any(floats) or not any(map(is_differentiable, fn.result_types)):
        return ""
    alone = [tuple(j == k for j in range(len(floats))) for k, flag in enumerate(floats) if flag]
    ruled = [flags for flags in alone if not _text(fn, flags, mode, trace).startswith("# S")]
    active = tuple(map(any, zip(*ruled, strict=True))) if ruled else floats
    return _text(fn, active, mode, trace)


def _text(fn: Function, active: tuple[bool, ...], mode: str, trace: Trace) -> str:
    """The module of a derivative, or the refusal as a comment."""
    try:
        if mode == "jvp":
            made = pushforward(fn, active, trace)
        else:
            argnums = tuple(k for k, flag in enumerate(active) if flag)
            made = joint(fn, Transformed("vjp", None, argnums), active, trace)
        text: str = module(finish(made, trace))
    except S2sadError as error:
        return "\n".join(f"# {line}" for line in str(error).splitlines())
    return "\n".join(line for line in text.splitlines() if not line.startswith("# s2sad")).strip()


def functions_page() -> list[str]:
    """Return the lines of docs/ops.md that tell of functions."""
    _import_scipy()
    lines = ["## Functions", "", "| function | made of the operations | compiled |", "|---|---|---|"]
    found = names.functions() | names.methods()
    for name, call in sorted(found.items()):
        fn = trial.program(call)
        made = trial.made_of(fn) if fn is not None else []
        compiled = "" if fn is None else "yes" if all(map(has_lowering, made)) else "no"
        lines.append(f"| `{name}` | {', '.join(made)} | {compiled} |")
    return lines


def _of_op(op: Op) -> list[str]:
    row = describe.row(op)
    columns: list[tuple[str, Any]] = [
        ("kind", op.kind.value),
        ("written", row.written),
        ("derivative", row.derivative),
        ("reads", row.reads),
        ("notes", row.notes),
        ("memory", op.alias.value),
        ("pure", op.pure),
        ("results", op.results),
        ("linear in", ", ".join(map(str, op.linear_args))),
        ("shape only", ", ".join(map(str, op.shape_args))),
        ("jit", "yes" if op.kind is Kind.CONTROL or has_lowering(op.name) else "no"),
    ]
    return [f"operation {op.name}", *(f"  {key:12} {value}" for key, value in columns if value != "")]
