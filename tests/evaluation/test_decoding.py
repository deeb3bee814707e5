from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest

from evaluation.decoding import OVER_TRUST, UNDER_TRUST, Said, TimedAnswer, ask, compare_slices, measured
from evaluation.slices import ContextQuestion
from indexes.errors import InputError

CONFLICT = [
    ContextQuestion(f"swapped:{n}", f"question {n}", f"it is gold{n}", (f"gold{n}",), (f"old{n}",), "swapped")
    for n in range(30)
]
AGREEMENT = [
    ContextQuestion(f"original:{n}", f"question {n}", f"it is old{n}", (f"old{n}",), (), "original") for n in range(30)
]
MISLED = [
    *(
        ContextQuestion(f"misleading:{n}", f"thing {n}", f"it is bad{n}", (f"good{n}",), (f"bad{n}",), "misleading")
        for n in range(20)
    ),
    *(
        ContextQuestion(f"open:{n}", f"other {n}", f"<P> The Other thing {n} </P>", (f"good{n}",), (), "distractor")
        for n in range(10)
    ),
]
SLICES = {"conflict": CONFLICT, "no conflict": AGREEMENT, "context wrong": MISLED}
EVERYTHING = [item for group in SLICES.values() for item in group]


def reads(item: ContextQuestion) -> str:
    """Follows the context, whatever it says."""
    return item.context.split(" is ")[-1] if " is " in item.context else "Other thing"


def remembers(item: ContextQuestion) -> str:
    return f"It is {item.rival[0]}" if item.kind == "swapped" else item.gold[0]


def knows(item: ContextQuestion) -> str:
    return item.gold[0]


def timed(
    answer: Callable[[ContextQuestion], str], seconds: float = 0.1, tokens: int = 4
) -> Callable[[ContextQuestion], TimedAnswer]:
    return lambda item: TimedAnswer(answer(item), tokens, seconds * tokens)


POLICIES = {"greedy": timed(reads), "adacad": timed(remembers, 0.2), "ours": timed(knows, 0.12)}


def said_by(*names: str, items: list[ContextQuestion] = EVERYTHING) -> list[Said]:
    return list(ask(items, {name: POLICIES[name] for name in names}))


def value(name: str, measure: str, slice_name: str = "conflict") -> float:
    comparison = compare_slices(SLICES, said_by(*POLICIES), resamples=200)
    return comparison.slices[slice_name].row(name).values[measure].value


@pytest.mark.parametrize(
    ("text", "item", "expected"),
    [
        ("gold0", CONFLICT[0], {"EM": 1.0, "contains": 1.0, "F1": 1.0, UNDER_TRUST: 0.0}),
        ("It is old0.", CONFLICT[0], {"EM": 0.0, "contains": 0.0, "F1": 0.0, UNDER_TRUST: 1.0}),
        ("Not old0 but gold0", CONFLICT[0], {"EM": 0.0, "contains": 1.0, "F1": 0.4, UNDER_TRUST: 0.0}),
        ("it is", CONFLICT[0], {"EM": 0.0, "contains": 0.0, "F1": 0.0, UNDER_TRUST: 0.0}),
        ("old0", AGREEMENT[0], {"EM": 1.0, "contains": 1.0, "F1": 1.0}),
        ("bad0", MISLED[0], {"EM": 0.0, "contains": 0.0, "F1": 0.0, OVER_TRUST: 1.0}),
        ("It's bad0!", MISLED[0], {"EM": 0.0, "contains": 0.0, "F1": 0.0, OVER_TRUST: 1.0}),
        ("good0", MISLED[0], {"EM": 1.0, "contains": 1.0, "F1": 1.0, OVER_TRUST: 0.0}),
        ("something else", MISLED[0], {"EM": 0.0, "contains": 0.0, "F1": 0.0, OVER_TRUST: 0.0}),
        ("", MISLED[0], {"EM": 0.0, "contains": 0.0, "F1": 0.0, OVER_TRUST: 0.0}),
        ("other thing.", MISLED[20], {"EM": 0.0, "contains": 0.0, "F1": 0.0, OVER_TRUST: 1.0}),
        ("thin", MISLED[20], {"EM": 0.0, "contains": 0.0, "F1": 0.0, OVER_TRUST: 0.0}),
    ],
)
def test_an_answer_is_measured_by_what_its_context_calls_for(
    text: str, item: ContextQuestion, expected: dict[str, float]
) -> None:
    assert measured(text, item) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["It", "not", "in", "It was", "no, not in it", "the", "?"])
def test_an_answer_that_names_nothing_follows_no_context(text: str) -> None:
    context = "It was in London, the Globe was not in it: no, not in it. No."
    item = ContextQuestion("d:1", "Who wrote Hamlet?", context, ("Shakespeare",), (), "distractor")
    assert measured(text, item)[OVER_TRUST] == 0.0
    assert measured("London", item)[OVER_TRUST] == measured("was in London", item)[OVER_TRUST] == 1.0


def test_a_short_answer_that_the_context_gives_follows_it_whatever_its_words() -> None:
    item = ContextQuestion("m:1", "Which pronoun?", "It is 'they'.", ("we",), ("they",), "misleading")
    assert measured("They", item)[OVER_TRUST] == 1.0


def test_each_slice_has_its_measures_and_the_error_that_it_can_show() -> None:
    comparison = compare_slices(SLICES, said_by(*POLICIES), resamples=200)
    timing = ("s/token", "x greedy", "total x greedy")
    assert comparison.slices["conflict"].measures == ("EM", "contains", "F1", UNDER_TRUST, *timing)
    assert comparison.slices["no conflict"].measures == ("EM", "contains", "F1", *timing)
    assert comparison.slices["context wrong"].measures == ("EM", "contains", "F1", OVER_TRUST, *timing)
    assert {row.n for row in comparison.slices["conflict"].rows} == {30}


def test_what_reads_follows_every_context_and_what_remembers_follows_none() -> None:
    assert (value("greedy", "EM"), value("greedy", UNDER_TRUST)) == (1.0, 0.0)
    assert (value("adacad", "EM"), value("adacad", UNDER_TRUST)) == (0.0, 1.0)
    assert (value("greedy", "EM", "context wrong"), value("greedy", OVER_TRUST, "context wrong")) == (0.0, 1.0)
    assert (value("adacad", "EM", "context wrong"), value("adacad", OVER_TRUST, "context wrong")) == (1.0, 0.0)
    assert value("ours", "EM", "no conflict") == 1.0


def test_quality_is_tested_against_the_baseline_with_holms_correction() -> None:
    table = compare_slices(SLICES, said_by(*POLICIES), resamples=200).slices["conflict"]
    assert table.baseline == "adacad"
    assert table.row("adacad").p == {}
    for name in ("greedy", "ours"):
        assert table.row(name).p["EM"] == pytest.approx(2 / 10_000)  # the least, twice
        assert table.row(name).difference["EM"].value == 1.0
    assert compare_slices(SLICES, said_by(*POLICIES), resamples=200).slices["no conflict"].row("ours").p["EM"] == 1.0


def test_time_is_given_for_each_token_and_as_a_ratio_to_the_reference() -> None:
    row = compare_slices(SLICES, said_by(*POLICIES), resamples=200).slices["conflict"].row("adacad")
    assert row.values["s/token"].value == pytest.approx(0.2)
    assert row.values["x greedy"].value == pytest.approx(2.0)
    assert row.values["total x greedy"].value == pytest.approx(2.0)


def test_a_few_slow_answers_show_in_the_total_where_the_median_hides_them() -> None:
    def uneven(item: ContextQuestion) -> TimedAnswer:
        return TimedAnswer("x", 10, 11.0 if item.id in {"swapped:0", "swapped:1", "swapped:2"} else 1.0)

    policies = {"greedy": lambda item: TimedAnswer("x", 10, 1.0), "adacad": uneven}
    table = compare_slices({"conflict": CONFLICT}, list(ask(CONFLICT, policies)), resamples=2000).summary
    total = table.row("adacad").values["total x greedy"]
    assert table.row("adacad").values["x greedy"].value == 1.0
    assert total.value == pytest.approx(2.0)
    assert 1.0 <= total.low < 1.5
    assert total.high > 2.5


def test_some_of_the_questions_may_be_timed_after_all_were_answered() -> None:
    untimed = [Said(one.item, one.policy, one.text, 0, 0.0) for one in said_by("greedy", "adacad")]
    found = compare_slices(SLICES, [*untimed, *said_by("greedy", "adacad", items=CONFLICT[:5])], resamples=200)
    assert found.summary.row("adacad").values["x greedy"].value == pytest.approx(2.0)
    assert "Timed on 5 questions." in found.summary.notes
    assert "x greedy" not in found.slices["no conflict"].measures


def test_answers_without_time_have_no_columns_for_it() -> None:
    policies = {"greedy": timed(reads), "adacad": lambda item: TimedAnswer("x", 0, 0.0)}
    table = compare_slices({"conflict": CONFLICT}, list(ask(CONFLICT, policies)), resamples=100).summary
    assert "x greedy" not in table.row("adacad").values
    assert "x greedy" in table.row("greedy").values
    policies = dict.fromkeys(policies, policies["adacad"])
    table = compare_slices({"conflict": CONFLICT}, list(ask(CONFLICT, policies)), resamples=100).summary
    assert table.measures == ("conflict EM", f"conflict {UNDER_TRUST}")


def test_the_summary_has_a_row_for_each_policy_over_all_slices() -> None:
    table = compare_slices(SLICES, said_by(*POLICIES), policies=["ours", "adacad", "greedy"], resamples=200).summary
    assert [row.name for row in table.rows] == ["ours", "adacad", "greedy"]
    assert table.measures == (
        "conflict EM",
        "no conflict EM",
        "context wrong EM",
        "conflict under-trust",
        "context wrong over-trust",
        "s/token",
        "x greedy",
        "total x greedy",
    )
    assert [table.row("greedy").values[f"{name} EM"].value for name in SLICES] == [1.0, 1.0, 0.0]
    assert table.row("ours").n == 90
    assert table.row("ours").values["x greedy"].value == pytest.approx(1.2)
    assert any("conflict n = 30; no conflict n = 30; context wrong n = 30" in note for note in table.notes)
    assert "ours" in table.to_markdown()


def test_slices_may_overlap() -> None:
    slices = {"all": MISLED, "changed": MISLED[:20], "related": MISLED[20:]}
    found = compare_slices(slices, said_by("greedy", "adacad", items=MISLED), resamples=200)
    assert [table.rows[0].n for table in found.slices.values()] == [30, 20, 10]
    assert found.summary.row("greedy").n == 30


def test_a_comparison_is_plain_json() -> None:
    document = compare_slices(SLICES, said_by(*POLICIES), resamples=100).to_dict()
    assert json.loads(json.dumps(document)) == document


def test_every_policy_answers_every_item_in_turns_drawn_for_it() -> None:
    asked = [(one.item, one.policy) for one in said_by("greedy", "adacad", items=CONFLICT)]
    assert len(set(asked)) == 60
    assert [item for item, _ in asked] == [item.id for item in CONFLICT for _ in range(2)]
    firsts = {policy for _, policy in asked[::2]}
    assert firsts == {"greedy", "adacad"}
    assert asked == [(one.item, one.policy) for one in said_by("greedy", "adacad", items=CONFLICT)]


def test_a_run_goes_on_where_it_stopped() -> None:
    everything = said_by("greedy", "adacad", items=CONFLICT)
    known = [Said(**one.to_dict()) for one in everything[:33]]
    rest = list(ask(CONFLICT, {name: POLICIES[name] for name in ("greedy", "adacad")}, known=known))
    assert [*known, *rest] == everything


def test_of_two_answers_the_later_counts_and_foreign_ones_do_not() -> None:
    said = said_by("greedy", "adacad", items=CONFLICT)
    again = [Said(one.item, one.policy, "nothing", 1, 1.0) for one in said if one.policy == "greedy"]
    foreign = [Said("elsewhere:1", "third", "x", 1, 1.0)]
    table = compare_slices({"conflict": CONFLICT}, [*said, *again, *foreign], resamples=100).summary
    assert [row.name for row in table.rows] == sorted({one.policy for one in said}, key=[o.policy for o in said].index)
    assert table.row("greedy").values["conflict EM"].value == 0.0


def test_what_cannot_be_compared_is_refused_with_the_reason() -> None:
    said = said_by("greedy", "adacad", items=CONFLICT)
    both = {"conflict": CONFLICT}
    for slices, answers, policies, reason in (
        ({}, said, [], "no questions"),
        ({"conflict": []}, said, [], "no questions"),
        (both, said[:-1], [], "did not answer 1 of 30"),
        (both, [one for one in said if one.policy == "greedy"], [], "'adacad'"),
        (both, said, ["adacad"], "'greedy'"),
        (both, said, ["greedy", "adacad", "cad"], "'cad'"),
        ({"mixed": [*CONFLICT, *MISLED]}, said_by("greedy", "adacad"), [], "mixes"),
    ):
        with pytest.raises(InputError, match=reason):
            compare_slices(slices, answers, policies=policies)


def test_two_questions_with_one_id_are_refused() -> None:
    other = ContextQuestion("swapped:0", "another", "", ("x",), (), "swapped")
    with pytest.raises(InputError, match="swapped:0"):
        list(ask([CONFLICT[0], other], POLICIES))


def test_intervals_narrow_with_the_number_of_questions() -> None:
    def half(item: ContextQuestion) -> TimedAnswer:
        return TimedAnswer(item.gold[0] if int(item.id.split(":")[1]) % 2 else "", 1, 1.0)

    said = list(ask(CONFLICT, {"greedy": half, "adacad": half}))
    wide, narrow = (
        compare_slices({"s": items}, said, resamples=2000).slices["s"].row("greedy").values["EM"]
        for items in (CONFLICT[:10], CONFLICT)
    )
    assert narrow.value == wide.value == 0.5
    assert np.diff([narrow.low, narrow.high])[0] < np.diff([wide.low, wide.high])[0]
