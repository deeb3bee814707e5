from __future__ import annotations

from indexes.passage import Document, Mark, Passage
from retrievers.training.homemade import from_slice

BODY = "Apple trees blossom in April here. They carry red fruit from August. The end."


def passage(text: str, title: str = "", place: str = "") -> Passage:
    marks = (Mark(0, place),) if place else ()
    return Passage.of(Document(text, title=title, marks=marks), 0, len(text))


def test_titles_headings_and_sentences_ask_for_their_passages() -> None:
    one = passage(BODY, "All about apple trees", "Blossom and fruit")
    pairs = dict(zip(*vars_of([one]), strict=True))
    assert pairs["All about apple trees"] == {one.id: 1.0}
    assert pairs["All about apple trees › Blossom and fruit"] == {one.id: 1.0}
    [sentence] = [question for question in pairs if "apple trees ›" not in question and question != one.title]
    assert sentence in {"Apple trees blossom in April here.", "They carry red fruit from August."}


def vars_of(passages: list[Passage]) -> tuple[tuple[str, ...], tuple[object, ...]]:
    labelled = from_slice(passages, seed=0)
    return labelled.questions, labelled.relevant


def test_short_titles_widely_shared_titles_and_lone_sentences_ask_nothing() -> None:
    shared = [passage(f"A text of one line, number {n}.", "The handbook of our company") for n in range(6)]
    assert len(from_slice([*shared, passage("Another text of one line.", "Handbook")])) == 0


def test_a_title_of_several_passages_asks_for_all_of_them() -> None:
    both = [passage("First part of the text.", "How to prune trees"), passage("Second part.", "How to prune trees")]
    labelled = from_slice(both)
    assert labelled.relevant == ({both[0].id: 1.0, both[1].id: 1.0},)


def test_the_limit_is_shared_among_the_kinds_and_the_seed_decides() -> None:
    many = [passage(f"{BODY} {n}", f"The tree with number {n}") for n in range(50)]
    labelled = from_slice(many, seed=0, limit=20)
    titles = [question for question in labelled.questions if question.startswith("The tree")]
    assert (len(titles), len(from_slice(many[::-1], seed=0, limit=20))) == (10, len(labelled))
    assert from_slice(many[::-1], seed=0, limit=20) == labelled
    assert from_slice(many, seed=1, limit=20) != labelled
