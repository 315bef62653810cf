"""What the command line works on: functions of a file, imported as a module of its package."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from s2sad.driver.program import peel
from s2sad.ir.transformed import record_of
from s2sad.record import dataclass

EMITTED = ("grad", "value_and_grad", "jvp", "vjp", "hvp")


@dataclass(frozen=True)
class Target:
    """A function to work on, and the derivative that its decorator asks for."""

    name: str
    function: Callable[..., Any]
    namespace: dict[str, Any]
    mode: str = "vjp"
    argnums: int | tuple[int, ...] = ()
    has_aux: bool = False

    @property
    def parameters(self) -> list[str]:
        """The names of the parameters, in order."""
        return list(inspect.signature(self.function).parameters)


def load_target(text: str) -> list[Target]:
    """Return the function `FILE::FUNC`, or for `FILE` every function decorated with a transform."""
    path, _, name = text.partition("::")
    module = import_file(Path(path))
    if name:
        found: Any = module
        for part in name.split("."):
            found = getattr(found, part, None)
        if not callable(found):
            raise ValueError(f"{path} has no function {name!r}")
        return [target(name, found, vars(module))]
    decorated = [
        target(key, value, vars(module))
        for key, value in vars(module).items()
        if (record := record_of(value)) is not None
        and record.function is not None
        and peel(value)[0].__module__ == module.__name__
    ]
    if not decorated:
        raise ValueError(f"{path} has no function decorated with an s2sad transform: name one, {path}::f")
    return decorated


def target(name: str, found: Any, namespace: dict[str, Any]) -> Target:
    """Return the target for an object: a plain function, or what a transform made of one."""
    record = record_of(found)
    if record is None or record.function is None:
        return Target(name, found, namespace)
    if record.kind in EMITTED:
        return Target(name, record.function, namespace, record.kind, record.argnums, record.has_aux)
    if record.kind in ("jacfwd", "hessian"):
        kind = "jvp" if record.kind == "jacfwd" else "hvp"
        return Target(name, record.function, namespace, kind, record.argnums, record.has_aux)
    return Target(name, record.function, namespace, "vjp", record.argnums if "jac" in record.kind else ())


def import_file(path: Path) -> ModuleType:
    """Return the module of a file, imported by its name inside its package."""
    if not path.is_file():
        raise ValueError(f"there is no file {path}")
    path = path.resolve()
    parts = [path.stem]
    root = path.parent
    while (root / "__init__.py").exists():
        parts.insert(0, root.name)
        root = root.parent
    if parts[-1] == "__init__":
        parts.pop()
    name = ".".join(parts)
    loaded = sys.modules.get(name)
    if loaded is not None and Path(getattr(loaded, "__file__", None) or "").resolve() != path:
        raise ValueError(f"{path.name} has the name of the module {name}, which is another file: rename it")
    sys.path.insert(0, str(root))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(root))
