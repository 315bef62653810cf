"""Derivatives as `Function -> Function`: forward mode, reverse mode, and its two halves."""
