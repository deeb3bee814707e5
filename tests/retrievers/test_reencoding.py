from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indexes import next_generation
from indexes.adapters.linear import Linear
from indexes.errors import InputError, SliceError, SymposiaError
from indexes.generations import beside, generation_for, key_of
from indexes.manifest import FILE, Manifest
from indexes.slice import OpenStore, Slice
from indexes.store.open import MEMORY, opener
from retrievers.expert import LEARNED, Expert, Learned
from retrievers.panel import NULL_FILE, Panel
from retrievers.reencoding import Encoded, Outcome, Progress, Reencoding
from retrievers.router import Wishes
from retrievers.view import View
from tests.fakes import QUESTIONS, TOPICS, WordEncoder, make_passages
from tests.retrievers.conftest import MakePanel, facts, fill

OLD, NEW, OTHER = WordEncoder("words-1"), WordEncoder("words-2"), WordEncoder("words-3", 48)
ASKED = tuple(QUESTIONS.values())
NAMES = ("orchard", "engines")
SEEN = frozenset({"orchard", "planets"})


@pytest.fixture(params=[MEMORY, pytest.param("", marks=pytest.mark.slow)], ids=["memory", "embedded"])
def open_store(request: pytest.FixtureRequest) -> OpenStore:
    return opener(request.param)


@pytest.fixture
def panel(make_panel: MakePanel, open_store: OpenStore) -> Panel:
    return make_panel(*TOPICS, open_store=open_store)


def answers(panel: Panel) -> tuple[Any, ...]:
    return tuple(facts(found) for found in panel.retrieve_many(ASKED))


def expected(tmp_path: Path, encoder: WordEncoder, names: frozenset[str] = frozenset(TOPICS)) -> tuple[Any, ...]:
    """What a panel says that was built with the encoder from the start."""
    panel = Panel(tmp_path / f"{encoder.fingerprint.revision}-{len(names)}", encoder, opener(MEMORY))
    for name in TOPICS:
        if name in names:
            fill(panel, name)
    return answers(panel)


def reopened(panel: Panel, encoder: WordEncoder) -> Panel:
    panel.close()
    again = Panel(panel.folder, encoder, panel.open_store)
    again.open()
    return again


def test_afterwards_it_answers_as_a_panel_that_was_built_with_the_encoder(panel: Panel, tmp_path: Path) -> None:
    view = View(panel, SEEN)
    assert answers(panel) == expected(tmp_path / "x", OLD)
    outcome = Reencoding(panel, OTHER).run()
    assert outcome == Outcome(tuple(Encoded(name, 8, 8) for name in sorted(TOPICS)), swapped=True, dropped=3)
    assert panel.encoder is view.encoder is OTHER
    assert answers(panel) == expected(tmp_path / "x", OTHER)
    assert answers(view) == expected(tmp_path / "x", OTHER, SEEN)
    again = reopened(panel, OTHER)
    assert answers(again) == expected(tmp_path / "x", OTHER)
    again.close()


def test_nothing_of_the_old_encoder_is_left(panel: Panel, open_store: OpenStore) -> None:
    Reencoding(panel, NEW).run()
    for name in TOPICS:
        folder = panel.folder / name
        assert {path.name for path in folder.iterdir()} == {FILE, key_of(NEW.fingerprint)}
        assert beside(folder) == []


def test_kept_generations_bring_the_old_encoder_back_without_encoding(panel: Panel, tmp_path: Path) -> None:
    encoder = WordEncoder("words-1")
    Reencoding(panel, NEW).run(keep_old=True)
    assert Reencoding(panel, encoder).run(keep_old=True).swapped
    assert encoder.passages == 0
    assert answers(panel) == expected(tmp_path / "x", OLD)
    assert Reencoding(panel, encoder).run() == Outcome(swapped=True, dropped=3)


def test_where_all_slices_are_of_the_encoder_nothing_happens(panel: Panel) -> None:
    experts = dict(panel.experts)
    assert Reencoding(panel, panel.encoder).run() == Outcome(swapped=True)
    assert dict(panel.experts) == experts


def test_progress_counts_all_slices_and_tells_rate_and_time_left(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(next_generation, "BATCH", 3)
    told: list[Progress] = []
    Reencoding(panel, NEW, told.append).run(swap=False)
    assert {each.total for each in told} == {24}
    assert [each.done for each in told][:4] == [3, 6, 8, 8]
    assert (told[-1].done, told[-1].encoded, told[-1].expert) == (24, 24, "planets")
    assert Progress("x", 10, 30, 5, 0.5).left is None
    assert (Progress("x", 10, 30, 5, 2.0).rate, Progress("x", 10, 30, 5, 2.0).left) == (2.5, 8.0)
    assert Progress("x", 10, 30, 0, 2.0).left is None


def test_without_a_swap_the_next_panel_with_the_encoder_takes_it_up(panel: Panel, tmp_path: Path) -> None:
    outcome = Reencoding(panel, OTHER).run(swap=False)
    assert (outcome.swapped, outcome.waiting, [s.encoded for s in outcome.slices]) == (False, (), [8, 8, 8])
    assert answers(panel) == expected(tmp_path / "x", OLD)
    again = reopened(panel, OTHER)
    assert again.problems == {}
    assert answers(again) == expected(tmp_path / "x", OTHER)
    again.close()


def test_experts_one_by_one_and_the_last_one_swaps(panel: Panel) -> None:
    first = Reencoding(panel, NEW).run(["planets"])
    assert (first.swapped, first.waiting) == (False, ("engines", "orchard"))
    assert panel.encoder is not NEW
    second = Reencoding(panel, NEW).run(["engines", "planets"])
    assert (second.slices, second.waiting) == ((Encoded("engines", 8, 8), Encoded("planets", 8, 0)), ("orchard",))
    third = Reencoding(panel, NEW).run(["orchard"])
    assert (third.swapped, third.waiting) == (True, ())
    assert panel.encoder is NEW


def test_an_unknown_expert_is_refused(panel: Panel) -> None:
    with pytest.raises(InputError, match="no expert named 'birds'"):
        Reencoding(panel, NEW).run(["birds"])


def test_what_was_built_with_another_encoder_already_is_mended_by_the_encoder_that_is_set(
    panel: Panel, tmp_path: Path
) -> None:
    again = reopened(panel, NEW)
    assert sorted(again.problems) == sorted(TOPICS)
    assert "symposia reencode" in again.problems["orchard"]
    fill(again, "orchid", make_passages(["An orchid is no orchard."]))
    kept = again.experts["orchid"]
    outcome = Reencoding(again, NEW).run()
    assert ([each.expert for each in outcome.slices], outcome.problems) == (sorted(TOPICS), {})
    assert again.experts["orchid"] is kept
    again.withdraw("orchid")
    assert answers(again) == expected(tmp_path / "x", NEW)
    again.close()


def test_a_slice_that_cannot_be_read_or_is_empty_keeps_nobody_from_swapping(panel: Panel) -> None:
    (panel.folder / "broken").mkdir()
    (panel.folder / "broken" / FILE).write_text("{")
    empty = Slice.create(panel.folder / "empty", "empty", "", OLD, panel.open_store, [])
    empty.close()
    again = reopened(panel, OLD)
    outcome = Reencoding(again, NEW).run()
    assert outcome.swapped
    assert sorted(outcome.problems) == sorted(again.problems) == ["broken", "empty"]
    assert "damaged" in outcome.problems["broken"]
    assert "is empty" in outcome.problems["empty"]
    assert sorted(again.experts) == sorted(TOPICS)
    fill(again, "empty", make_passages(["Not empty now."]))
    assert again.experts["empty"].slice.manifest.fingerprint == NEW.fingerprint
    again.close()


def test_what_was_learned_stays_with_the_old_vectors_and_is_told(panel: Panel, tmp_path: Path) -> None:
    slice_ = panel.experts["orchard"].slice
    slice_.adapt(Linear(np.eye(64, dtype=np.float32)[::-1].copy()), {"pairs": 3})
    Learned(questions=np.eye(64, dtype=np.float32)[:2]).write(slice_.home)
    panel.install(slice_)
    before = answers(panel)
    outcome = Reencoding(panel, NEW).run(keep_old=True)
    assert [(s.expert, s.trained, s.labelled) for s in outcome.slices] == [
        ("engines", "", False),
        ("orchard", "linear", True),
        ("planets", "", False),
    ]
    assert answers(panel) == expected(tmp_path / "x", NEW)
    Reencoding(panel, OLD).run()
    assert answers(panel) == before
    assert (panel.experts["orchard"].slice.home / LEARNED).is_file()


def test_what_is_added_and_removed_meanwhile_is_followed(panel: Panel) -> None:
    extra = make_passages(["Medlars are eaten when they are soft.", "Sloes are bitter before the first frost."])
    gone = make_passages(TOPICS["engines"], title="Engines")[0].document_id
    changed = False

    def meanwhile(progress: Progress) -> None:
        nonlocal changed
        if progress.expert == "planets" and not changed:
            changed = True
            with panel.changing():
                fill(panel, "orchard", extra)
                panel.experts["engines"].slice.remove([gone])
                fill(panel, "cellar", make_passages(["A cellar keeps apples cool.", "Casks lie in the cellar."]))

    outcome = Reencoding(panel, NEW, meanwhile).run()
    counts = {name: expert.slice.store.count() for name, expert in panel.experts.items()}
    assert counts == {"orchard": 10, "engines": 7, "planets": 8, "cellar": 2}
    assert {s.expert: s.encoded for s in outcome.slices} == {"orchard": 10, "engines": 8, "planets": 8, "cellar": 2}
    assert all(e.slice.manifest.fingerprint == NEW.fingerprint for e in panel.experts.values())
    assert panel.experts["orchard"].slice.passages([extra[0].id]) == extra[:1]
    assert panel.experts["orchard"].profile.vocabulary.passages == 10


def test_an_expert_that_loses_its_last_document_meanwhile_is_empty_afterwards(panel: Panel) -> None:
    def meanwhile(progress: Progress) -> None:
        if progress.expert == "orchard" and "orchard" in panel.experts:
            slice_ = panel.experts["orchard"].slice
            slice_.remove([card.id for card in slice_.documents()])
            panel.refresh(slice_)

    outcome = Reencoding(panel, NEW, meanwhile).run()
    assert sorted(panel.experts) == ["engines", "planets"]
    assert "is empty" in outcome.problems["orchard"]
    fill(panel, "orchard")
    assert panel.experts["orchard"].slice.store.count() == 8


def test_the_swap_waits_for_those_who_are_adding_and_may_be_given_up(panel: Panel) -> None:
    waits: list[str] = []
    with panel.changing():
        outcome = Reencoding(panel, NEW, lambda p: waits.append(p.expert), lambda: "" in waits).run()
    assert (outcome.stopped, outcome.swapped) == (True, False)
    assert panel.encoder is not NEW
    assert Reencoding(panel, NEW).run().swapped


def test_only_one_run_at_a_time_and_no_expert_is_withdrawn_meanwhile(panel: Panel) -> None:
    refused: list[str] = []

    def meanwhile(_progress: Progress) -> None:
        for call in (Reencoding(panel, OTHER).run, lambda: panel.withdraw("orchard")):
            with pytest.raises(InputError) as caught:
                call()
            refused.append(caught.value.problem)

    Reencoding(panel, NEW, meanwhile).run(swap=False)
    assert {*refused} == {
        "The slices are being encoded anew already.",
        "Expert 'orchard' is being encoded anew, and cannot be removed meanwhile.",
    }
    panel.withdraw("orchard")
    assert not (panel.folder / "orchard").exists()


def test_stopping_keeps_what_was_encoded(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(next_generation, "BATCH", 2)
    encoder, calls = WordEncoder("words-2"), 0

    def cancelled() -> bool:
        nonlocal calls
        calls += 1
        return calls == 7  # two batches of orchard were encoded by then

    outcome = Reencoding(panel, encoder, cancelled=cancelled).run()
    assert (outcome.stopped, outcome.swapped, outcome.waiting) == (True, False, ("orchard", "planets"))
    assert encoder.passages == 12
    again = WordEncoder("words-2")
    assert Reencoding(panel, again).run().swapped
    assert encoder.passages + again.passages == 24


@pytest.mark.parametrize("failing", ["commit", "promote"])
def test_where_the_swap_fails_everything_is_as_before(
    panel: Panel, tmp_path: Path, failing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifests = {name: Manifest.read(panel.folder / name) for name in TOPICS}
    before = answers(panel)

    def refuse() -> None:
        raise SliceError("The disk is full.", "Free some space.")

    keep, kept = Manifest.keep, 0

    def full(self: Manifest, folder: Path, file: str = FILE) -> None:
        nonlocal kept
        kept += file == FILE
        if file == FILE and kept == 2:
            raise OSError(28, "No space left on device")
        keep(self, folder, file)

    if failing == "promote":
        Reencoding(panel, NEW).run(swap=False)
        monkeypatch.setattr(Manifest, "keep", full)
    with pytest.raises((SymposiaError, OSError), match=r"disk is full|No space left"):
        Reencoding(panel, NEW).run(commit=refuse if failing == "commit" else lambda: None)
    monkeypatch.undo()
    assert {name: Manifest.read(panel.folder / name) for name in TOPICS} == manifests
    assert answers(panel) == before
    fill(panel, "orchard", make_passages(["Medlars are eaten when they are soft."]))
    again = WordEncoder("words-2")
    assert Reencoding(panel, again).run().swapped
    assert again.passages == 1
    assert panel.experts["orchard"].slice.store.count() == 9


@pytest.mark.parametrize("promoted", [1, 2, 3])
def test_a_swap_that_was_cut_short_serves_whichever_encoder_is_set(panel: Panel, tmp_path: Path, promoted: int) -> None:
    from indexes.generations import promote

    Reencoding(panel, NEW).run(swap=False)
    for name in sorted(TOPICS)[:promoted]:
        found = generation_for(panel.folder / name, NEW.fingerprint)
        assert found is not None
        promote(panel.folder / name, found)
    for encoder in (OLD, NEW, OLD):
        panel = reopened(panel, encoder)
        assert panel.problems == {}
        assert answers(panel) == expected(tmp_path / "x", encoder)
    panel.close()


@contextmanager
def asking(panel: Panel, calls: int = 4) -> Iterator[tuple[list[Any], list[BaseException]]]:
    """Threads that ask all the time, the panel and a view of it: what they were told, and what went wrong."""
    told: list[Any] = []
    wrong: list[BaseException] = []
    end = threading.Event()
    view = View(panel, SEEN)

    def ask(number: int) -> None:
        try:
            while not end.is_set():
                told.append(answers(panel) if number % 2 else answers(view))
        except BaseException as error:  # noqa: BLE001 (told to the test)
            wrong.append(error)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(calls)]
    for thread in threads:
        thread.start()
    try:
        yield told, wrong
    finally:
        end.set()
        for thread in threads:
            thread.join(30)


@pytest.mark.parametrize("others", [(NEW, OLD, NEW), (OTHER, OLD, OTHER)], ids=["same size", "another size"])
def test_whoever_asks_during_swaps_is_answered_by_one_encoder_alone(
    panel: Panel, tmp_path: Path, others: tuple[WordEncoder, ...]
) -> None:
    fine = {
        repr(expected(tmp_path / "x", encoder, names))
        for encoder in {OLD, *others}
        for names in (frozenset(TOPICS), SEEN)
    }
    assert len(fine) == 4
    with asking(panel) as (told, wrong):
        for encoder in (*others, None):
            enough = len(told) + 8
            while len(told) < enough and not wrong:
                time.sleep(0.01)
            if encoder is not None:
                Reencoding(panel, encoder).run()
    assert wrong == []
    assert {repr(each) for each in told} == fine


def test_adding_from_threads_during_a_swap_loses_nothing(panel: Panel) -> None:
    texts = [f"Medlar number {n} ripens on day {n * 7}." for n in range(40)]
    wrong: list[BaseException] = []

    def add(part: int) -> None:
        try:
            for text in texts[part::2]:
                with panel.changing():
                    fill(panel, NAMES[part], make_passages([text]))
        except BaseException as error:  # noqa: BLE001 (told to the test)
            wrong.append(error)

    threads = [threading.Thread(target=add, args=(part,)) for part in range(2)]
    for thread in threads:
        thread.start()
    for encoder in (NEW, OTHER):
        Reencoding(panel, encoder).run()
    for thread in threads:
        thread.join(60)
    assert wrong == []
    for part, name in enumerate(NAMES):
        slice_ = panel.experts[name].slice
        assert slice_.manifest.fingerprint == OTHER.fingerprint
        ids = [passage.id for passage in make_passages(texts[part::2])]
        assert slice_.store.existing(ids) == set(ids)
        assert slice_.store.count() == slice_.manifest.passages == 28
    found = panel.retrieve("Medlar number 17 ripens", Wishes(force=NAMES))[1]
    assert "number 17" in found[0].passage.text


def test_a_slice_of_another_encoder_cannot_be_installed(panel: Panel) -> None:
    before: Callable[[], Expert] = lambda: panel.install(slice_)  # noqa: E731
    slice_ = panel.experts["orchard"].slice
    Reencoding(panel, NEW).run(keep_old=True)
    with pytest.raises(SliceError, match="built with encoder"):
        before()
    assert panel.experts["orchard"].slice is not slice_


def test_the_null_expert_is_that_of_the_encoder(panel: Panel) -> None:
    old = panel.null
    Reencoding(panel, NEW).run()
    assert panel.null is not old
    assert not np.allclose(panel.null.vectors, old.vectors)
    encoder = WordEncoder("words-2")
    again = Panel(panel.folder, encoder, panel.open_store)
    assert np.array_equal(again.null.vectors, panel.null.vectors)
    assert encoder.questions == 0
    assert (panel.folder / NULL_FILE).is_file()
    assert replace(Outcome(), swapped=True).swapped


def test_withdrawing_deletes_the_generations_that_were_kept(panel: Panel) -> None:
    Reencoding(panel, NEW).run(keep_old=True)
    (old,) = beside(panel.folder / "orchard")
    panel.withdraw("orchard")
    assert not (panel.folder / "orchard").exists()
    assert panel.open_store(old.store_name, panel.folder / "orchard", 64).count() == 0
