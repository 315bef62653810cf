"""Passes over lowered functions: what makes loop nests fast, and keeps their meaning."""
