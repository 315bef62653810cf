"""The command line: `s2sad emit | check | explain | ir | ops | cache`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from s2sad.driver import store
from s2sad.driver.program import Program, Variant
from s2sad.errors import S2sadError, TypeMismatch
from s2sad.example import Example, example_for, from_expression
from s2sad.explain import explain
from s2sad.ir.text import print_function
from s2sad.ir.transformed import Transformed
from s2sad.opinfo import entry, table
from s2sad.target import Target, load_target
from s2sad.testing import check_grads

MODES = ("vjp", "grad", "value_and_grad", "jvp", "hvp", "primal")
RESTARTS = 40


def main(argv: Sequence[str] | None = None) -> int:
    """Return the exit code: 0, or 1 with a message on stderr."""
    options = parser().parse_args(argv)
    try:
        text = options.run(options)
    except (S2sadError, TypeError, ValueError, AssertionError, ImportError, OSError) as error:
        print(error if isinstance(error, S2sadError) else f"s2sad: {error}", file=sys.stderr)
        return 1
    output = getattr(options, "output", None)
    if output:
        Path(output).write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)
    return 0


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    top = argparse.ArgumentParser(prog="s2sad", description="Source-to-source differentiation of NumPy code.")
    commands = top.add_subparsers(required=True, metavar="command")
    emit = commands.add_parser("emit", help="write a derivative as Python source")
    emit.add_argument("target", metavar="FILE[::FUNC]")
    emit.add_argument("--mode", choices=MODES)
    emit.add_argument("--wrt", help="comma-separated parameters to differentiate by; default: all floats")
    emit.add_argument("--lowered", action="store_true", help="as scalar loop nests, as jit compiles them")
    emit.add_argument("-o", "--output", metavar="OUT")
    emit.set_defaults(run=run_emit)
    check = commands.add_parser("check", help="check derivatives against differences")
    check.add_argument("target", metavar="FILE::FUNC")
    check.add_argument("--order", type=int, default=2)
    check.set_defaults(run=run_check)
    ir = commands.add_parser("ir", help="print the IR")
    ir.add_argument("target", metavar="FILE::FUNC")
    ir.add_argument("--after", metavar="PASS", help="the IR after the last run of this pass")
    ir.add_argument("--mode", choices=MODES, default="primal")
    ir.add_argument("--wrt")
    ir.set_defaults(run=run_ir)
    notes = commands.add_parser("explain", help="annotate the source: active, taped, recomputed, and why")
    notes.add_argument("target", metavar="FILE::FUNC")
    notes.add_argument("--mode", choices=MODES)
    notes.add_argument("--wrt")
    notes.add_argument("--lowered", action="store_true", help="with the loop nests, as jit compiles them")
    notes.set_defaults(run=run_explain)
    for command in (emit, check, ir, notes):
        command.add_argument("--like", metavar="EXPR", help='example arguments: "np.zeros((3, 4)), 2.0"')
    ops = commands.add_parser("ops", help="list functions and operations, or show one")
    ops.add_argument("name", nargs="?")
    ops.set_defaults(run=run_ops)
    cache = commands.add_parser("cache", help="show what is kept of compilations, or remove it")
    cache.add_argument("--clear", action="store_true")
    cache.set_defaults(run=run_cache)
    return top


def run_emit(options: argparse.Namespace) -> str:
    """Return the emitted module."""
    targets = load_target(options.target)
    texts = []
    for target in targets:
        variant, example = compiled(target, options)
        text = variant.main.lowered_source if options.lowered else variant.main.source
        first, rest = text.split("\n", 1)
        texts.append(f"{first}\n{example.header(target.name)}{rest}")
    return merged(texts)


def merged(texts: Sequence[str]) -> str:
    """Return several emitted modules as one: imports first, once each."""
    if len(texts) == 1:
        return texts[0]
    lines = [text.splitlines() for text in texts]
    imports = sorted({line for module in lines for line in module if line.startswith(("import ", "from "))})
    bodies = ["\n".join(line for line in module if line not in imports) for module in lines]
    return "\n\n\n".join(["\n".join(imports), *bodies]).strip() + "\n"


def run_check(options: argparse.Namespace) -> str:
    """Return what was checked, line by line; AssertionError where derivatives disagree."""
    if not options.like:
        raise TypeError("check needs example arguments: --like 'np.ones(3), 2.0'")
    lines = []
    for target in load_target(options.target):
        args = from_expression(options.like, target.namespace)
        report = check_grads(target.function, args, order=options.order)
        lines.append(
            f"{target.name}: jvp and vjp agree with differences up to order {options.order}\n{report}\n"
        )
    return "".join(lines)


def run_explain(options: argparse.Namespace) -> str:
    """Return the annotated source."""
    targets = load_target(options.target)
    return "\n".join(explain(compiled(target, options)[0], options.lowered) for target in targets)


def run_ir(options: argparse.Namespace) -> str:
    """Return the IR of the chosen stage."""
    texts = []
    for target in load_target(options.target):
        variant, _ = compiled(target, options)
        stages = variant.passed()
        if options.after:
            found = [fn for name, fn in stages if name == options.after]
            if not found:
                names = ", ".join(dict.fromkeys(name for name, _ in stages))
                raise ValueError(f"no pass {options.after!r} changed {target.name}; those that did: {names}")
            texts.append(print_function(found[-1], types=True, origins=True))
        else:
            texts.append(print_function(variant.ir, types=True, origins=True))
    return "\n\n".join(texts) + "\n"


def run_ops(options: argparse.Namespace) -> str:
    """Return the table of functions and operations, or one in full."""
    return table() if options.name is None else entry(options.name)


def run_cache(options: argparse.Namespace) -> str:
    """Return what is kept, or how much was removed."""
    if options.clear:
        return f"{store.clear()} files removed from {store.folder()}\n"
    kept = list(store.kept())
    lines = [f"{size / 1e3:10.0f} kB  {path.name}" for path, size in kept]
    total = sum(size for _, size in kept) / 1e6
    return "\n".join([*lines, f"{len(kept)} files, {total:.1f} MB in {store.folder()}"]) + "\n"


def compiled(target: Target, options: argparse.Namespace) -> tuple[Variant, Example]:
    """Return the compiled program of a target and the example it was built for. Where ranks are
    guessed, they are raised as far as the function's indexing demands."""
    example = example_for(target.function, options.like, target.namespace)
    for _ in range(RESTARTS):
        try:
            return build(target, options, example), example
        except TypeMismatch as error:
            needed = error.needs_rank
            if needed is None or not example.guessed:
                raise hinted(error, example) from None
            example = example.raised(needed[0], needed[1], error)
    raise TypeMismatch(
        "S342", f"the ranks of {target.name}'s arguments could not be inferred", "annotate them"
    )


def hinted(error: TypeMismatch, example: Example) -> TypeMismatch:
    """Return the error, with a word on guessed arguments if there are any."""
    if not example.guessed:
        return error
    names = ", ".join(sorted(example.guessed))
    instead = f"annotate {names}, whose types are guessed, or give examples: --like EXPR"
    return type(error)(error.code, error.why, instead, error.origin)


def build(target: Target, options: argparse.Namespace, example: Example) -> Variant:
    """Return the program for one example."""
    mode = options.mode or target.mode
    argnums = positions(target, options.wrt) if options.wrt else target.argnums
    flags = None
    if mode == "hvp" and argnums != ():
        chosen = (argnums,) if isinstance(argnums, int) else argnums
        flags = tuple(k in chosen for k in range(max(chosen) + 1))
    record = Transformed(mode, target.function, argnums, target.has_aux)
    return Program(record).build(example.args, example.kwargs, flags, examples=bool(options.like))


def positions(target: Target, wrt: str) -> int | tuple[int, ...]:
    """Return the argnums of parameters given by name."""
    names = target.parameters
    chosen = []
    for name in wrt.split(","):
        if name.strip() not in names:
            raise ValueError(f"{target.name} has no parameter {name.strip()!r}; it has {', '.join(names)}")
        chosen.append(names.index(name.strip()))
    return chosen[0] if len(chosen) == 1 else tuple(chosen)
