"""The errors a user can see, each with a code, a place, a reason and what to write instead.

S2sadError
├── UnsupportedSyntax    S1xx  a Python construct outside the subset
├── UnsupportedOp        S2xx  a function, method or argument without a rule
├── TypeMismatch         S3xx  dtypes, ranks, shapes or structures that do not fit
├── NotDifferentiable    S4xx  a derivative that does not exist or would be wrong
└── InternalError        S9xx  a defect of s2sad itself: please report
"""

from __future__ import annotations

import linecache

from s2sad.record import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """A place in the user's source: file as shown to people, 1-based line, 0-based column."""

    file: str
    line: int
    col: int = 0
    path: str = ""  # where linecache finds the text, if it differs from `file`

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"

    @property
    def text(self) -> str:
        """Return the source line without its newline, or an empty string."""
        return linecache.getline(self.path or self.file, self.line).rstrip("\n")


class S2sadError(Exception):
    """Base of all errors raised by s2sad; `code`, `origin`, `why` and `instead` are attributes."""

    def __init__(self, code: str, why: str, instead: str = "", origin: Origin | None = None):
        self.code, self.why, self.instead, self.origin = code, why, instead, origin
        super().__init__(self.render())

    def render(self) -> str:
        """Return the message: place, code and reason; the line with a caret; what to write."""
        lines = []
        if self.origin is None:
            lines.append(f"{self.code} {self.why}")
        else:
            lines.append(f"{self.origin}:{self.origin.col + 1}: {self.code} {self.why}")
            text = self.origin.text
            if text.strip():
                indent = len(text) - len(text.lstrip())
                lines.append("    " + text.strip())
                lines.append("    " + " " * max(0, self.origin.col - indent) + "^")
        if self.instead:
            lines.append("  " + self.instead)
        return "\n".join(lines)

    def located(self, origin: Origin | None) -> S2sadError:
        """Return self, placed at `origin` unless it already has a place."""
        if self.origin is None and origin is not None:
            self.origin = origin
            self.args = (self.render(),)
        return self

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.code, self.why, self.instead, self.origin)


class UnsupportedSyntax(S2sadError):
    """A Python construct that s2sad does not read (S1xx)."""


class UnsupportedOp(S2sadError):
    """A function, method or argument that has no rule (S2xx)."""


class TypeMismatch(S2sadError, TypeError):
    """Types, ranks, shapes or structures that do not fit (S3xx). `needs_rank` is an argument's leaf and the
    rank that it would have to have, where that is what does not fit."""

    needs_rank: tuple[str, int] | None = None


class NotDifferentiable(S2sadError):
    """A derivative that does not exist, or that s2sad would get wrong (S4xx)."""


class InternalError(S2sadError):
    """A defect of s2sad (S9xx); please report it with the program."""
