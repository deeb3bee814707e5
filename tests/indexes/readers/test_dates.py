from __future__ import annotations

import pytest

from indexes.readers.dates import iso_date


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("2024-03-07", "2024-03-07"),
        (" 2024-03-07T10:15:00Z", "2024-03-07"),
        ("2024-03-07 10:15", "2024-03-07"),
        ("1862", "1862"),
        (1862, "1862"),
        ("2023-02-29", ""),
        ("2024-13-01", ""),
        ("03/07/2024", ""),
        ("20240307", ""),
        ("2024-3-7", ""),
        ("yesterday", ""),
        ("", ""),
        (None, ""),
        ([2024], ""),
    ],
)
def test_only_unambiguous_real_dates_are_read(given: object, read: str) -> None:
    assert iso_date(given) == read
