from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from indexes.encoders.base import Vectors, unit
from indexes.terms import terms
from retrievers.calibration import Background, softmax
from retrievers.heads import heads
from retrievers.panel import Panel
from retrievers.pilots import Pilots
from retrievers.profile import Profile, Vocabulary
from retrievers.scorers import (
    SURE,
    Choice,
    Classifier,
    Everyone,
    Familiarity,
    MeanPilot,
    NearestCentroid,
    NearestPilot,
    NearestQuestion,
    Oracle,
    Scorer,
)
from tests.fakes import QUESTIONS

QUESTION = "When do apple trees blossom?"
VECTOR = np.array([1.0, 0.0], np.float32)


def at(*cosines: float) -> Vectors:
    """Unit vectors with these cosines to ``VECTOR``."""
    return np.array([[c, (1 - c * c) ** 0.5] for c in cosines], np.float32)


def profile(*cosines: float, questions: Vectors | None = None, words: str = "", passages: int = 9) -> Profile:
    held = np.array(sorted(terms(words)), np.uint32)
    vocabulary = Vocabulary.of(held, np.full(len(held), 3), passages)
    return Profile(Pilots(at(*cosines), Background(0.1, 0.05)), vocabulary, questions, f"All with {cosines}.")


EXPERTS: Mapping[str, Profile] = {
    "orchard": profile(0.8, 0.2, questions=at(0.9, 0.5), words="apple trees"),
    "engines": profile(0.3, 0.1, words="piston"),
    "planets": profile(0.6, -0.6, questions=at(0.2, 0.0), words="trees"),
}
SCORERS: tuple[Scorer, ...] = (
    Familiarity(),
    NearestPilot(),
    MeanPilot(),
    NearestCentroid(),
    NearestQuestion({"orchard": at(0.7)}),
    Classifier(("engines", "orchard"), np.array([[1.0, 0.0], [2.0, 0.0]]), np.array([0.5, 0.0])),
    Choice(lambda _: "planets"),
    Everyone(),
    Oracle({QUESTION: "planets"}),
)
BY_PROFILE = (*(s for s in SCORERS[:4] if not isinstance(s, Familiarity)), Everyone())


def of(scorer: Scorer, experts: Mapping[str, Profile] = EXPERTS) -> dict[str, float]:
    logits = scorer.logits(QUESTION, VECTOR, experts)
    assert (logits.shape, logits.dtype) == ((len(experts),), np.float64)
    return dict(zip(experts, logits.tolist(), strict=True))


@pytest.mark.parametrize("scorer", SCORERS, ids=lambda s: type(s).__name__)
def test_there_is_one_logit_for_each_expert_whatever_their_order(scorer: Scorer) -> None:
    assert of(scorer, dict(reversed(EXPERTS.items()))) == of(scorer)


@pytest.mark.parametrize("scorer", BY_PROFILE, ids=lambda s: type(s).__name__)
def test_an_expert_that_comes_or_goes_changes_nothing_about_the_others(scorer: Scorer) -> None:
    fewer = of(scorer, {name: EXPERTS[name] for name in ("engines", "planets")})
    assert fewer == {name: logit for name, logit in of(scorer).items() if name != "orchard"}
    assert of(scorer, {}) == {}


def test_familiarity_adds_words_passages_and_questions() -> None:
    scorer = Familiarity(words=2, passages=3, questions=5, neutral=0.25)
    rows = dict(zip(EXPERTS, scorer.features(QUESTION, VECTOR, EXPERTS), strict=True))
    words = [profile.vocabulary.log_likelihood(terms(QUESTION)) for profile in EXPERTS.values()]
    assert words[0] > words[2] > words[1]
    panel = heads(EXPERTS)
    asked = [panel["orchard"].score(VECTOR) - 0.25, 0.0, panel["planets"].score(VECTOR) - 0.25]
    expected = list(zip(words, (0.8, 0.3, 0.6), asked, strict=True))
    np.testing.assert_allclose(list(rows.values()), expected, atol=1e-6)
    np.testing.assert_allclose(list(of(scorer).values()), np.array(expected) @ [2, 3, 5], atol=1e-5)


def test_an_expert_without_labelled_questions_is_spared_what_heads_say() -> None:
    features = dict(zip(EXPERTS, Familiarity().features(QUESTION, VECTOR, EXPERTS), strict=True))
    assert EXPERTS["engines"].questions is None
    assert features["engines"][2] == 0.0
    assert features["orchard"][2] != 0.0


def test_a_newcomer_without_labelled_questions_gets_the_same_from_words_and_passages() -> None:
    fewer = {name: EXPERTS[name] for name in ("engines", "planets")}
    before = dict(zip(fewer, Familiarity().features(QUESTION, VECTOR, fewer), strict=True))
    after = dict(zip(EXPERTS, Familiarity().features(QUESTION, VECTOR, EXPERTS), strict=True))
    for name in fewer:
        np.testing.assert_array_equal(before[name][:2], after[name][:2])


def test_familiarity_finds_the_expert_of_clear_questions(panel: Panel) -> None:
    experts = {name: expert.profile for name, expert in panel.experts.items()}
    for name, question in QUESTIONS.items():
        logits = Familiarity().logits(question, panel.encoder.encode_questions([question])[0], experts)
        assert list(experts)[int(logits.argmax())] == name


def test_pilots_are_scored_by_the_nearest_against_the_background() -> None:
    assert of(NearestPilot()) == pytest.approx({"orchard": 14, "engines": 4, "planets": 10}, abs=1e-4)


def test_mean_pilots_are_the_labelled_questions_or_else_the_centre_of_the_passages() -> None:
    centre = float(EXPERTS["engines"].centre @ VECTOR)
    assert of(MeanPilot(10)) == pytest.approx({"orchard": 7, "engines": 10 * centre, "planets": 1}, abs=1e-5)


def test_centroids_are_scored_by_their_cosine() -> None:
    expected = {name: 10 * float(unit(p.pilots.vectors.mean(axis=0)[None])[0, 0]) for name, p in EXPERTS.items()}
    assert of(NearestCentroid(10)) == pytest.approx(expected, abs=1e-5)


def test_the_nearest_training_question_counts_and_the_pilots_of_an_expert_without_any() -> None:
    found = of(NearestQuestion({"orchard": at(0.1, 0.7), "planets": at(0.4)}, scale=10))
    assert found == pytest.approx({"orchard": 7, "engines": 3, "planets": 4}, abs=1e-5)


@pytest.mark.parametrize("names", [("a", "b"), ("a", "b", "c")])
def test_a_classifier_learns_whose_questions_are_whose(names: tuple[str, ...]) -> None:
    from sklearn.linear_model import LogisticRegression

    generator = np.random.default_rng(0)
    centres = 3 * np.eye(4)[: len(names)]
    questions = {n: unit(c + generator.standard_normal((30, 4))) for n, c in zip(names, centres, strict=True)}
    fitted = Classifier.fit(questions)
    experts = dict.fromkeys(names, EXPERTS["orchard"])
    rows = np.concatenate([questions[name] for name in names])
    own = LogisticRegression(C=10.0, class_weight="balanced", max_iter=1000).fit(rows, np.repeat(names, 30))
    found = np.array([softmax(fitted.logits("", row, experts)) for row in rows])
    np.testing.assert_allclose(found, own.predict_proba(rows), atol=1e-6)
    assert (found.argmax(axis=1) == np.repeat(range(len(names)), 30)).mean() > 0.8


def test_a_classifier_gives_an_expert_that_it_does_not_know_the_least() -> None:
    found = of(SCORERS[5])
    assert found == {"orchard": 2.0, "engines": 1.5, "planets": 1.5}


def test_a_language_model_is_told_of_all_experts_and_asked_the_question() -> None:
    prompts: list[str] = []

    def complete(prompt: str) -> str:
        prompts.append(prompt)
        return "Orchard."

    assert of(Choice(complete)) == {"orchard": SURE, "engines": 0, "planets": 0}
    assert all(f"- {name}: {p.description}" in prompts[0] for name, p in EXPERTS.items())
    assert f"Question: {QUESTION}" in prompts[0]


@pytest.mark.parametrize(
    ("reply", "chosen"),
    [
        ("art", {"art"}),
        ("Art-History, I think.", {"art-history"}),
        ("`art`", {"art"}),
        ("art or v1.2.", {"art", "v1.2"}),
        ("cartography", set()),
        ("v1.25", set()),
        ("", set()),
    ],
)
def test_only_names_that_stand_alone_are_chosen_and_without_any_nobody_is(reply: str, chosen: set[str]) -> None:
    experts = dict.fromkeys(("art", "art-history", "v1.2"), EXPERTS["orchard"])
    assert {name for name, logit in of(Choice(lambda _: reply), experts).items() if logit} == chosen


def test_everyone_is_equally_right_and_the_oracle_knows() -> None:
    assert set(of(Everyone()).values()) == {0.0}
    assert of(SCORERS[-1]) == {"orchard": 0, "engines": 0, "planets": SURE}
    with pytest.raises(KeyError):
        Oracle({}).logits(QUESTION, VECTOR, EXPERTS)
