"""Where everybody who could be asked is forbidden, nobody has searched the sources: that is an error, and no answer."""

from __future__ import annotations

import pytest

from indexes.errors import InputError, SliceError
from retrievers.panel import Panel
from retrievers.router import Wishes
from retrievers.view import View
from tests.fakes import QUESTIONS, TOPICS

QUESTION = QUESTIONS["orchard"]


@pytest.mark.parametrize(
    ("wishes", "named"),
    [
        (Wishes(forbid=tuple(TOPICS)), ", ".join(sorted(TOPICS))),
        (Wishes(forbid=tuple(TOPICS), retrieval=True), ", ".join(sorted(TOPICS))),
        (Wishes(force=("orchard",), forbid=("orchard",)), "orchard"),
    ],
)
def test_forbidding_all_that_could_be_asked_is_an_error_that_names_them(
    panel: Panel, wishes: Wishes, named: str
) -> None:
    with pytest.raises(InputError, match=rf"that could be asked are forbidden: {named}\.") as caught:
        panel.retrieve(QUESTION, wishes)
    assert "--no-retrieve" in caught.value.fix
    with pytest.raises(InputError, match="are forbidden"):
        panel.rank_many([QUESTION], 3, wishes)


def test_a_question_that_needs_no_sources_is_answered_though_all_are_forbidden(panel: Panel) -> None:
    everybody = tuple(TOPICS)
    assert panel.retrieve("Thank you very much", Wishes(forbid=everybody))[0].decision == "skip"
    assert panel.retrieve(QUESTION, Wishes(forbid=everybody, retrieval=False))[0].decision == "skip"


def test_forbidding_all_that_one_sees_says_nothing_of_those_that_one_does_not_see(panel: Panel) -> None:
    with pytest.raises(InputError, match=r"are forbidden: orchard\.") as caught:
        View(panel, frozenset({"orchard"})).retrieve(QUESTION, Wishes(forbid=("orchard",)))
    assert not any(name in str(caught.value) for name in ("engines", "planets"))
    nobody = View(panel, frozenset())
    with pytest.raises(SliceError, match="There are no experts") as seen:
        nobody.retrieve(QUESTION, Wishes(retrieval=True))
    with pytest.raises(InputError, match="no expert named 'orchard'") as unknown:
        nobody.retrieve(QUESTION, Wishes(forbid=("orchard",)))
    assert not any(name in f"{seen.value} {unknown.value.fix}" for name in TOPICS)
