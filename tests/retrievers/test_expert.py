from __future__ import annotations

import numpy as np
import pytest

from retrievers.calibration import background_questions
from retrievers.expert import FILE, Expert
from tests.fakes import QUESTIONS, TOPICS, WordEncoder, make_passages
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
