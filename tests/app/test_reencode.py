from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.access.fitted import fitted_with
from app.access.principal import Action, Principal
from app.experts import calibrations
from app.library import AddProgress
from app.symposium import Symposium
from generators.verdicts.calibrated_verdict import CalibratedVerdict
from indexes.encoders.base import Fingerprint
from indexes.errors import InputError, SettingsError
from indexes.generations import key_of
from indexes.passage import Document
from retrievers.calibrated_router import Calibrated
from retrievers.conformal import Guarantee
from retrievers.reencoding import Progress
from retrievers.router import ScoredRouter
from tests.app.access.systems import make_system
from tests.fakes import QUESTIONS, TOPICS, WordEncoder
from tests.retrievers.conftest import fill

OLD, NEW = WordEncoder("words-1"), WordEncoder("words-2", 48)
NEW.fingerprint = replace(NEW.fingerprint, model="all-minilm-l6-v2")
OLD.fingerprint = Fingerprint("words", "words-1", 64)
ENCODERS = {"words": OLD, "all-minilm-l6-v2": NEW}
VERDICT = CalibratedVerdict(0.4, 0.1, 0.9, 100, 0.8, (), "scripted", ("engines", "orchard"))
ROUTER = Calibrated(1.7, Guarantee(0.77, 0.95, 40), ("engines", "orchard"))


@pytest.fixture
def symposium(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Symposium]:
    """Two experts, asked with the encoder "words"; another one is there."""
    monkeypatch.setattr("app.wiring.encoder_of", lambda settings: ENCODERS[settings.models.encoder])
    made = make_system(tmp_path / "home", {}, flags={"models.encoder": "words"})
    made.panel._opened = False
    for name in ("orchard", "engines"):
        fill(made.panel, name)
    yield made
    made.close()


def test_a_running_system_and_its_views_are_asked_with_the_new_encoder(symposium: Symposium) -> None:
    anna = symposium.seen_by(Principal("anna", frozenset({"orchard"}), frozenset(Action)))
    before = symposium.answerer
    done = symposium.reencode("all-minilm-l6-v2")
    assert (done.encoder, done.encoded, done.outcome.swapped, done.kept) == ("all-minilm-l6-v2", 16, True, False)
    for system in (symposium, anna):
        assert system.settings.models.encoder == "all-minilm-l6-v2"
        assert system.panel.encoder is NEW
        route, evidence = system.retrieve(QUESTIONS["orchard"])
        assert "orchard" in route.experts
        assert evidence[0].passage.text == TOPICS["orchard"][0]
        assert any("the encoder all-minilm-l6-v2 runs here" in fact for fact in system.answerer.facts())
    assert symposium.answerer is symposium.answerer is not before
    assert symposium.answerer.model is before.model
    assert symposium.ask("What does it say of the codling moth?").evidence


def test_the_new_encoder_says_which_scripts_are_read(symposium: Symposium) -> None:
    anna = symposium.seen_by(Principal("anna", frozenset({"orchard"}), frozenset(Action)))
    assert anna.retrieve("什么时候苹果树开花?")
    symposium.reencode("all-minilm-l6-v2")
    for system in (symposium, anna):
        with pytest.raises(InputError, match=r"script|Latin|language"):
            system.retrieve("什么时候苹果树开花?")


def test_documents_that_are_added_meanwhile_are_there_afterwards(symposium: Symposium) -> None:
    added = False

    def meanwhile(_progress: Progress) -> None:
        nonlocal added
        if not added:
            added = True
            document = Document("Medlars are eaten when they are soft.", whole=True)
            symposium.add_documents([document], "orchard", on_progress=_nothing)

    done = symposium.reencode("all-minilm-l6-v2", on_progress=meanwhile)
    assert done.encoded == 17
    assert symposium.documents("orchard", like=Document("Medlars are eaten when they are soft.", whole=True).id)[0] == 1
    evidence = symposium.retrieve("When are medlars eaten?")[1]
    assert evidence[0].passage.text.startswith("Medlars")


def _nothing(_progress: AddProgress) -> None:
    pass


def test_what_was_fitted_with_the_old_encoder_is_not_in_force_and_comes_back_with_it(symposium: Symposium) -> None:
    folder = symposium.panel.folder
    VERDICT.write(folder)  # both by a version that did not note the encoder
    ROUTER.write(folder)
    symposium.panel._router = None
    assert facts_of(symposium) == (0.4, 1.7, 0.77)
    done = symposium.reencode("all-minilm-l6-v2", keep_old=True)
    assert done.void == ("router", "verdict")
    assert done.to_dict()["void"] == ["router", "verdict"]
    assert facts_of(symposium) == (0.0, 1.0, symposium.settings.retrieval.mass)
    assert (calibrations(symposium.panel).router, calibrations(symposium.panel).verdict) == (None, None)
    back = symposium.reencode("words")
    assert (back.void, back.encoded) == ((), 0)
    assert facts_of(symposium) == (0.4, 1.7, 0.77)
    assert calibrations(symposium.panel).verdict == replace(VERDICT, encoder=key_of(OLD.fingerprint))


def facts_of(symposium: Symposium) -> tuple[float, ...]:
    router = symposium.panel.router
    assert isinstance(router, ScoredRouter)
    return (symposium.answerer.options.thresholds.confidence, router.temperature, router.mass)


@pytest.mark.parametrize(("noted", "given", "serves"), [("", "a", True), ("a", "a", True), ("b", "a", False)])
def test_what_notes_no_encoder_is_taken_to_be_of_this_one(noted: str, given: str, serves: bool) -> None:
    found = replace(VERDICT, encoder=noted)
    assert fitted_with(given, found) == (found if serves else None)
    assert fitted_with(given, None) is None


def test_where_the_setting_cannot_be_written_everything_is_as_before(symposium: Symposium) -> None:
    def refuse() -> None:
        raise SettingsError("The file is read-only.", "Change that.")

    with pytest.raises(SettingsError, match="read-only"):
        symposium.reencode("all-minilm-l6-v2", commit=refuse)
    assert symposium.panel.encoder is not NEW
    assert symposium.settings.models.encoder == "words"
    assert symposium.retrieve(QUESTIONS["orchard"])[1][0].passage.text == TOPICS["orchard"][0]


def test_only_those_who_may_do_everything_may(symposium: Symposium) -> None:
    for principal in (
        Principal("bert", frozenset({"orchard"}), frozenset(Action)),
        Principal("carl", None, frozenset({Action.ASK, Action.WRITE})),
    ):
        with pytest.raises(InputError):
            symposium.seen_by(principal).reencode("all-minilm-l6-v2")


def test_a_server_keeps_the_old_vectors_until_it_is_asked_again(symposium: Symposium) -> None:
    store = symposium.settings.store.model_copy(update={"url": ":memory:"})
    symposium.settings = symposium.settings.model_copy(update={"store": store})
    first = symposium.reencode("all-minilm-l6-v2")
    assert (first.kept, first.outcome.dropped) == (True, 0)
    second = symposium.reencode()
    assert (second.encoder, second.kept, second.outcome.dropped, second.encoded) == ("all-minilm-l6-v2", False, 2, 0)


def test_the_report_is_plain(symposium: Symposium) -> None:
    found: dict[str, Any] = symposium.reencode("all-minilm-l6-v2").to_dict()
    assert found.pop("seconds") >= 0
    one = {"passages": 8, "encoded": 8, "trained": "", "labelled": False}
    assert found == {
        "encoder": "all-minilm-l6-v2",
        "experts": [{"expert": "engines", **one}, {"expert": "orchard", **one}],
        "encoded": 16,
        "swapped": True,
        "waiting": (),
        "problems": {},
        "dropped": 2,
        "stopped": False,
        "void": [],
        "kept": False,
    }
