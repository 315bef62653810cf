"""The one table of operations: OPS maps a name to its Op."""

from __future__ import annotations

from s2sad.ir.op import Op

OPS: dict[str, Op] = {}


def register(op: Op) -> Op:
    """Add an op to the table and return it."""
    assert op.name not in OPS, f"op {op.name} is declared twice"
    OPS[op.name] = op
    return op
