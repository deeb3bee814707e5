from __future__ import annotations

import pytest

from indexes.unspaced import spaced


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", []),
        ("plain words", ["plain", "words"]),
        ("naïve Отпуск الإشعار अवधि", ["naïve", "Отпуск", "الإشعار", "अवधि"]),
        ("中", ["中"]),
        ("通知期限", ["通知", "知期", "期限"]),
        ("第3章、終わり。", ["第", "3", "章", "、", "終わ", "わり", "。"]),
        ("サル", ["サル"]),
        ("เดือน", ["เดื", "ดือ", "ือน"]),
        ("𠮷野家", ["𠮷野", "野家"]),
        ("통지 기간은", ["통지", "기간은"]),
    ],
)
def test_scripts_without_spaces_are_cut_into_overlapping_parts(text: str, parts: list[str]) -> None:
    assert spaced(text).split() == parts
