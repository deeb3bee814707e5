"""Documentation strings of pure-Python modules, read from their source files; no module is imported."""

from __future__ import annotations

import ast
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from app.demo.described import Described

# Modules and packages that people ask about; one that this Python lacks is passed over. Of ``logging``, only the
# package itself.
MODULES = (
    "abc", "argparse", "base64", "calendar", "configparser", "contextlib", "copy", "dataclasses", "difflib",
    "email.message", "email.utils", "enum", "filecmp", "fnmatch", "fractions", "getpass", "glob", "graphlib",
    "gzip", "heapq", "hmac", "html", "http.client", "inspect", "ipaddress", "logging.__init__", "pprint",
    "queue", "reprlib", "secrets", "shelve", "shlex", "shutil", "statistics", "string", "subprocess", "tarfile",
    "tempfile", "textwrap", "threading", "timeit", "traceback", "typing", "urllib.error", "urllib.parse",
    "urllib.request", "uuid", "warnings", "webbrowser", "xml.etree.ElementTree", "zipfile",
)  # fmt: skip

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def described_sources() -> Iterator[Described]:
    """Public modules, functions, classes and methods with a documentation string, in the order of ``MODULES``."""
    root = Path(sysconfig.get_path("stdlib"))
    for module in MODULES:
        for path in module_files(root.joinpath(*module.split("."))):
            parts = path.relative_to(root).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            tree = ast.parse(path.read_text(encoding="utf-8"))
            yield from described_tree(tree, name, path.relative_to(root).as_posix())


def module_files(place: Path) -> list[Path]:
    """Source files of the module or package at ``place`` (a path without suffix), private ones and tests left out."""
    if place.is_dir():
        below = (path for path in place.rglob("*.py") if path.name != "__main__.py")
        return sorted(path for path in below if not is_hidden(path.relative_to(place).parts))
    file = place.with_suffix(".py")
    return [file] if file.is_file() else []


def is_hidden(parts: tuple[str, ...]) -> bool:
    """True if one of the parts of a path is private or holds tests."""
    return any((part.startswith("_") and part != "__init__.py") or part in {"test", "tests"} for part in parts)


def described_tree(tree: ast.Module, module: str, source: str) -> Iterator[Described]:
    """The module itself, then what it defines at its top level and in its public classes."""
    yield Described(module, "module", "", (ast.get_docstring(tree) or "").strip(), source)
    yield from described_body(tree.body, module, "function", source)


def described_body(body: list[ast.stmt], prefix: str, kind: str, source: str) -> Iterator[Described]:
    """Public definitions in ``body``; ``kind`` says what a function is there."""
    for node in body:
        if not isinstance(node, Definition) or node.name.startswith("_"):
            continue
        name = f"{prefix}.{node.name}"
        doc = (ast.get_docstring(node) or "").strip()
        if isinstance(node, ast.ClassDef):
            yield Described(name, "class", class_signature(node), doc, source)
            yield from described_body(node.body, name, "method", source)
        else:
            called = "" if is_property(node) else function_signature(node, bound=kind == "method")
            yield Described(name, kind if called else "attribute", called, doc, source)


def class_signature(node: ast.ClassDef) -> str:
    """The parameters of the class's own ``__init__``, or an empty string."""
    for child in node.body:
        if isinstance(child, ast.FunctionDef) and child.name == "__init__":
            return function_signature(child, bound=True)
    return ""


def is_property(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """True if the function computes an attribute, which is read without parentheses."""
    names = {ast.unparse(decorator).rsplit(".", 1)[-1] for decorator in node.decorator_list}
    return not names.isdisjoint({"property", "cached_property"})


def function_signature(node: ast.FunctionDef | ast.AsyncFunctionDef, *, bound: bool) -> str:
    """Parameters as written in the source; ``self`` or ``cls`` is left out where ``bound``."""
    written = ast.unparse(node.args)
    if bound:
        first, _, rest = written.partition(", ")
        written = rest if first in {"self", "cls", "klass"} else written
    return f"({written})"
