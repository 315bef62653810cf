"""The folder where compiled kernels are kept between processes.

Machine code, and a plan that leads to it, is a file named by all that it depends on, with a sum of its bytes
before it. Of what Numba
compiles the lowered module is a file; Numba keeps the machine code beside it, and knows for which CPU it is.
Files are written once and never changed: processes may share the folder.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from s2sad.settings import settings

SUM = hashlib.sha256().digest_size
PACKAGES = ("numpy", "numba", "llvmlite", "scipy")


def folder() -> Path:
    """Return the folder: $S2SAD_CACHE if set, else `s2sad` in the user's folder for caches."""
    if settings.cache:
        return Path(settings.cache).expanduser()
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or "~/AppData/Local"
    elif sys.platform == "darwin":
        base = "~/Library/Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "s2sad"


def is_on() -> bool:
    """True unless S2SAD_CACHE is 0."""
    return settings.cache != "0"


def file_for(text: str, name: str) -> Path | None:
    """Return the file that holds a lowered module, written if need be; None where there is no cache."""
    if not is_on():
        return None
    digest = hashlib.sha256(f"{_versions()}\n{text}".encode()).hexdigest()[:24]
    try:
        where = folder()
        where.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = where / f"{name[:40]}_{digest}.py"
        if not path.exists():
            _write(path, text.encode())
    except OSError:
        return None
    return path


def key(text: str, name: str, suffix: str = ".bin") -> str:
    """Return the name under which the machine code of a text is kept, or with another suffix a plan."""
    return f"{name[:40]}_{hashlib.sha256(f'{_platform()}{text}'.encode()).hexdigest()[:24]}{suffix}"


def read(name: str) -> bytes | None:
    """Return the bytes that are kept under a name; None where there are none, or they are damaged."""
    if not is_on():
        return None
    try:
        found = (folder() / name).read_bytes()
    except OSError:
        return None
    sum_of, content = found[:SUM], found[SUM:]
    return content if hashlib.sha256(content).digest() == sum_of else None


def keep(name: str, content: bytes) -> None:
    """Keep bytes, where that is possible."""
    if not is_on():
        return
    with contextlib.suppress(OSError):
        where = folder()
        where.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(where / name, hashlib.sha256(content).digest() + content)


def _write(path: Path, content: bytes) -> None:
    # in one step: another process sees all of it or nothing
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


@functools.cache
def _platform() -> str:
    # the C library too: a kernel refers to its SIMD functions by name
    return "\n".join((sys.version, platform.machine(), *platform.libc_ver()))


@functools.cache
def _versions() -> str:
    found = [_platform()]
    found += [f"{name} {_version(name)}" for name in PACKAGES]
    emit = Path(__file__).parent.parent / "emit"  # what compiled code is made of beside its text
    for path in sorted(emit.glob("numba*.py")):
        found.append(hashlib.sha256(path.read_bytes()).hexdigest())
    return "\n".join(found)


def _version(name: str) -> str:
    # importlib.metadata takes as long to import as all of these to be asked
    try:
        return str(importlib.import_module(name).__version__)
    except ImportError:
        return ""


def forget(path: Path) -> None:
    """Remove what is kept of one module."""
    for kept in (path, *path.parent.glob(f"__pycache__/{path.stem}.*")):
        with contextlib.suppress(OSError):
            kept.unlink()


def kept() -> Iterator[tuple[Path, int]]:
    """Yield the files that are kept, with their sizes in bytes: a module with what Numba keeps beside it."""
    where = folder()
    files = [p for p in where.glob("*_*") if p.suffix in (".py", ".bin", ".plan")] if where.is_dir() else []
    for path in sorted(files):
        parts = (path, *where.glob(f"__pycache__/{path.stem}.*"))
        yield path, sum(p.stat().st_size for p in parts)


def clear() -> int:
    """Remove all that is kept; return how many files there were."""
    found = list(kept())
    for path, _ in found:
        forget(path)
    shutil.rmtree(folder() / "__pycache__", ignore_errors=True)
    return len(found)
