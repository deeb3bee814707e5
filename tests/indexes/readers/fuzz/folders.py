"""Folders: links, names, pipes, and files that change."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.indexes.readers.fuzz.cases import Build, Case

SECRET = "SECRET OF ANOTHER FOLDER"


def cases() -> Iterator[Case]:
    """All of them."""
    builds: dict[str, Build] = {
        "a link to a file outside": _linked("outside/secret.txt", "a.txt"),
        "a link to a folder outside": _linked("outside", "below"),
        "a link by .. to a file outside": _linked("inside/../outside/secret.txt", "a.txt", relative=True),
        "a chain of links to outside": _chain,
        "a link to the system": lambda folder: _link(folder, Path("/etc"), "etc.txt"),
        "a link to a device": lambda folder: _link(folder, Path("/dev/zero"), "zero.txt"),
        "a link to itself": _itself,
        "links in a circle": _circle,
        "a link to a pipe": _link_to_pipe,
        "pipes": _pipes,
        "a socket": _socket,
        "very deep folders": _deep,
        "a folder that may not be listed": _closed_folder,
        "a file that may not be read": _closed_file,
        "a folder named as a file": lambda folder: _made(folder, {"a.txt/b.pdf/c.txt": b"words"}),
        "many files": lambda folder: _made(folder, {f"{n}.txt": b"words %d" % n for n in range(300)}),
        "the wrong suffix": lambda folder: _made(folder, {"a.pdf": b"PK\x03\x04", "b.docx": b"%PDF-1.4", "c.html": b"\x89PNG\x00", "d.csv": b"{}"}),
        "every suffix in capitals": lambda folder: _made(folder, {f"a.{s}": b"words" for s in ("TXT", "Md", "HTML", "CSV")}),
        "hidden files": lambda folder: _made(folder, {".a.txt": SECRET.encode(), ".b/c.txt": SECRET.encode(), "d.txt": b"words"}),
    }  # fmt: skip
    names = {
        "dots": "...txt", "dot dot": "..a.txt", "a backslash": "..\\..\\a.txt", "a line end": "a\nb.txt", "an escape": "a\x1b[31m.txt",
        "a quote": "a'b\".md", "a dollar": "$(reboot).html", "a space": " .csv", "emoji": "😀.txt", "right to left": "\u202etxt.exe.txt",
        "composed": "e\u0301.txt", "long": "n" * 251 + ".txt", "a percent sign": "%00%2e%2e.txt", "a dash": "-rf.md", "a star": "*.txt",
        "a tilde": "~a.txt", "a colon": "C:a.txt", "a tag": "\U000e0041.txt",
    }  # fmt: skip
    for label, name in names.items():
        builds[f"a name with {label}"] = _one(name.encode())
    for number, raw in enumerate((b"caf\xe9.txt", b"\xff\xfe.md", b"\xed\xa0\x80.csv", b"\xc0\xaf.html", b"a\x80.pdf")):
        builds[f"a name that is no UTF-8, {number}"] = _one(raw)
    builds["a folder whose name is no UTF-8"] = _one(b"caf\xe9/a.txt")
    for label, build in builds.items():
        yield Case("folders", label, build, heavy=label == "very deep folders")
    for label, during in _CHANGES.items():
        for suffix in ("txt", "md", "html", "csv", "jsonl"):
            yield Case(
                "changing", f"{label}: {suffix}", _three(suffix), heavy=suffix in {"csv", "jsonl"}, during=during
            )


def _made(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        path = folder / "inside" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder / "inside"


def _one(name: bytes) -> Build:
    def build(folder: Path) -> Path:
        return _made(folder, {os.fsdecode(name): b"text\nSome words of a file.\n", "own.txt": b"words"})

    return build


def _linked(target: str, name: str, *, relative: bool = False) -> Build:
    def build(folder: Path) -> Path:
        (folder / "outside").mkdir()
        (folder / "outside" / "secret.txt").write_text(SECRET)
        _made(folder, {"own.txt": b"words"})
        (folder / "inside" / name).symlink_to(Path("../" + target) if relative else folder / target)
        return folder / "inside"

    return build


def _link(folder: Path, target: Path, name: str) -> Path:
    _made(folder, {"own.txt": b"words"})
    (folder / "inside" / name).symlink_to(target)
    return folder / "inside"


def _chain(folder: Path) -> Path:
    inside = _linked("outside", "z")(folder)
    for number in range(5):
        (inside / f"{number}.txt").symlink_to(inside / (f"{number + 1}.txt" if number < 4 else "z/secret.txt"))
    return inside


def _itself(folder: Path) -> Path:
    return _link(folder, folder / "inside" / "a.txt", "a.txt")


def _circle(folder: Path) -> Path:
    _made(folder, {"own.txt": b"words"})
    (folder / "inside" / "a").symlink_to(folder / "inside")
    return _link(folder, Path("a/a/a/a"), "b")


def _link_to_pipe(folder: Path) -> Path:
    _made(folder, {"own.txt": b"words"})
    os.mkfifo(folder / "inside" / "pipe")
    return _link(folder, folder / "inside" / "pipe", "a.txt")


def _pipes(folder: Path) -> Path:
    _made(folder, {"own.txt": b"words"})
    for name in ("a.txt", "a.pdf", "a.docx", "a.md", "a.html", "a.csv", "a.jsonl", "queries.jsonl"):
        os.mkfifo(folder / "inside" / name)
    return folder / "inside"


def _socket(folder: Path) -> Path:
    _made(folder, {"own.txt": b"words"})
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.path.relpath(folder / "inside" / "a.txt"))
    return folder / "inside"


def _deep(folder: Path) -> Path:
    """1,500 folders, which the name of a path may just hold."""
    inside = _made(folder, {"own.txt": b"words"})
    here = os.open(inside, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    with os.fdopen(os.open("a.txt", os.O_WRONLY | os.O_CREAT, dir_fd=here), "w") as file:
        file.write("deep words")
    os.close(here)
    return inside


def _closed_folder(folder: Path) -> Path:
    inside = _made(folder, {"own.txt": b"words", "shut/a.txt": b"words"})
    (inside / "shut").chmod(0)
    return inside


def _closed_file(folder: Path) -> Path:
    inside = _made(folder, {f"a.{suffix}": b"words" for suffix in ("txt", "md", "pdf", "docx", "csv", "jsonl")})
    for path in inside.iterdir():
        path.chmod(0)
    return inside


def _three(suffix: str) -> Build:
    text = {"csv": b"id,text\n" + b"1,words\n" * 2000, "jsonl": b'{"text": "words"}\n' * 2000}.get(
        suffix, b"words. " * 2000
    )
    return lambda folder: _made(folder, {f"{name}.{suffix}": text for name in "abc"})


def _each(change: Callable[[Path], None]) -> Callable[[Path], None]:
    def during(folder: Path) -> None:
        for path in sorted(folder.iterdir()):
            change(path)

    return during


def _to_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _to_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _to_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/hostname/nowhere")


_CHANGES: dict[str, Callable[[Path], None]] = {
    "gone": _each(Path.unlink),
    "the folder gone": shutil.rmtree,
    "emptied": _each(lambda path: path.write_bytes(b"") and None),
    "cut": _each(lambda path: os.truncate(path, 100)),
    "grown": _each(lambda path: path.write_bytes(path.read_bytes() * 3) and None),
    "spoiled": _each(lambda path: path.write_bytes(b"\xff\x00" * 500) and None),
    "a pipe": _each(_to_pipe),
    "a folder": _each(_to_folder),
    "a broken link": _each(_to_link),
}
