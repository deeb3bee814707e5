"""The rules of the house that a linter does not know."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("indexes", "retrievers", "generators", "app")
MAY_IMPORT = {
    **{room: set(ROOMS[: place + 1]) for place, room in enumerate(ROOMS)},
    "app": {*ROOMS, "evaluation", "data"},
    "evaluation": {"evaluation"},
    "data": {"data"},
}
HEAVY = {
    "torch",
    "transformers",
    "sentence_transformers",
    "llama_index",
    "streamlit",
    "qdrant_client",
    "pandas",
    "scipy",
    "sklearn",
    "onnx",
    "onnxruntime",
    "mteb",
    "yaml",
}
PAGES = "app/chat/"  # run by Streamlit and by nothing else
LONGEST = 500
PATHS = re.compile(r"(?<![\w.~})/-])/(?:work|tmp|root|opt)(?![\w-])")
REGISTRIES = re.compile(
    r"pypi\.org|pythonhosted\.org|huggingface\.co|hf\.co/|artif[a]ctory|ne[x]us|(?:extra-)?index-url[= ]http",
    re.IGNORECASE,
)
SOURCES = sorted(path for room in MAY_IMPORT for path in (ROOT / room).rglob("*.py"))
IMPORT_ALL = """
import importlib, sys
for name in sys.argv[2:]:
    importlib.import_module(name)
print(*sorted(set(sys.argv[1].split(",")) & {name.split(".")[0] for name in sys.modules}))
"""


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imported(node: ast.AST) -> Iterator[str]:
    """Full names of what a statement imports: modules, and with ``from`` what is taken from them."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def at_import(node: ast.AST) -> Iterator[ast.AST]:
    """Whatever runs when a module is imported: all but function bodies and what only type checkers read."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(child, ast.If) and ast.unparse(child.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}:
            continue
        yield child
        yield from at_import(child)


def heavy_at_import(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {name.split(".")[0] for node in at_import(tree) for name in imported(node)} & HEAVY


def tracked() -> list[Path]:
    """All files that git would keep, those that are still to be added included."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is no git checkout")
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def matches(pattern: re.Pattern[str]) -> list[str]:
    """Lines of tracked files that match, with their places."""
    found = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        lines = enumerate(text.splitlines(), start=1)
        found += [f"{name_of(path)}:{number}: {line.strip()}" for number, line in lines if pattern.search(line)]
    return found


def test_all_rooms_are_there() -> None:
    assert {name_of(path).split("/")[0] for path in SOURCES} == set(MAY_IMPORT)


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_imports_only_from_rooms_to_its_left(room: str) -> None:
    wrong = []
    for path in (ROOT / room).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            relative = isinstance(node, ast.ImportFrom) and node.level > 0
            others = {
                name for name in imported(node) if name.split(".")[0] in {*MAY_IMPORT, "tests"} - MAY_IMPORT[room]
            }
            if room == "evaluation":
                others = {name for name in others if not name.startswith("indexes.errors.")}
            if relative or others:
                wrong.append(f"{name_of(path)}:{getattr(node, 'lineno', 0)}: {ast.unparse(node)}")
    assert wrong == []


def test_heavy_libraries_are_imported_where_they_are_used() -> None:
    wrong = {name_of(path): heavy for path in SOURCES if (heavy := heavy_at_import(path))}
    assert {
        name: heavy for name, heavy in wrong.items() if not (name.startswith(PAGES) and heavy == {"streamlit"})
    } == {}


def test_importing_every_module_loads_no_heavy_library() -> None:
    plain = [path for path in SOURCES if path.stem != "__main__" and not name_of(path).startswith(PAGES)]
    modules = [name_of(path).removesuffix(".py").replace("/", ".").removesuffix(".__init__") for path in plain]
    assert len(modules) > 50
    command = [sys.executable, "-c", IMPORT_ALL, ",".join(sorted(HEAVY)), *modules]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


def test_no_source_prints() -> None:
    wrong = [
        f"{name_of(path)}:{node.lineno}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert wrong == []


def test_no_file_is_too_long() -> None:
    lengths = {
        name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in tracked() if path.suffix == ".py"
    }
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}


def test_no_file_names_a_path_of_one_machine() -> None:
    assert matches(PATHS) == []


def test_no_file_names_a_registry() -> None:
    assert matches(REGISTRIES) == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("cd /" + "tmp/x", True),
        ('"/' + 'root"', True),
        ("a/" + "tmp/b", False),
        ("{home}/opt", False),
        ("/options", False),
    ],
)
def test_paths_are_told_from_parts_of_paths(line: str, found: bool) -> None:
    assert bool(PATHS.search(line)) == found
