"""Lowering: array operations to scalar loop nests, for compiled execution."""

from s2sad.lowering.loops import lower

__all__ = ["lower"]
