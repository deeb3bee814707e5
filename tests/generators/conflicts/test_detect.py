from __future__ import annotations

from dataclasses import replace

import pytest

from generators.conflicts.detect import conflict_of, enumerated, find_conflict
from generators.conflicts.per_passage import PassageAnswer
from generators.conflicts.thresholds import DEFAULT
from tests.generators.conflicts.speaker import Speaker, found

QUESTION = "How many days of leave do employees of Acme get?"
OLD = found(1, "Employees of Acme get 25 days of leave.", "Acme handbook", date="2019-01-01")
NEW = found(2, "Acme gives its employees 30 days of leave a year.", "Acme policy", date="2023-01-01")
ALSO = found(3, "At Acme, leave is 30 days for all employees.", "Acme intranet")
NOISE = found(4, "Employees of Acme get lunch at noon, all 7 days.", "Acme canteen")
SAYS = {"get 25": "25 days", "gives its": "30 days", "leave is 30": "30 days"}


def test_sides_keep_their_own_passages_and_the_most_supported_is_first() -> None:
    conflict = find_conflict(Speaker(SAYS), QUESTION, [OLD, NEW, ALSO, NOISE])
    assert conflict is not None
    assert conflict.question == QUESTION
    assert [(side.text, [c.number for c in side.citations]) for side in conflict.sides] == [
        ("30 days", [2, 3]),
        ("25 days", [1]),
    ]
    (citation,) = conflict.sides[1].citations
    assert OLD.passage.text[citation.start : citation.end] == "Employees of Acme get 25 days of leave."


def test_all_passages_are_asked_in_one_batch() -> None:
    model = Speaker(SAYS)
    batches: list[int] = []
    prefill = model.prefill
    model.prefill = lambda rows: (batches.append(len(rows)), prefill(rows))[1]  # type: ignore[method-assign]
    find_conflict(model, QUESTION, [OLD, NEW, ALSO, NOISE])
    assert batches == [4]


def test_passages_that_agree_are_no_conflict() -> None:
    assert find_conflict(Speaker(SAYS), QUESTION, [NEW, ALSO, NOISE]) is None


def test_an_answer_that_its_passage_does_not_hold_makes_no_side() -> None:
    assert find_conflict(Speaker(SAYS | {"noon": "20 days"}), QUESTION, [NEW, NOISE]) is None


def test_an_answer_of_which_the_model_is_not_sure_makes_no_side() -> None:
    assert find_conflict(Speaker(SAYS, unsure=["25 days"]), QUESTION, [OLD, NEW]) is None


def test_a_less_sure_answer_will_do_where_its_sentence_has_the_words_of_the_question() -> None:
    sure = PassageAnswer(1, "25 days", -0.1, 1.0, 1.0, 0, 5)
    least = DEFAULT.log_prob - DEFAULT.near

    def sides(log_prob: float, near: float) -> int:
        rival = PassageAnswer(2, "30 days", log_prob, 1.0, near, 0, 5)
        conflict = conflict_of(QUESTION, [sure, rival], [OLD, NEW], replace(DEFAULT, same=0.0))
        return len(conflict.sides) if conflict else 0

    assert sides(least, 1.0) == sides(DEFAULT.log_prob, 0.0) == 2
    assert sides(least, 0.5) == sides(least - 0.01, 1.0) == 0


def test_an_answer_of_another_sort_makes_no_side() -> None:
    assert find_conflict(Speaker(SAYS | {"noon": "lunch"}), QUESTION, [NEW, NOISE]) is None


def test_a_list_in_one_passage_is_no_conflict() -> None:
    question = "Who wrote the Acme manual?"
    both = found(1, "The Acme manual was written by Ann Lee, Bob Ray and Cleo Dunn.", "Acme")
    one = found(2, "Cleo Dunn wrote the Acme manual.", "Acme staff")
    other = found(3, "Dan Fox wrote the Acme manual.", "Acme news")
    says = {"Ann Lee": "Ann Lee", "Cleo Dunn wrote": "Cleo Dunn", "Dan Fox": "Dan Fox"}
    assert find_conflict(Speaker(says), question, [both, one]) is None
    assert find_conflict(Speaker(says), question, [both, one, other]) is not None


def test_a_list_joins_all_answers_that_it_holds() -> None:
    question = "Who wrote the Acme manual?"
    passages = [
        found(1, "Ann Lee wrote the Acme manual.", "Acme news"),
        found(2, "Cleo Dunn wrote the Acme manual.", "Acme staff"),
        found(3, "Those who wrote the Acme manual are Ann Lee, Bob Ray and Cleo Dunn.", "Acme"),
        found(4, "Dan Fox wrote the Acme manual.", "Acme blog"),
    ]
    model = Speaker({"Bob Ray": "Bob Ray", "Ann Lee": "Ann Lee", "Cleo Dunn": "Cleo Dunn", "Dan Fox": "Dan Fox"})
    assert find_conflict(model, question, passages[:3]) is None
    conflict = find_conflict(model, question, passages)
    assert conflict is not None
    assert [[citation.number for citation in side.citations] for side in conflict.sides] == [[1, 2, 3], [4]]


def test_another_subject_makes_no_side() -> None:
    other = found(2, "Employees get 12 days of leave.", "Bolt handbook")
    says = SAYS | {"get 12": "12 days"}
    assert find_conflict(Speaker(says), QUESTION, [OLD, other]) is None
    unnamed = found(2, "Employees get 12 days of leave.")
    assert find_conflict(Speaker(says), QUESTION, [OLD, unnamed]) is not None


def test_two_passages_of_one_document_are_one_source() -> None:
    again = replace(OLD, number=5, passage=replace(OLD.passage, id="again", text=f"{OLD.passage.text} Yes."))
    conflict = find_conflict(Speaker(SAYS), QUESTION, [OLD, again, NEW, ALSO])
    assert conflict is not None
    assert [side.text for side in conflict.sides] == ["30 days", "25 days"]


def test_a_document_that_says_two_things_is_on_the_side_of_its_surest() -> None:
    aside = replace(
        OLD, number=5, passage=replace(OLD.passage, id="aside", text="Acme counts 12 days of leave at first.")
    )
    says = SAYS | {"at first": "12 days"}
    assert find_conflict(Speaker(says), QUESTION, [OLD, aside]) is None
    conflict = find_conflict(Speaker(says), QUESTION, [aside, OLD, NEW])
    assert conflict is not None
    assert [side.text for side in conflict.sides] == ["25 days", "30 days"]


@pytest.mark.parametrize("probability", [0.0, 0.05])
def test_the_model_is_not_asked_where_one_passage_alone_is_relevant(probability: float) -> None:
    model = Speaker(SAYS)
    assert find_conflict(model, QUESTION, [OLD, replace(NEW, probability=probability)]) is None
    assert model.prompts == []


def test_the_model_is_not_asked_where_all_passages_hold_the_answer() -> None:
    model = Speaker(SAYS)
    assert find_conflict(model, QUESTION, [NEW, ALSO], answer="Employees get 30 days of leave.") is None
    assert model.prompts == []
    find_conflict(model, QUESTION, [OLD, NEW], answer="Employees get 30 days of leave.")
    assert len(model.prompts) == 2


def test_passages_that_hold_the_answer_are_asked_only_where_another_says_otherwise() -> None:
    answer = "Employees get 30 days of leave."
    model = Speaker(SAYS)
    assert find_conflict(model, QUESTION, [NEW, ALSO, NOISE], answer=answer) is None
    assert len(model.prompts) == 1
    conflict = find_conflict(model, QUESTION, [NEW, ALSO, OLD, NOISE], answer=answer)
    assert conflict is not None
    assert [side.text for side in conflict.sides] == ["30 days", "25 days"]
    assert len(model.prompts) == 1 + 4


@pytest.mark.parametrize("said", [("Yes", "No"), ("allowed", "not allowed")])
def test_a_passage_that_denies_the_answer_does_not_say_it(said: tuple[str, str]) -> None:
    question = "Is smoking allowed in the yard of Acme?"
    yes = found(1, "Smoking is allowed in the yard.", "Acme rules 1")
    no = found(2, "Smoking is not allowed in the yard.", "Acme rules 2")
    model = Speaker({"is allowed": said[0], "is not allowed": said[1]})
    conflict = find_conflict(model, question, [yes, no], answer="Smoking is allowed.")
    assert conflict is not None
    assert {side.text for side in conflict.sides} == set(said)
    assert find_conflict(model, question, [yes, no]) == conflict


def test_an_enumeration_has_short_items_and_separators() -> None:
    assert enumerated("Cleo", "Ann", "by Ann, Bob Ray and Cleo")
    assert not enumerated("1998", "2005", "built in 1998 and, after the fire of that year, rebuilt in 2005")
    assert not enumerated("Ann", "Dan", "by Ann, Bob and Cleo")


@pytest.mark.slow
def test_the_real_model_finds_which_manual_says_otherwise(real_folder: object) -> None:
    from pathlib import Path

    from generators.models.language_model import LocalModel

    question = "What is the torque for the wheel bolts of the Kestrel?"
    manuals = [
        found(1, "Tighten the wheel bolts of the Kestrel crosswise. The torque is 110 Nm.", "Kestrel manual 1.0"),
        found(2, "For the Kestrel, wheel bolts are tightened to a torque of 140 Nm.", "Kestrel manual 2.0"),
        found(3, "The tank of the Kestrel holds 45 litres of fuel.", "Kestrel data sheet"),
    ]
    model = LocalModel(Path(str(real_folder)))
    conflict = find_conflict(model, question, manuals)
    assert conflict is not None
    assert sorted((side.text.split()[0], side.citations[0].number) for side in conflict.sides) == [
        ("110", 1),
        ("140", 2),
    ]
    assert find_conflict(model, question, [manuals[0], manuals[2]]) is None


def test_what_a_headed_passage_says_in_a_sentence_further_from_the_question_makes_no_side() -> None:
    question = "What is the capital of Saudi Arabia?"
    right = found(1, "Capital: Riyadh", "Saudi Arabia › Government")
    holy = found(2, "Saudi Arabia is home to two holy places, Mecca and Medina.", "Saudi Arabia › Introduction")
    cities = found(3, "Largest cities: Riyadh (capital) 7.7 million, Mecca 2.2 million", "Saudi Arabia › People")
    says = {"Capital: Riyadh": "Riyadh", "holy": "Mecca", "Largest": "Mecca"}
    assert find_conflict(Speaker(says), question, [right, holy]) is None
    assert find_conflict(Speaker(says), question, [right, cities]) is None, "its sentence says Riyadh too"


def test_passages_that_name_themselves_do_not_contradict_one_another() -> None:
    question = "Which function of the random module chooses elements?"
    one = found(1, "choice(seq): chooses one of the elements; a function of the random module.", "random.choice")
    two = found(2, "sample(seq, k): chooses unique elements; a function of the random module.", "random.sample")
    says = {"choice(seq)": "random.choice", "sample(seq": "random.sample"}
    assert find_conflict(Speaker(says), question, [one, two]) is None
