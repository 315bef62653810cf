"""Floors, file sizes and public names of the package."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import s2sad

ROOT = Path(s2sad.__file__).parent
FLOORS = {
    "errors": -1,
    "late": -1,
    "record": -1,
    "settings": -1,
    "ir": 0,
    "ops": 1,
    "analysis": 2,
    "passes": 3,
    "frontend": 4,
    "transforms": 4,
    "lowering": 4,
    "emit": 4,
    "machine": 4,
    "driver": 5,
    "explain": 6,
    "derivative": 6,
    "jacobian": 6,
    "sparse": 6,
    "api": 6,
    "custom": 6,
    "solvers": 6,
    "implicit": 6,
    "ode": 6,
    "pytrees": 6,
    "differences": 6,
    "report": 6,
    "testing": 7,
    "target": 7,
    "example": 7,
    "opinfo": 6,
    "cli": 7,
    "__main__": 8,
    "__init__": 8,
}
SIBLINGS = ("frontend", "transforms", "lowering", "emit", "machine")
OPTIONAL = {"numba", "llvmlite", "scipy"}
# where optional packages are imported when they are needed
LAZY = {
    f"emit/{name}.py"
    for name in (
        "numba",
        "numba_library",
        "numba_linalg",
        "numba_math",
        "numba_eigh",
        "numba_solve",
        "numba_special",
        "numba_symbols",
    )
} | {f"machine/{name}.py" for name in ("binary", "cholesky", "factors", "lapack")}
MODULES = sorted(ROOT.rglob("*.py"))
HARD_LIMIT = 500


def part_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports(tree: ast.AST) -> list[tuple[str, int, bool]]:
    """Return (module, line, is inside a function) of every import."""
    found = []

    def visit(node: ast.AST, inside: bool) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                found.extend((alias.name, child.lineno, inside) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                assert child.level == 0, f"relative import in line {child.lineno}"
                names = [f"{child.module}.{alias.name}" for alias in child.names]
                is_package = child.module == "s2sad"
                found.extend((n if is_package else child.module or "", child.lineno, inside) for n in names)
            within = inside or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            visit(child, within)

    visit(tree, False)
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_go_down(path: Path) -> None:
    here = part_of(path)
    for module, line, inside in imports(ast.parse(path.read_text())):
        place = f"{path.relative_to(ROOT)}:{line} imports {module}"
        assert not inside, f"{place} inside a function"
        assert module.split(".")[0] not in OPTIONAL or str(path.relative_to(ROOT)) in LAZY, place
        if not module.startswith("s2sad"):
            continue
        assert here != "runtime", f"{place}: the runtime is an island"
        there = module.split(".")[1]
        assert there != "runtime", f"{place}: only emitted code imports the runtime"
        if here != there:
            assert not (here in SIBLINGS and there in SIBLINGS), f"{place}: siblings"
            assert FLOORS[there] <= FLOORS[here], f"{place}: upwards"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_files_fit_in_a_head(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= HARD_LIMIT


def test_every_part_has_a_floor() -> None:
    assert {part_of(p) for p in MODULES} - {"runtime"} == set(FLOORS)


def test_public_names() -> None:
    tree = ast.parse((ROOT / "__init__.py").read_text())
    imported = {a.name for node in tree.body if isinstance(node, ast.ImportFrom) for a in node.names}
    imported -= {"annotations"}
    assert set(s2sad.__all__) == imported | {"__version__"}
    assert list(s2sad.__all__) == sorted(s2sad.__all__)
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
                names = ast.literal_eval(node.value)
                defined = top_level_names(ast.parse(path.read_text()))
                assert set(names) <= defined, f"{path}: {set(names) - defined}"


def top_level_names(tree: ast.Module) -> set[str]:
    found = set()
    for node in tree.body:
        match node:
            case ast.FunctionDef() | ast.ClassDef():
                found.add(node.name)
            case ast.Import() | ast.ImportFrom():
                found |= {a.asname or a.name for a in node.names}
            case ast.Assign():
                found |= {n.id for t in node.targets for n in ast.walk(t) if isinstance(n, ast.Name)}
            case ast.AnnAssign():
                found.add(getattr(node.target, "id", ""))
    return found


def test_optional_packages_are_imported_in_one_place() -> None:
    dynamic = {str(p.relative_to(ROOT)) for p in MODULES if "import_module" in p.read_text()}
    by_need = {
        "late.py",
        "driver/native.py",
        "driver/store.py",
        "emit/numba.py",
        "machine/lapack.py",
        "machine/library.py",
    }
    by_need |= {
        f"ops/{name}.py" for name in ("optimize", "sparse", "special", "special_c", "support", "triangular")
    }
    assert dynamic == {
        *by_need,
        "sparse.py",
        "target.py",
        "opinfo.py",
    }  # the file of a user; SciPy, to list it


def test_no_forbidden_files() -> None:
    names = {p.stem for p in MODULES}
    assert not names & {"utils", "helpers", "common", "misc"}
