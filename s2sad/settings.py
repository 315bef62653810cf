"""What can be switched from outside, read once from the environment.

| variable | meaning |
|---|---|
| S2SAD_DEBUG=1 | one line per pass on stderr: name, milliseconds, instructions before and after |
| S2SAD_DEBUG=2 | and the IR of the primal and the emitted source |
| S2SAD_DEBUG=3 | and a diff of the IR after each pass that changed it |
| S2SAD_DUMP=dir | numbered files of every stage of every compilation in `dir` |
| S2SAD_CACHE=dir | where compiled kernels are kept between processes; 0: nowhere |
| S2SAD_KEEP=n | MiB of memory that compiled code may keep for its next call, per thread (default 128) |
| S2SAD_THREADS=n | how many threads `jit="parallel"` uses (default 0: as many as there are processors) |
| S2SAD_GRAIN=n | operations that a loop has to make for threads to share it (default 4000000) |
| S2SAD_VERIFY=0, 1, 2 | check the IR never, after each pass (default), or also against the interpreter |
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields

from s2sad.record import dataclass


@dataclass(slots=True)
class Settings:
    """The settings of this process; the one mutable global of the package."""

    debug: int = 0
    dump: str = ""
    verify: int = 1
    keep: int = 128
    threads: int = 0
    grain: int = 4_000_000
    cache: str = ""

    @property
    def is_watching(self) -> bool:
        """True if each compilation is to be seen whole, whatever others have made before."""
        return bool(self.debug or self.dump or self.verify > 1)

    @contextmanager
    def override(self, **changes: int | str) -> Iterator[Settings]:
        """Change settings for the duration of a `with` block."""
        before = {name: getattr(self, name) for name in changes}
        try:
            for name, value in changes.items():
                setattr(self, name, value)
            yield self
        finally:
            for name, value in before.items():
                setattr(self, name, value)


def read(environ: dict[str, str]) -> Settings:
    """Return the settings given by environment variables S2SAD_*; values that are no number count
    as the default."""
    found = Settings()
    for field in fields(Settings):
        text = environ.get("S2SAD_" + field.name.upper(), "")
        if field.name in ("dump", "cache"):
            setattr(found, field.name, text)
        elif text.strip().isdecimal():
            setattr(found, field.name, int(text))
    return found


settings = read(dict(os.environ))
