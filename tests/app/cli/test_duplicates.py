from __future__ import annotations

from typing import Any


def test_duplicates_are_listed_with_where_they_stand(run: Any, symposium: Any) -> None:
    ended = run("duplicates", "birds", "--least", "0.9")
    assert (ended.code, symposium.asked) == (0, [{"expert": "birds", "least": 0.9}])
    lines = ended.out.splitlines()
    assert lines[0] == (
        "birds: of 1,200 passages, 5 say one of 1 texts that several documents have; 1 pairs are nearly the same"
    )
    assert lines[1:4] == [
        "The same",
        "places  text         in",
        "5       Said again.  One, 2.txt, 3.txt and 2 more",
    ]
    assert lines[-1].split() == ["0.91", "One", "2.txt"]


def test_duplicates_as_json_are_complete(run: Any, symposium: Any) -> None:
    document = run("duplicates", "birds", "--json").document
    assert (document["expert"], document["passages"], len(document["exact"][0]["places"])) == ("birds", 1200, 5)
    assert document["near"][0]["second"]["source"] == "2.txt"
