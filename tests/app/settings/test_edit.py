from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from app.settings.edit import set_in_file
from indexes.errors import SettingsError

URL = "http://localhost:6333"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", f'[store]\nurl = "{URL}"\n'),
        ('home = "h"\n', f'home = "h"\n\n[store]\nurl = "{URL}"\n'),
        ("[store]\ntimeout = 5.0\n", f'[store]\nurl = "{URL}"\ntimeout = 5.0\n'),
        ('[store]\nurl = "old"  # where\n', f'[store]\nurl = "{URL}"  # where\n'),
        ("[store]\nurl = 'a # b' # c\n", f'[store]\nurl = "{URL}"  # c\n'),
        (
            '[other]\nurl = "x"\n[store] # here\n# url = "no"\n',
            f'[other]\nurl = "x"\n[store] # here\nurl = "{URL}"\n# url = "no"\n',
        ),
        ('[store]\napi_key = "k"\n[split]\nsize = 5', f'[store]\nurl = "{URL}"\napi_key = "k"\n[split]\nsize = 5\n'),
    ],
)
def test_one_line_changes_and_all_else_stays(tmp_path: Path, before: str, after: str) -> None:
    file = tmp_path / "symposia.toml"
    file.write_text(before)
    set_in_file(file, "store", "url", URL)
    assert file.read_text() == after
    assert tomllib.loads(file.read_text())["store"]["url"] == URL


def test_a_file_is_made_for_its_owner_alone_and_a_mode_is_kept(tmp_path: Path) -> None:
    made, kept = tmp_path / "a.toml", tmp_path / "b.toml"
    kept.write_text("")
    kept.chmod(0o640)
    for file in (made, kept):
        set_in_file(file, "store", "url", URL)
    assert [file.stat().st_mode & 0o777 for file in (made, kept)] == [0o600, 0o640]


@pytest.mark.parametrize(
    "text", ['store.url = "x"\n', 'store = { url = "x" }\n', "no toml", '[store]\nurl = """\nx"""\n']
)
def test_what_cannot_be_changed_for_certain_is_left_and_said(tmp_path: Path, text: str) -> None:
    file = tmp_path / "symposia.toml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=r'\[store\] url = "http://localhost:6333"'):
        set_in_file(file, "store", "url", URL)
    assert file.read_text() == text


def test_a_quote_in_a_value_is_escaped(tmp_path: Path) -> None:
    file = tmp_path / "symposia.toml"
    set_in_file(file, "store", "url", 'a"b\\c\nd')
    assert tomllib.loads(file.read_text())["store"]["url"] == 'a"b\\c\nd'
