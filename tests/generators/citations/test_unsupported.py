from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from generators.answer import Claim, Status
from generators.citations.unsupported import without_unsupported
from generators.sentences import sentences


def claims_of(text: str, *statuses: Status) -> list[Claim]:
    spans = sentences(text)
    return [Claim(text[a:b], a, b, status) for (a, b), status in zip(spans, statuses, strict=True)]


def test_a_sentence_in_the_middle_goes_and_the_next_moves_up() -> None:
    text = "One is red. Two is blue. Three is green."
    left, kept = without_unsupported(text, claims_of(text, "supported", "unsupported", "supported"))
    assert left == "One is red. Three is green."
    assert [left[claim.start : claim.end] for claim in kept] == ["One is red.", "Three is green."]


def test_the_last_sentence_leaves_no_blank_behind() -> None:
    text = "One is red.\nTwo is blue."
    assert without_unsupported(text, claims_of(text, "supported", "unsupported"))[0] == "One is red."


def test_a_text_without_unsupported_sentences_is_unchanged() -> None:
    text = " One is red. Two is blue."
    claims = claims_of(text, "supported", "memory")
    assert without_unsupported(text, claims) == (text, tuple(claims))


def test_nothing_is_left_where_nothing_is_supported() -> None:
    text = "One is red."
    assert without_unsupported(text, claims_of(text, "unsupported")) == ("", ())


@given(st.lists(st.tuples(st.text("ab ", min_size=1, max_size=5), st.booleans()), min_size=1, max_size=6))
def test_every_kept_claim_stands_at_its_offsets(parts: list[tuple[str, bool]]) -> None:
    text = " ".join(f"x{words}y." for words, _ in parts)
    spans, start = [], 0
    for words, _ in parts:
        spans.append((start, start + len(words) + 3))
        start += len(words) + 4
    pairs = zip(spans, parts, strict=True)
    claims = [Claim(text[a:b], a, b, "supported" if kept else "unsupported") for (a, b), (_, kept) in pairs]
    left, remaining = without_unsupported(text, claims)
    assert [claim.text for claim in remaining] == [claim.text for claim in claims if claim.status == "supported"]
    assert all(left[claim.start : claim.end] == claim.text for claim in remaining)
