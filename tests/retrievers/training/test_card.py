from __future__ import annotations

import json

from retrievers.training.card import Card, Estimate, Line, Sizes, Source

LINE = Line("linear", "λ 1", Estimate(0.61234, 0.55, 0.65), p=0.02)
ONE_FOLD = Card("birds", "linear", True, "It is better.", (Source("a", 40),), Sizes(30, 10, 5, passages=99), (LINE,))


def test_a_card_is_plain_json_with_named_ends_of_intervals() -> None:
    values = json.loads(json.dumps(ONE_FOLD.to_dict()))
    assert values["dev"][0]["ndcg"] == {"value": 0.61234, "low": 0.55, "high": 0.65}
    assert values["sources"] == [{"name": "a", "questions": 40}]


def test_a_card_tells_where_dev_came_from() -> None:
    assert "30 train and 10 dev questions held out of them; 5 test questions; 99 passages." in str(ONE_FOLD)
    given = Card("birds", "linear", True, "", (Source("a", 40),), Sizes(30, 10), (LINE,), held_out=False)
    assert "30 train and 10 dev questions; 0 passages." in str(given)
    crossed = Card("birds", "linear", True, "", (Source("a", 40),), Sizes(32, 40, folds=5), (LINE,))
    assert "Each of 40 questions judges once and trains in 4 of 5 folds, 32 in a fold" in str(crossed)


def test_a_card_prints_its_numbers() -> None:
    assert "dev linear: 0.612 [0.550, 0.650]" in str(ONE_FOLD)


def test_a_card_without_training_says_only_why() -> None:
    assert str(Card("birds", "identity", True, "Back.", (), Sizes(), ())) == "birds: identity\nBack."
