from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.bench.retrieval.indexing import index
from app.bench.retrieval.sets import Questions, build, passages_by_key, questions_of
from app.wiring import make_panel
from indexes.errors import InputError
from retrievers.panel import Panel
from tests.app.beir_folders import judge, write_set
from tests.app.bench.retrieval.conftest import settings_at
from tests.fakes import TOPICS, WordEncoder

SETTINGS = settings_at(Path("unused"))


@pytest.fixture
def panel(tmp_path: Path, words: WordEncoder) -> Iterator[Panel]:
    panel = make_panel(settings_at(tmp_path / "home"), tmp_path / "slices")
    yield panel
    panel.close()


def silent(*_: object) -> None:
    """Report nothing."""


def append(folder: Path, *lines: str) -> None:
    with (folder / "corpus.jsonl").open("a") as file:
        file.writelines(line + "\n" for line in lines)


def test_empty_records_are_left_out_and_counted_be_they_ever_so_many(
    panel: Panel, tmp_path: Path, words: WordEncoder
) -> None:
    folder = write_set(tmp_path / "orchard", "orchard")
    append(folder, *(json.dumps({"_id": f"e{n}", "title": "", "text": ""}) for n in range(30)), "")
    append(folder, '{"_id": "t", "title": "A title alone", "text": ""}')
    steps: list[tuple[int, int]] = []
    assert index(panel, SETTINGS, folder, lambda _what, done, total: steps.append((done, total))) == 30
    assert sorted(passages_by_key(panel, "orchard")) == [*(f"d{n}" for n in range(8)), "t"]
    assert steps[-1] == (9, 9)
    assert index(panel, SETTINGS, folder, silent) == 30
    assert words.passages == 9


@pytest.mark.parametrize(
    ("line", "problem"),
    [("{", "line 9: is not JSON"), ('{"_id": "x"}', "line 9: has no `text`"), ('{"text": 3}', "is int, not a string")],
)
def test_a_malformed_record_is_an_error_and_nothing_is_indexed(
    panel: Panel, tmp_path: Path, words: WordEncoder, line: str, problem: str
) -> None:
    folder = write_set(tmp_path / "orchard", "orchard")
    append(folder, line, '{"_id": "e", "title": "", "text": ""}')
    with pytest.raises(InputError, match=f"1 records of .*corpus.jsonl cannot be read; the first: .*{problem}"):
        index(panel, SETTINGS, folder, silent)
    assert (words.passages, panel.experts) == (0, {})


def test_a_folder_without_test_judgements_is_an_error_before_anything_is_indexed(
    panel: Panel, tmp_path: Path, words: WordEncoder
) -> None:
    folders = [write_set(tmp_path / "a", "orchard"), write_set(tmp_path / "b", "engines", ("train",))]
    with pytest.raises(InputError, match=r"b has no qrels/test\.tsv") as caught:
        build(panel, SETTINGS, folders, silent)
    assert caught.value.fix == "Splits it has: train."
    with pytest.raises(InputError, match="There is no folder"):
        build(panel, SETTINGS, [tmp_path / "nowhere"], silent)
    assert words.passages == 0


def test_two_folders_of_one_name_are_an_error(panel: Panel, tmp_path: Path) -> None:
    folders = [write_set(tmp_path / place / "same", topic) for place, topic in (("x", "orchard"), ("y", "engines"))]
    with pytest.raises(InputError, match="same name: same, same"):
        build(panel, SETTINGS, folders, silent)


def test_a_set_has_the_questions_that_its_folder_judges(
    panel: Panel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = [write_set(tmp_path / "a", "orchard", ("dev", "test")), write_set(tmp_path / "b", "engines", ("test",))]
    monkeypatch.chdir(tmp_path / "b")
    one, two = build(panel, SETTINGS, [folders[0], Path()], silent)  # by whatever path, the folder's name is the set's
    assert (one.name, two.name) == ("a", "b")
    assert (one.dev is None, one.train, two.dev, two.train) == (False, None, None, None)
    assert one.test.expert == "a"
    assert one.test.ids == tuple(f"q{n}-3" for n in range(8))
    slice_ = panel.experts["a"].slice
    [passage] = slice_.passages(list(one.test.relevant[5]))
    assert passage.text == TOPICS["orchard"][5]
    assert not list(slice_.folder.glob("learned.npz"))


def test_a_relevant_document_that_is_not_there_stays_relevant(panel: Panel, tmp_path: Path) -> None:
    folder = write_set(tmp_path / "orchard", "orchard")
    index(panel, SETTINGS, folder, silent)
    lines = "q0-3\td0\t2\nq0-3\tgone\t1\n"
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n" + lines)
    ids = passages_by_key(panel, "orchard")
    found = questions_of(folder, "test", ids)
    assert found.relevant == ({ids["d0"][0]: 2, "missing gone": 1},)
    assert found.qrels == {"q0-3": found.relevant[0]}


def test_a_long_document_is_relevant_in_each_of_its_passages(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "orchard", "orchard")
    found = questions_of(folder, "test", {"d1": ["p", "q"]})
    assert found.relevant[1] == {"p": 1, "q": 1}


def test_the_first_questions_keep_their_order() -> None:
    every = Questions("e", ("b", "a", "c"), ("B", "A", "C"), ({"p": 1}, {"q": 1}, {"r": 1}))
    assert every.head(2) == Questions("e", ("b", "a"), ("B", "A"), ({"p": 1}, {"q": 1}))
    assert every.queries == {"b": "B", "a": "A", "c": "C"}
    assert every.rankings([[("x", 1.0)], [], [("y", 2.0)]]) == {"b": [("x", 1.0)], "a": [], "c": [("y", 2.0)]}


def test_questions_that_repeat_the_test_s_are_not_learned(panel: Panel, tmp_path: Path) -> None:
    """All but a few train questions stand in the test split too: what is left is too little to train on."""
    folder = write_set(tmp_path / "orchard", "orchard", ("train", "test"))
    judge(folder, "test", {f"q{p}-{n}": f"d{p}" for p in range(8) for n in (0, 1)})
    with pytest.raises(InputError, match="0 usable training questions"):
        build(panel, SETTINGS, [folder], silent)
