"""Loops whose trips run in several threads: which they are, and their bodies as functions."""
