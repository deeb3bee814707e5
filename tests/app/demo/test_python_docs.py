from __future__ import annotations

import ast
import subprocess
import sys
from enum import Enum
from pathlib import Path

import pytest

from app.demo import python_docs, python_objects, python_sources
from app.demo.described import Described

SOURCE = '''
"""A module."""
def dumps(obj, *, indent=None):
    """Turn an object into text."""
def _hidden():
    """Not shown."""
async def fetch(url: str) -> str:
    """Fetch a page."""
class Reader(object):
    """Reads rows."""
    def __init__(self, file, dialect="excel"):
        """Not shown either."""
    def read(self, count=1):
        """Read some rows."""
    @classmethod
    def of(cls, path):
        """A reader of a path."""
    @staticmethod
    def size(path):
        """Size of a file."""
    @functools.cached_property
    def rows(self):
        """All rows."""
'''


def test_a_source_gives_its_module_functions_classes_and_methods() -> None:
    found = list(python_sources.described_tree(ast.parse(SOURCE), "table", "table.py"))
    assert [(one.name, one.kind, one.signature) for one in found] == [
        ("table", "module", ""),
        ("table.dumps", "function", "(obj, *, indent=None)"),
        ("table.fetch", "function", "(url: str)"),
        ("table.Reader", "class", "(file, dialect='excel')"),
        ("table.Reader.read", "method", "(count=1)"),
        ("table.Reader.of", "method", "(path)"),
        ("table.Reader.size", "method", "(path)"),
        ("table.Reader.rows", "attribute", ""),
    ]
    assert found[1].doc == "Turn an object into text."
    assert {one.source for one in found} == {"table.py"}


def test_private_files_and_tests_of_a_package_are_passed_over(tmp_path: Path) -> None:
    for name in ("__init__.py", "__main__.py", "_speedups.py", "table.py", "test/test_table.py", "deep/leaf.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = [path.relative_to(tmp_path).as_posix() for path in python_sources.module_files(tmp_path)]
    assert found == ["__init__.py", "deep/leaf.py", "table.py"]
    assert python_sources.module_files(tmp_path / "no_such_module") == []


def test_reading_the_sources_imports_none_of_them() -> None:
    program = (
        "import sys; from app.demo.python_sources import described_sources; list(described_sources());"
        "print([name for name in ('webbrowser', 'gzip', 'xml.etree', 'configparser') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


class Colour(Enum):
    """A colour of a flag."""

    RED = 1

    def mixed(self, other: object = object()) -> None:
        """Mix two colours into a third."""


class Shade:
    def mixed(self) -> None:
        """Mix two shades into a third."""


class DarkShade(Shade):
    def mixed(self) -> None:
        pass


def test_signatures_show_neither_addresses_nor_self() -> None:
    found = {one.name: one for one in python_objects.described_class(Colour, "Colour", "x", vars(Colour))}
    assert found["Colour.mixed"].signature == "(other: 'object' = <object object>) -> 'None'"
    assert found["Colour.mixed"].kind == "method"
    assert python_objects.signature(dict.fromkeys) == "(iterable, value=None, /)"
    assert python_objects.bound_signature(vars(str)["zfill"], str.zfill) == "(width, /)"
    assert python_objects.bound_signature(vars(dict)["fromkeys"], dict.fromkeys) == "(iterable, value=None, /)"


def test_documentation_that_is_only_inherited_is_not_repeated() -> None:
    assert python_objects.own_doc(Shade.mixed) == "Mix two shades into a third."
    assert python_objects.own_doc(DarkShade.mixed) == ""


def test_a_module_that_this_python_lacks_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(python_objects, "MODULES", ("no_such_module", "zlib"))
    names = [one.name for one in python_objects.described_objects()]
    assert names[0] == "zlib"
    assert "zlib.crc32" in names


def test_short_and_repeated_strings_and_repeated_names_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    def found(name: str, doc: str) -> Described:
        return Described(name, "function", "(x)", doc, "here")

    objects = [found("set.union", "Return the union of sets."), found("frozenset.union", "Return the union of sets.")]
    sources = [found("short", "Too short this."), found("set.union", "Another text of many words.")]
    monkeypatch.setattr(python_docs, "described_objects", lambda: iter(objects))
    monkeypatch.setattr(python_docs, "described_sources", lambda: iter(sources))
    (document,) = python_docs.documents()
    assert (document.title, document.text) == ("set.union", "set.union(x)\n\nReturn the union of sets.")
    assert document.place(0) == "Python function"


@pytest.fixture(scope="module")
def titles() -> set[str]:
    return {document.title for document in python_docs.documents()}


@pytest.mark.parametrize(
    "name",
    [
        "len",
        "str.partition",
        "json.dumps",
        "random.sample",
        "os.path.join",
        "pathlib.Path.mkdir",
        "heapq.nlargest",
        "asyncio.gather",
        "re.sub",
        "datetime.date.isoweekday",
        "collections.Counter.most_common",
        "argparse",
    ],
)
def test_an_object_goes_by_the_name_that_programs_write(name: str, titles: set[str]) -> None:
    assert name in titles


def test_where_types_share_a_sentence_the_known_type_keeps_it(titles: set[str]) -> None:
    assert "set.union" in titles
    assert "frozenset.union" not in titles
