from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from indexes.adapters.base import Identity
from indexes.adapters.linear import Linear
from retrievers.arrays import read_arrays, write_arrays
from retrievers.calibration import RELEVANCE, Relevance, background_questions
from retrievers.expert import FILE, LEARNED, Expert, Learned
from tests.fakes import QUESTIONS, TOPICS, WordEncoder, make_passages
from tests.indexes.adapters.conftest import residual
from tests.retrievers.conftest import MakePanel, fill


def test_an_expert_is_measured_against_what_random_questions_attain_in_it(make_panel: MakePanel) -> None:
    encoder = WordEncoder()
    expert = fill(make_panel(encoder=encoder), "orchard")
    passages = encoder.encode_passages([p.searchable for p in make_passages(TOPICS["orchard"], title="Orchard")])
    best = (encoder.encode_questions(background_questions()) @ passages.T).max(axis=1)
    assert expert.background.centre == pytest.approx(float(np.median(best)), abs=1e-5)
    assert (expert.name, expert.description) == ("orchard", "All about orchard.")


def test_its_own_question_is_far_above_the_background_and_anothers_is_not(make_panel: MakePanel) -> None:
    encoder = WordEncoder()
    expert = fill(make_panel(encoder=encoder), "planets")
    own, other = encoder.encode_questions([QUESTIONS["planets"], "Which metal melts in the hand of a person?"])
    assert expert.profile.pilots.score(own) > 4 > expert.profile.pilots.score(other)


def test_an_expert_is_made_once_and_then_loaded(make_panel: MakePanel) -> None:
    encoder = WordEncoder()
    made = fill(make_panel(encoder=encoder), "orchard")
    questions = encoder.questions
    loaded = Expert.of(made.slice, encoder)
    assert encoder.questions == questions
    assert (loaded.background, loaded.profile.pilots.background) == (made.background, made.profile.pilots.background)
    np.testing.assert_array_equal(loaded.profile.pilots.vectors, made.profile.pilots.vectors)
    assert sorted(path.name for path in made.slice.folder.iterdir()) == [FILE, "slice.json"]


def test_an_expert_is_made_anew_when_its_slice_has_changed(make_panel: MakePanel) -> None:
    panel = make_panel()
    before = fill(panel, "orchard")
    after = fill(panel, "orchard", make_passages(["Walnut trees are shaken by machines."]))
    assert len(after.profile.pilots.vectors) == len(before.profile.pilots.vectors) + 1
    walnuts = panel.encoder.encode_questions(["How are walnut trees shaken?"])[0]
    assert after.profile.pilots.score(walnuts) > before.profile.pilots.score(walnuts) + 1


def test_damaged_pilots_are_made_anew(make_panel: MakePanel) -> None:
    encoder = WordEncoder()
    made = fill(make_panel(encoder=encoder), "orchard")
    (made.slice.folder / FILE).write_bytes((made.slice.folder / FILE).read_bytes()[:100])
    assert Expert.of(made.slice, encoder).background == made.background


def test_what_an_expert_learned_is_read_as_it_was_written(tmp_path: Path) -> None:
    questions = np.random.default_rng(0).standard_normal((3, 8)).astype(np.float32)
    for learned in (Learned(questions, Relevance(-3.5, 0.25, 2.0), "abc"), Learned(), Learned(relevance=RELEVANCE)):
        learned.write(tmp_path)
        read = Learned.read(tmp_path)
        assert (read.relevance, read.adapter) == (learned.relevance, learned.adapter)
        assert (read.questions is None) == (learned.questions is None)
        if learned.questions is not None:
            np.testing.assert_array_equal(read.questions, learned.questions)  # type: ignore[arg-type]


def test_what_is_absent_or_damaged_was_not_learned(tmp_path: Path) -> None:
    assert Learned.read(tmp_path) == Learned()
    Learned(relevance=Relevance(1.0, 2.0, 3.0), adapter="abc").write(tmp_path)
    (tmp_path / LEARNED).write_bytes((tmp_path / LEARNED).read_bytes()[:80])
    assert Learned.read(tmp_path) == Learned()


def test_a_learned_expert_has_its_question_pilots_and_its_calibration(make_panel: MakePanel) -> None:
    encoder = WordEncoder()
    slice_ = fill(make_panel(encoder=encoder), "orchard").slice
    assert Expert.of(slice_, encoder).relevance == RELEVANCE
    assert Expert.of(slice_, encoder).profile.questions is None
    asked = encoder.encode_questions([QUESTIONS["orchard"]])
    Learned(asked, Relevance(-2.0, 0.5, 1.0)).write(slice_.folder)
    expert = Expert.of(slice_, encoder)
    assert expert.relevance == Relevance(-2.0, 0.5, 1.0)
    np.testing.assert_array_equal(expert.profile.questions, asked)  # type: ignore[arg-type]
    assert expert.profile.description == "All about orchard."


def test_a_calibration_counts_only_with_the_adapter_that_it_was_fitted_for(make_panel: MakePanel) -> None:
    encoder, own = WordEncoder(), Relevance(-2.0, 0.5, 1.0)
    slice_ = fill(make_panel(encoder=encoder), "orchard").slice
    adapter, other = Linear(residual(1)), Linear(residual(2))
    asked = encoder.encode_questions([QUESTIONS["orchard"]])
    Learned(asked, own, adapter.key).write(slice_.folder)
    for given, expected in ((Identity(), RELEVANCE), (adapter, own), (other, RELEVANCE)):
        slice_.adapt(given, {})
        expert = Expert.of(slice_, encoder)
        assert (expert.adapter.key, expert.relevance) == (given.key, expected)
        assert expert.profile.questions is not None  # pilots lie in the base space, whatever the adapter


@pytest.mark.parametrize("adapter", [Linear(residual(1)), Linear(residual(1), 0.5, residual(2))], ids=lambda a: a.kind)
def test_the_background_is_measured_through_the_adapter_and_the_pilots_are_not(
    make_panel: MakePanel, adapter: Linear
) -> None:
    encoder = WordEncoder()
    before = fill(make_panel(encoder=encoder), "orchard")
    ids, base = next(before.slice.base_vectors())
    before.slice.adapt(adapter, {})
    after = Expert.of(before.slice, encoder)
    questions = adapter.questions(background_questions(), encoder.encode_questions(background_questions()))
    best = (questions @ adapter.passages(ids, base).T).max(axis=1)
    assert after.background.centre == pytest.approx(float(np.median(best)), abs=1e-5)
    assert after.background != before.background
    np.testing.assert_allclose(after.profile.pilots.vectors, before.profile.pilots.vectors, atol=1e-6)
    assert after.profile.pilots.background.centre == pytest.approx(before.profile.pilots.background.centre, abs=1e-6)


def test_the_vocabulary_is_that_of_the_slice_and_is_kept(make_panel: MakePanel) -> None:
    encoder = WordEncoder()
    made = fill(make_panel(encoder=encoder), "orchard")
    loaded = Expert.of(made.slice, encoder).profile.vocabulary
    terms, counts = made.slice.store.term_counts()
    assert (loaded.terms.tolist(), loaded.counts.tolist(), loaded.passages) == (terms.tolist(), counts.tolist(), 8)
    assert loaded.counts.dtype == made.profile.vocabulary.counts.dtype == np.uint8


def test_what_an_older_version_kept_is_made_anew(make_panel: MakePanel) -> None:
    encoder = WordEncoder()
    made = fill(make_panel(encoder=encoder), "orchard")
    arrays = read_arrays(made.slice.folder / FILE) or {}
    write_arrays(made.slice.folder / FILE, {name: array for name, array in arrays.items() if name != "terms"})
    assert Expert.of(made.slice, encoder).profile.vocabulary.terms.tolist() == made.profile.vocabulary.terms.tolist()
    assert "terms" in (read_arrays(made.slice.folder / FILE) or {})
