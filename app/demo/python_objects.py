"""Documentation strings of modules written in C, and of packages that gather their names from private modules.

Their documentation is not in a source file of that name, so a fixed list of modules that are safe to import is asked.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

from app.demo.described import Described

# None of these has an effect when it is imported. One that this Python was built without is passed over.
MODULES = (
    "builtins", "asyncio", "bisect", "collections", "concurrent.futures", "csv", "datetime", "functools",
    "hashlib", "io", "itertools", "json", "math", "operator", "os", "os.path", "pathlib", "pickle", "random",
    "re", "signal", "sqlite3", "struct", "sys", "time", "tomllib", "unittest", "weakref", "zlib", "zoneinfo",
)  # fmt: skip

# Where two types share a sentence (``set.union``, ``frozenset.union``), the one that people know comes first.
KNOWN = ("str", "list", "dict", "set", "tuple", "int", "float", "bytes")

# Programs put functions of their own in these places.
HOOKS = frozenset({"breakpointhook", "displayhook", "excepthook", "unraisablehook"})

ADDRESS = re.compile(r" at 0x[0-9A-Fa-f]+")


def described_objects() -> Iterator[Described]:
    """Public modules, classes, functions and methods with a documentation string, in the order of ``MODULES``."""
    for name in MODULES:
        try:
            module = importlib.import_module(name)
        except ImportError:
            continue
        yield from described_module(module, name)


def described_module(module: ModuleType, name: str) -> Iterator[Described]:
    """The module, its public functions, then its public classes; objects of ``builtins`` go by their bare names.

    Functions come first because some are methods of a hidden instance: ``random.sample`` is what people write.
    """
    yield Described(name, "module", "", own_doc(module), name)
    prefix = "" if name == "builtins" else f"{name}."
    public = [key for key in getattr(module, "__all__", vars(module)) if not (key.startswith("_") or key in HOOKS)]
    classes = []
    for key in sorted(public, key=lambda key: (KNOWN.index(key) if key in KNOWN else len(KNOWN), key)):
        found = getattr(module, key, None)
        if inspect.isclass(found):
            classes.append((key, found))
        elif inspect.isroutine(found):
            yield Described(prefix + key, "function", signature(found), own_doc(found), name)
    for key, cls in classes:
        yield from described_class(cls, prefix + key, name, members(cls, frozenset(public)))


def members(cls: type, public: frozenset[str]) -> dict[str, Any]:
    """What a class defines itself or takes from bases of its package that have no public name of their own."""
    package = cls.__module__.split(".")[0]
    found: dict[str, Any] = {}
    for base in cls.__mro__:
        hidden = base.__module__.split(".")[0] == package and base.__name__ not in public
        if base is cls or (hidden and package != "builtins"):
            found = {**vars(base), **found}
    return {key: found[key] for key in sorted(found) if not key.startswith("_")}


def described_class(cls: type, name: str, source: str, defined: Mapping[str, Any]) -> Iterator[Described]:
    """The class, then those of its methods and attributes that carry their own documentation."""
    yield Described(name, "class", signature(cls), own_doc(cls), source)
    for key, member in defined.items():
        if inspect.isdatadescriptor(member):
            yield Described(f"{name}.{key}", "attribute", "", own_doc(member), source)
        elif inspect.isroutine(found := getattr(cls, key)):
            yield Described(f"{name}.{key}", "method", bound_signature(member, found), own_doc(found), source)


def own_doc(found: Any) -> str:  # noqa: ANN401 - any object can carry documentation
    """The documentation string of the object itself, dedented; what it would inherit is described elsewhere."""
    doc = getattr(found, "__doc__", None)
    return inspect.cleandoc(doc).strip() if isinstance(doc, str) else ""


def signature(found: Any) -> str:  # noqa: ANN401 - classes and every kind of routine
    """Parameters as Python shows them, without memory addresses; empty where Python does not know them."""
    try:
        return ADDRESS.sub("", str(inspect.signature(found)))
    except (ValueError, TypeError):
        return ""


def bound_signature(member: object, found: Any) -> str:  # noqa: ANN401 - every kind of routine
    """The signature of a method as one calls it: without ``self``, which other methods do not show."""
    written = signature(found)
    if isinstance(member, staticmethod | classmethod):
        return written
    return re.sub(r"^\((?:self|cls)(?:, /)?(?:, )?", "(", written)
