from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from itertools import combinations
from pathlib import Path

import pytest

from app.settings import Settings
from app.symposium import Symposium
from app.train import Request, train
from app.training_data import Shelf, read_labelled
from indexes.adapters.files import read_adapter, read_card
from indexes.adapters.linear import Linear
from indexes.encoders.base import Vectors
from indexes.errors import InputError
from indexes.passage import Document, Passage
from indexes.store.open import MEMORY, opener
from retrievers.panel import Panel
from retrievers.training import linear
from retrievers.training.card import Card
from retrievers.training.linear import Options
from tests.fakes import WordEncoder

pytestmark = pytest.mark.slow  # each trains several adapters

HOME = ("apple", "bread", "candle", "drum", "engine", "feather", "garden", "hammer", "island")
ABROAD = ("pomme", "miche", "bougie", "tambour", "moteur", "plume", "jardin", "marteau", "ilot")
COMBINATIONS = list(combinations(range(9), 3))
QUESTIONS = {f"k{n}": " ".join(ABROAD[i] for i in three) for n, three in enumerate(COMBINATIONS)}
STATE, ADAPTER = "training", "adapter.npz"
ROUNDS = 8


def passages() -> list[Passage]:
    """Passages at home, which questions from abroad ask for: what there is to learn is the language."""
    texts = [" ".join(HOME[i] for i in three) for three in COMBINATIONS]
    return [Passage.of(Document(t, key=f"k{n}", whole=True), 0, len(t)) for n, t in enumerate(texts)]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few long steps, for so little to learn."""
    monkeypatch.setattr("app.train.Options", partial(Options, rate=3e-3, rounds=ROUNDS))


@pytest.fixture
def panel(tmp_path: Path) -> Iterator[Panel]:
    panel = Panel(tmp_path / "slices", WordEncoder(), opener(MEMORY))
    slice_ = panel.slice("home", "All about home.", passages())
    slice_.add(passages(), panel.encoder)
    panel.install(slice_)
    yield panel
    panel.close()


def write_lines(path: Path, records: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """A question abroad for each passage, by its document's key."""
    return write_lines(tmp_path / "pairs.jsonl", [{"question": q, "key": key} for key, q in QUESTIONS.items()])


@pytest.fixture
def beir(tmp_path: Path) -> Path:
    """The same questions as a BEIR folder with three splits, and one that no passage answers."""
    folder = tmp_path / "set"
    (folder / "qrels").mkdir(parents=True)
    write_lines(folder / "corpus.jsonl", [{"_id": p.key, "title": "", "text": p.text} for p in passages()])
    write_lines(folder / "queries.jsonl", [{"_id": f"q{key}", "text": text} for key, text in QUESTIONS.items()])
    splits = {"train": range(50), "dev": range(50, 70), "test": range(70, 84)}
    for split, numbers in splits.items():
        lines = [f"qk{n}\tk{n}\t2\n" for n in numbers]
        lines += [f"qk{n}\tk{(n + 1) % 84}\t0\n" for n in numbers]
        lines += [f"qk{numbers[0]}\tabsent\t1\n"]
        (folder / "qrels" / f"{split}.tsv").write_text("query-id\tcorpus-id\tscore\n" + "".join(lines))
    return folder


def run(panel: Panel, **what: object) -> Card:
    return train(panel, Request("home", **what))  # type: ignore[arg-type]


def found(panel: Panel) -> list[str]:
    """The best passage of each question, as the panel's slice and the adapter in its folder give it."""
    slice_ = panel.experts["home"].slice
    texts = list(QUESTIONS.values())
    adapter = read_adapter(slice_.folder, panel.encoder)
    vectors = adapter.questions(texts, panel.encoder.encode_questions(texts))
    hits = [slice_.search(text, vector, 5) for text, vector in zip(texts, vectors, strict=True)]
    best = [max(zip(hit.dense, hit.ids, strict=True), key=lambda pair: pair[0])[1] for hit in hits]
    return [passage.key for passage in slice_.passages(best)]


def trained_map(panel: Panel) -> Vectors:
    """The map of the linear adapter in the folder; sums depend in their last bits on where arrays lie in memory."""
    adapter = read_adapter(panel.experts["home"].slice.folder, panel.encoder)
    assert isinstance(adapter, Linear)
    return adapter.question


@pytest.mark.parametrize("kind", ["linear", "two-sided", "auto"])
def test_an_expert_learns_from_pairs_and_finds_better(panel: Panel, pairs: Path, kind: str) -> None:
    before = sum(key == hit for key, hit in zip(QUESTIONS, found(panel), strict=True))
    card = run(panel, data=(str(pairs),), kinds=(kind,))
    after = sum(key == hit for key, hit in zip(QUESTIONS, found(panel), strict=True))
    assert card.ships
    assert after > before + 40
    identity, *others = card.dev
    assert max(line.ndcg.value for line in others) > identity.ndcg.value + 0.3
    assert panel.experts["home"].slice.store.count() == 84


def test_the_card_lies_beside_the_adapter_and_accounts_for_it(panel: Panel, pairs: Path) -> None:
    card = run(panel, data=(str(pairs),), kinds=("linear",), seed=3)
    folder = panel.experts["home"].slice.folder
    kept = read_card(folder)
    assert kept is not None
    assert kept.pop("key") == read_adapter(folder, panel.encoder).key != ""
    assert kept == json.loads(json.dumps(card.to_dict()))
    assert (kept["kind"], kept["seed"], kept["sizes"]["dev"], kept["sizes"]["folds"]) == ("linear", 3, 84, 5)
    assert kept["dev"][1]["p"] < 0.01
    assert 0 <= kept["kept_off_domain"] <= 1
    assert kept["versions"]["numpy"]
    assert not (folder / STATE).exists()


def test_the_seed_decides_up_to_rounding(panel: Panel, pairs: Path) -> None:
    maps = []
    for seed in (0, 0, 1):
        run(panel, data=(str(pairs),), kinds=("linear",), seed=seed)
        maps.append(trained_map(panel))
    assert maps[0] == pytest.approx(maps[1], abs=1e-4)
    assert maps[0] != pytest.approx(maps[2], abs=1e-4)


def test_dev_chooses_and_test_is_reported(panel: Panel, beir: Path) -> None:
    card = run(panel, data=(str(beir),), dev=str(beir), test=f"{beir}:test", kinds=("linear",))
    assert (card.sizes.train, card.sizes.dev, card.sizes.test, card.sizes.folds) == (50, 20, 14, 1)
    assert not card.held_out
    before, after = card.test
    assert after.ndcg.value > before.ndcg.value + 0.3
    assert card.sources[0].name == f"{beir}:train"


def test_training_questions_that_repeat_dev_or_test_are_left_out(panel: Panel, beir: Path) -> None:
    everything = tuple(f"{beir}:{split}" for split in ("train", "dev", "test"))
    card = run(panel, data=everything, dev=f"{beir}:dev", test=f"{beir}:train", kinds=("linear",))
    assert card.sizes.near_test == 50
    assert card.sizes.near_dev == 20
    assert "Left out of train: 20 near-duplicates of dev, 50 of test" in str(card)


def test_where_nothing_is_to_be_learnt_the_expert_stays_as_it_is(panel: Panel, tmp_path: Path) -> None:
    records: list[dict[str, object]] = [{"question": p.text, "passage_id": p.id} for p in passages()]
    card = run(panel, data=(str(write_lines(tmp_path / "plain.jsonl", records)),))
    assert (card.ships, card.kind) == (False, "identity")
    assert "No adapter is better" in card.reason
    assert not (panel.experts["home"].slice.folder / ADAPTER).exists()


def test_without_data_the_slice_s_own_words_ask(tmp_path: Path) -> None:
    texts = [f"{HOME[n % 9]} and {HOME[n % 7]} make up item {n}. It is {ABROAD[n % 8]} or so." for n in range(40)]
    titled = [
        Passage.of(Document(t, title=f"The tale of item {n}", whole=True), 0, len(t)) for n, t in enumerate(texts)
    ]
    with_titles = Panel(tmp_path / "slices", WordEncoder(), opener(MEMORY))
    slice_ = with_titles.slice("home", "", titled)
    slice_.add(titled, with_titles.encoder)
    with_titles.install(slice_)
    card = run(with_titles, kinds=("linear",))
    assert card.sources[0].name == "the slice itself"
    assert card.sources[0].questions >= 40
    with_titles.close()


def test_an_interrupted_training_changes_nothing_and_goes_on(
    panel: Panel, pairs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linear, "PAUSE", 0.0)
    request = Request("home", data=(str(pairs),), kinds=("linear",))
    folder = panel.experts["home"].slice.folder

    def stop(what: str, done: int, _total: int) -> None:
        if what == "linear" and done > 2 * ROUNDS:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(panel, request, report=stop)
    assert (folder / STATE).is_dir()
    assert not (folder / ADAPTER).exists()
    steps: list[int] = []
    notes: list[str] = []
    report = collect(steps)
    train(panel, request, report=report, note=notes.append)
    assert steps[0] > 2 * ROUNDS
    assert notes == ["Going on where this training was interrupted."]
    resumed = trained_map(panel)
    train(panel, request)
    assert trained_map(panel) == pytest.approx(resumed, abs=1e-4)


def collect(steps: list[int]) -> Callable[[str, int, int], None]:
    def report(what: str, done: int, _total: int) -> None:
        if what == "linear":
            steps.append(done)

    return report


def test_what_another_training_left_is_discarded_and_that_is_said(panel: Panel, pairs: Path) -> None:
    def stop(what: str, _done: int, _total: int) -> None:
        if what == "linear":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(panel, Request("home", data=(str(pairs),), kinds=("linear",)), report=stop)
    notes: list[str] = []
    train(panel, Request("home", data=(str(pairs),), kinds=("linear",), seed=1), note=notes.append)
    assert notes == ["What an interrupted training with other data or options had left was discarded."]


def test_going_back_to_the_encoder_as_it_is(panel: Panel, pairs: Path) -> None:
    before = found(panel)
    run(panel, data=(str(pairs),), kinds=("two-sided",))
    assert found(panel) != before
    card = run(panel, kinds=("identity",))
    assert (card.kind, found(panel)) == ("identity", before)


def test_the_symposium_trains_its_own_experts(panel: Panel, pairs: Path) -> None:
    told: list[str] = []
    symposium = Symposium(Settings(), panel, make_answerer=lambda: pytest.fail("nothing is to be answered"))
    request = Request("home", data=(str(pairs),), kinds=("linear",))
    card = symposium.train(request, on_progress=lambda what, _done, _total: told.append(what))
    assert card.ships
    assert set(told) == {"encoding training questions", "linear"}


def test_too_few_questions_are_an_error_that_says_why(panel: Panel, tmp_path: Path) -> None:
    few = write_lines(tmp_path / "few.jsonl", [{"question": "pomme", "key": "k0"}, {"question": "x", "key": "absent"}])
    with pytest.raises(InputError, match=r"1 usable training questions .* \(1 have no relevant passage"):
        run(panel, data=(str(few),))


def test_an_unknown_expert_is_an_error_that_lists_them(panel: Panel) -> None:
    with pytest.raises(InputError, match="The experts are: home"):
        train(panel, Request("abroad"))


def test_pairs_name_passages_by_id_key_or_text(tmp_path: Path) -> None:
    shelf = Shelf(passages())
    one, two = passages()[:2]
    records: list[dict[str, object]] = [
        {"question": "a", "passage_id": one.id, "grade": 2},
        {"question": "a", "key": two.key},
        {"question": "b", "passage": " apple \n bread  drum"},
        {"question": "c", "passage": "candle drum"},
        {"question": "d", "passage_id": "absent"},
    ]
    read = read_labelled(str(write_lines(tmp_path / "p.jsonl", records)), "train", shelf)
    assert read.labelled.questions == ("a", "b", "c")
    assert read.labelled.relevant[0] == {one.id: 2.0, two.id: 1.0}
    assert read.labelled.relevant[1] == {two.id: 1.0}
    assert len(read.labelled.relevant[2]) == 7  # all that hold the two words side by side
    assert read.unmatched == 1


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        ({"key": "k0"}, "no question"),
        ({"question": "a"}, "no passage"),
        ({"question": "a", "key": "k0", "grade": "high"}, "is not a number"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, record: dict[str, object], problem: str) -> None:
    path = write_lines(tmp_path / "bad.jsonl", [{"question": "fine", "key": "k0"}, record])
    with pytest.raises(InputError, match=rf"bad\.jsonl:2: .*{problem}"):
        read_labelled(str(path), "train", Shelf(passages()))


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no file or folder"):
        read_labelled(str(tmp_path / "absent.jsonl"), "train", Shelf([]))
