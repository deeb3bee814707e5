from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from threading import Event
from typing import Any

import pytest

from app.access.principal import Action, Principal
from app.chat.panes import cards
from app.chat.panes.training import Stage
from app.conversations.pairs import Pair, Taught
from app.symposium import Symposium
from app.train import Request
from generators.verdicts.calibrated_verdict import CalibratedVerdict, Point
from indexes.adapters.base import Identity
from indexes.adapters.linear import Linear
from indexes.errors import InputError
from retrievers.calibrated_router import Calibrated
from retrievers.conformal import Guarantee
from retrievers.training.card import Card, Estimate, Line, Sizes, Source
from tests.app.chat.panes.conftest import OpenPage, button, finished, html, said

DEV = (
    Line("identity", "", Estimate(0.61, 0.55, 0.67)),
    Line("linear", "λ 0.75", Estimate(0.70, 0.64, 0.76), 0.0004, 12.0),
    Line("nudge", "", Estimate(0.66, 0.60, 0.72), 0.03, 3.0),
)
CARD = Card(
    "engines",
    "linear",
    True,
    "linear is better than none on dev.",
    (Source("<b>pairs</b>.jsonl", 50),),
    Sizes(40, 50, 0, folds=5, passages=8),
    DEV,
    seconds=17.0,
    finished="2026-01-02T03:04:05+00:00",
)

Train = Callable[..., Card]


@pytest.fixture
def training(filled: Symposium, monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """Requests that were trained; each gives ``CARD``."""
    asked: list[Request] = []

    def train(self: Symposium, request: Request, **_: object) -> Card:
        asked.append(request)
        return replace(CARD, expert=request.expert)

    monkeypatch.setattr(Symposium, "train", train)
    return asked


def test_without_experts_the_page_says_how_to_make_one(open_page: OpenPage) -> None:
    page = open_page("experts")
    assert not page.exception and "There are no experts yet." in said(page)


def test_each_expert_is_shown_with_what_it_knows_and_has_learnt(open_page: OpenPage, filled: Symposium) -> None:
    filled.panel.experts["engines"].slice.adapt(Identity(), replace(CARD, ships=False).to_dict())
    page = open_page("experts")
    assert not page.exception
    assert "All about planets." in said(page) and "0.610 → 0.610" in said(page)
    assert "Kept what it had." in said(page) and "<b>pairs" not in html(page)
    page.selectbox(key="experts-expert").set_value("planets").run()
    assert "It has not been trained." in said(page)


def test_a_training_ends_with_before_and_after(open_page: OpenPage, training: list[Request]) -> None:
    page = open_page("experts")
    page.button(key="train").click().run()
    page = finished(page)
    assert not page.exception
    assert training == [Request("engines")]
    assert "It now has an adapter of kind linear: nDCG@10 0.610 → 0.700." in said(page)
    assert "< 0.001 ***" in said(page) and "Trained 2026-01-02 03:04 UTC, in 17 s." in said(page)
    specs = [json.loads(chart.proto.spec) for chart in page.get("vega_lite_chart")]
    assert [spec["layer"][0]["encoding"]["x"]["title"] for spec in specs] == ["nDCG@10 on dev questions"]
    button(page, "OK").click().run()
    assert "It now has" not in said(page)


def test_pairs_are_uploaded_and_kinds_chosen(open_page: OpenPage, training: list[Request]) -> None:
    page = open_page("experts")
    page.radio(key="train-from").set_value("pairs of questions and passages").run()
    page.button(key="train").click().run()
    assert "No file of pairs was chosen." in said(page)
    page.file_uploader[0].set_value(("pairs.jsonl", b"{}", "application/json")).run()
    page.pills(key="train-kinds").set_value(["linear", "nudge"]).run()
    page.button(key="train").click().run()
    finished(page)
    (request,) = training
    assert request.kinds == ("linear", "nudge")
    assert request.data[0].endswith("0-pairs.jsonl")


def test_files_of_the_server_are_for_those_who_administer_it(
    open_page: OpenPage, training: list[Request], who: Callable[[Principal], None]
) -> None:
    page = open_page("experts")
    page.radio(key="train-from").set_value("files on the server").run()
    page.text_input(key="train-data").set_value(" sets/scifact:train ").run()
    page.text_input(key="train-test").set_value("sets/scifact:test").run()
    page.button(key="train").click().run()
    finished(page)
    assert training == [Request("engines", ("sets/scifact:train",), test="sets/scifact:test")]
    who(Principal("ann", None, frozenset({Action.ASK, Action.TRAIN})))
    assert "files on the server" not in open_page("experts").radio(key="train-from").options


def test_progress_is_live_and_survives_a_change_of_page_until_it_is_stopped(
    open_page: OpenPage, filled: Symposium, monkeypatch: pytest.MonkeyPatch, gate: Event
) -> None:
    def train(self: Symposium, request: Request, on_progress: Any, on_note: Any) -> Card:
        on_note("Going on where this training was interrupted.")
        on_progress("linear, fold 1", 12, 40)
        assert gate.wait(30)
        on_progress("linear, fold 1", 13, 40)
        raise AssertionError("it was not stopped")

    monkeypatch.setattr(Symposium, "train", train)
    page = open_page("experts")
    page.button(key="train").click().run()
    page.run()
    assert page.get("progress")[0].proto.text == r"linear, fold 1\: 12 of at most 40"
    page.switch_page("views/settings.py").run()
    page.switch_page("views/experts.py").run()
    assert "Training engines" in said(page) and "Going on where" in said(page)
    assert page.button(key="train").disabled
    button(page, "Stop").click().run()
    gate.set()
    page = finished(page)
    assert "Stopped. The expert is as it was" in said(page)


def test_a_training_that_fails_says_why(
    open_page: OpenPage, filled: Symposium, monkeypatch: pytest.MonkeyPatch
) -> None:
    def train(*_: object, **__: object) -> Card:
        raise InputError("3 usable training questions.", "Give at least 10.")

    monkeypatch.setattr(Symposium, "train", train)
    page = open_page("experts")
    page.button(key="train").click().run()
    page = finished(page)
    assert "3 usable training questions." in said(page) and not page.exception


def test_who_may_not_train_sees_no_form(
    open_page: OpenPage, filled: Symposium, who: Callable[[Principal], None]
) -> None:
    who(Principal("ann", frozenset({"planets"}), frozenset({Action.ASK})))
    page = open_page("experts")
    assert not page.exception
    assert "engines" not in said(page) and not [each for each in page.button if each.key == "train"]


def test_calibrations_are_shown_to_those_who_see_all_that_they_rest_on(
    open_page: OpenPage, filled: Symposium, who: Callable[[Principal], None]
) -> None:
    assert "Neither the router nor the verdict was calibrated" in said(open_page("experts"))
    folder = filled.panel.folder
    Calibrated(1.3, Guarantee(0.93, 0.95, 120), ("engines", "orchard", "planets")).write(folder)
    CalibratedVerdict(0.41, 0.1, 0.9, 200, 0.7, (Point(0.4, 0.7, 0.05),), "tiny", ("engines",)).write(folder)
    page = open_page("experts")
    assert "right expert asked in at least 95 %" in said(page) and "at most 10 % wrong" in said(page)
    who(Principal("ann", frozenset({"engines"}), frozenset({Action.ASK})))
    page = open_page("experts")
    assert "at most 10 % wrong" in said(page) and "right expert asked" not in said(page)


def test_before_and_after_are_of_the_test_questions_where_there_were_any() -> None:
    tested = (DEV[0], replace(DEV[1], ndcg=Estimate(0.65, 0.6, 0.7)))
    assert cards.before_after(replace(CARD, test=tested)) == "0.610 → 0.650"
    assert cards.before_after(replace(CARD, ships=False)) == "0.610 → 0.610"
    assert cards.before_after(replace(CARD, dev=())) == "–" == cards.before_after(None)


def test_a_card_comes_back_from_its_dictionary() -> None:
    tested = replace(CARD, test=DEV[:2], options={"rate": 0.1}, versions={"numpy": "2"})
    assert Card.from_dict({**json.loads(json.dumps(tested.to_dict())), "key": "abc"}) == tested


def test_time_left_is_by_the_rate_of_the_present_task() -> None:
    stage = Stage("", 0, 0, 0.0, 0).after("linear, fold 1", 10, 100, 50.0)
    assert stage.line(50.5) == "linear, fold 1: 10 of at most 100"
    later = stage.after("linear, fold 2", 40, 100, 60.0)
    assert later.line(60.0) == "linear, fold 2: 40 of at most 100 · at most 20 s left"
    assert later.after("nudge", 1, 5, 61.0).since == 61.0


def test_an_adapter_that_ships_is_named_as_what_the_expert_is_searched_with(
    open_page: OpenPage, filled: Symposium
) -> None:
    import numpy as np

    slice_ = filled.panel.experts["engines"].slice
    slice_.adapt(Linear(np.eye(64, dtype=np.float32)), CARD.to_dict())
    filled.panel.install(slice_)
    page = open_page("experts")
    assert "adapter: linear" in said(page) and "0.610 → 0.700" in said(page)


def test_thumbs_given_in_the_chat_are_something_to_learn_from(
    open_page: OpenPage, training: list[Request], filled: Symposium, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = open_page("experts")
    page.radio(key="train-from").set_value("thumbs given in the chat").run()
    page.button(key="train").click().run()
    assert "The thumbs given in the chat hold no pair for expert 'engines': 0 up, 0 down." in said(page)
    pairs = (Pair("What turns the crankshaft?", "p1", "engines"),)
    monkeypatch.setattr("app.chat.panes.training.taught", lambda _turns, expert: Taught(pairs, 1, 0, 0, 0))
    page.button(key="train").click().run()
    finished(page)
    assert training[0].data[0].endswith("thumbs.jsonl")
