"""Lowering: array operations to scalar loop nests, for compiled execution."""
