from __future__ import annotations

import pytest

from indexes.errors import InputError
from retrievers.gate import NullExpert
from retrievers.router import Router, ScoredRouter, Wishes
from retrievers.view import View
from tests.fakes import QUESTIONS, TOPICS, make_passages
from tests.retrievers.conftest import MakePanel, facts, fill

FORBIDDEN = ("engines", "planets")


def test_it_finds_what_a_panel_of_its_experts_alone_finds(
    make_panel: MakePanel, tmp_path_factory: pytest.TempPathFactory
) -> None:
    view = View(make_panel(*TOPICS), frozenset({"orchard", "engines"}))
    alone = make_panel("orchard", "engines", folder=tmp_path_factory.mktemp("alone"))
    for question in (*QUESTIONS.values(), "Thank you very much", "Which moon circles the crankshaft?"):
        assert facts(view.retrieve(question)) == facts(alone.retrieve(question))
        assert view.rank_many([question], 5)[0][0] == alone.rank_many([question], 5)[0][0]


def test_it_follows_the_panel_and_closing_it_closes_nothing(make_panel: MakePanel) -> None:
    panel = make_panel("orchard")
    view = View(panel, frozenset({"orchard", "planets"}))
    fill(panel, "engines")
    fill(panel, "planets")
    assert list(view.experts) == ["orchard", "planets"]
    panel.withdraw("orchard")
    view.close()
    assert list(view.experts) == ["planets"]
    assert list(panel.experts) == ["engines", "planets"]


def test_only_problems_of_what_is_seen_are_told(make_panel: MakePanel) -> None:
    panel = make_panel("orchard")
    panel._problems = {"engines": "damaged", "planets": "locked"}
    view = View(panel, frozenset({"orchard", "planets"}))
    assert view.problems == {"planets": "locked"}
    assert view.retrieve(QUESTIONS["orchard"])[0].failures == {"planets": "locked"}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_what_is_not_seen_can_neither_be_asked_nor_filled_nor_withdrawn(make_panel: MakePanel, name: str) -> None:
    panel = make_panel("orchard", "engines")  # the one is there, the other is not
    view = View(panel, frozenset({"orchard"}))
    sample = make_passages(["One sentence."])
    refusals = []
    for call in (
        lambda: view.retrieve("apples", Wishes(force=(name,))),
        lambda: view.withdraw(name),
        lambda: view.slice(name, "", sample),
    ):
        with pytest.raises(InputError) as refused:
            call()
        refusals.append(str(refused.value).replace(name, "X"))
    assert refusals == [
        "There is no expert named 'X'.\nThe experts are: orchard.",
        "There is no expert named 'X'.\nThe experts are: orchard.",
        "You may not add documents to an expert named 'X'.\nThe names that you may use are: orchard.",
    ]
    with pytest.raises(InputError, match="may not add"):
        view.install(panel.experts["engines"].slice)
    assert list(panel.experts) == ["orchard", "engines"]


def test_its_router_is_made_for_those_who_see_it(make_panel: MakePanel) -> None:
    panel, made = make_panel("orchard"), []

    def make(null: NullExpert, *, seen: frozenset[str] | None = None) -> Router:
        made.append(seen)
        return ScoredRouter(null)

    panel.make_router = make
    view = View(panel, frozenset({"orchard"}))
    assert view.router is view.router
    assert view.router is not panel.router
    assert made == [{"orchard"}, None]
    assert view.null is panel.null
