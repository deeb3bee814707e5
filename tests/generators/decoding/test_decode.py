from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import FrozenInstanceError, dataclass, field

import pytest
import torch

from generators.decoding.decode import Step, decode
from generators.policies.adacad import AdaCAD
from generators.policies.base import Policy
from generators.policies.cad import CAD
from generators.policies.divergences import LN2, jensen_shannon
from generators.policies.greedy import Greedy
from indexes.errors import InputError

END = 256
VOCABULARY = 257


@dataclass
class FakeState:
    rows: list[list[int]]
    logits: torch.Tensor


@dataclass
class FakeModel:
    """Bytes are tokens; the rule says what follows a row that has had some bytes of answer."""

    rule: Callable[[Sequence[int], int], torch.Tensor]
    window: int = 64
    eos_ids: frozenset[int] = frozenset({END})
    prompts: list[int] = field(default_factory=list)
    passes: int = 0

    def prefill(self, rows: Sequence[Sequence[int]]) -> FakeState:
        self.prompts = [len(row) for row in rows]
        return self._next([list(row) for row in rows])

    def advance(self, state: FakeState, tokens: Sequence[int]) -> torch.Tensor:
        assert len(tokens) == len(state.rows)
        return self._next([[*row, token] for row, token in zip(state.rows, tokens, strict=True)], state).logits

    def decode(self, tokens: Sequence[int]) -> str:
        return bytes(token for token in tokens if token != END).decode("utf-8", errors="replace")

    def _next(self, rows: list[list[int]], state: FakeState | None = None) -> FakeState:
        self.passes += 1
        logits = torch.stack([self.rule(row, len(row) - start) for row, start in zip(rows, self.prompts, strict=True)])
        if state is None:
            return FakeState(rows, logits)
        state.rows, state.logits = rows, logits
        return state


def one_hot(token: int, height: float = 9.0) -> torch.Tensor:
    logits = torch.zeros(VOCABULARY)
    logits[token] = height
    return logits


def says(text: str, *, then_ends: bool = True) -> FakeModel:
    script = [*text.encode(), END] if then_ends else list(text.encode())
    return FakeModel(lambda row, position: one_hot(script[position % len(script)]))


def text_of(steps: Sequence[Step]) -> str:
    return "".join(step.text for step in steps)


def run(model: FakeModel, stop: Sequence[str] = (), max_tokens: int = 50) -> list[Step]:
    return list(decode(model, [1, 2], None, Greedy(), max_tokens=max_tokens, stop=stop))


def test_the_stream_ends_with_the_end_token() -> None:
    steps = run(says("Paris."))
    assert text_of(steps) == "Paris."
    assert [step.done for step in steps] == [False] * 6 + [True]
    assert (steps[-1].token, steps[-1].text, steps[-1].reason) == (END, "", "end")


def test_any_of_several_end_tokens_ends_the_stream() -> None:
    model = says("ab|cd")
    model.eos_ids = frozenset({END, ord("|")})
    assert text_of(run(model)) == "ab"


def test_the_last_token_costs_no_further_pass() -> None:
    model = says("abc")
    run(model)
    assert model.passes == 4
    model = says("abc", then_ends=False)
    run(model, max_tokens=3)
    assert model.passes == 3


def test_the_length_limit_ends_the_stream() -> None:
    steps = run(says("abcdef", then_ends=False), max_tokens=4)
    assert text_of(steps) == "abcd"
    assert [step.reason for step in steps] == ["", "", "", "length"]


def test_the_window_ends_the_stream_before_max_tokens_does() -> None:
    model = says("x", then_ends=False)
    model.window = 5
    steps = list(decode(model, [1], [1, 2, 3], Greedy(), max_tokens=100))
    assert len(steps) == 2
    assert steps[-1].reason == "length"


def test_characters_of_several_bytes_come_out_whole() -> None:
    steps = run(says("né 🙂!"))
    assert text_of(steps) == "né 🙂!"
    assert all("\ufffd" not in step.text for step in steps)


def test_half_a_character_at_the_length_limit_is_dropped() -> None:
    assert text_of(run(says("a🙂"), max_tokens=3)) == "a"


def test_a_stop_string_over_several_tokens_leaks_nothing() -> None:
    model = says("Yes.\nQuestion: next")
    steps = run(model, stop=["\nQuestion:"])
    assert text_of(steps) == "Yes."
    assert (steps[-1].done, steps[-1].reason) == (True, "stop")
    assert model.passes == len("Yes.\nQuestion:")


@pytest.mark.parametrize(("text", "limit", "reason"), [("Yes.\nQuest", 50, "end"), ("Yes.\nQuestions", 10, "length")])
def test_the_beginning_of_a_stop_string_is_shown_once_the_stream_ends_otherwise(
    text: str, limit: int, reason: str
) -> None:
    steps = run(says(text), stop=["\nQuestion:"], max_tokens=limit)
    assert text_of(steps) == "Yes.\nQuest"
    assert steps[-1].reason == reason


def test_one_branch_runs_as_one_row_without_divergence() -> None:
    model = says("ab")
    steps = run(model)
    assert len(model.prompts) == 1
    assert all(math.isnan(step.divergence) for step in steps)


def conflicted(row: Sequence[int], position: int) -> torch.Tensor:
    """Prompts that begin with 9 hold a passage: it says B, memory says A. Both then end."""
    if position:
        return one_hot(END, 20.0)
    logits = torch.full((VOCABULARY,), -30.0)
    logits[[ord("A"), ord("B")]] = torch.tensor([3.0, 2.0] if row[0] == 9 else [3.0, 0.0])
    return logits


@pytest.mark.parametrize(
    ("policy", "expected"), [(Greedy(), "A"), (CAD(1.0), "B"), (AdaCAD(0.0), "A"), (AdaCAD(0.6), "B")]
)
def test_the_policy_decides_between_the_branches(policy: Policy, expected: str) -> None:
    assert text_of(list(decode(FakeModel(conflicted), [9, 9], [5], policy, max_tokens=5))) == expected


def test_divergence_is_measured_at_every_step_whatever_the_policy() -> None:
    expected = jensen_shannon(conflicted([9], 0), conflicted([5], 0))
    assert 0 < expected < LN2
    for policy in (Greedy(), CAD(0.0), AdaCAD()):
        steps = list(decode(FakeModel(conflicted), [9, 9, 9], [5], policy, max_tokens=5))
        assert [step.divergence for step in steps] == [expected, 0.0]


def test_both_branches_are_one_pass_a_token() -> None:
    model = says("abcdef")
    steps = list(decode(model, [1, 2, 3], [4], Greedy(), max_tokens=20))
    assert text_of(steps) == "abcdef"
    assert model.passes == 1 + 6  # both prompts, and each token but the last


def test_both_branches_are_fed_the_chosen_token() -> None:
    model = says("abc")
    steps = list(decode(model, [1, 2, 3], [4], AdaCAD(), max_tokens=9))
    assert text_of(steps) == "abc"
    assert model.prompts == [3, 1]


def test_sampling_repeats_with_its_seed() -> None:
    flat = FakeModel(lambda row, position: torch.zeros(VOCABULARY))
    runs = [
        [step.token for step in decode(flat, [1], None, Greedy(), max_tokens=20, temperature=1.0, seed=seed)]
        for seed in (1, 1, 2)
    ]
    assert runs[0] == runs[1] != runs[2]


@pytest.mark.parametrize("after", [0, 1, 3])
def test_cancelling_ends_the_stream_before_the_next_pass(after: int) -> None:
    model = says("abcdefgh", then_ends=False)
    seen: list[str] = []
    for step in decode(model, [1], None, Greedy(), max_tokens=8, cancelled=lambda: len(seen) >= after):
        assert not step.done
        seen.append(step.text)
    assert len(seen) == model.passes == after


def test_cancelling_during_a_pass_ends_the_stream_with_it() -> None:
    model = says("abc", then_ends=False)
    steps = list(decode(model, [1], None, Greedy(), max_tokens=8, cancelled=lambda: model.passes >= 2))
    assert text_of(steps) == "a"
    assert model.passes == 2


def test_the_model_runs_only_as_steps_are_drawn() -> None:
    model = says("abc", then_ends=False)
    stream = decode(model, [1], None, Greedy(), max_tokens=50)
    assert model.passes == 0
    assert len(list(itertools.islice(stream, 2))) == 2
    assert model.passes == 2


@pytest.mark.parametrize(
    ("with_context", "without", "max_tokens", "policy"),
    [
        ([1] * 64, None, 5, Greedy()),
        ([1], [1] * 65, 5, Greedy()),
        ([], None, 5, Greedy()),
        ([1], [], 5, Greedy()),
        ([1], None, 0, Greedy()),
        ([1], None, 5, AdaCAD()),
    ],
)
def test_bad_arguments_are_refused_at_once(
    with_context: list[int], without: list[int] | None, max_tokens: int, policy: Policy
) -> None:
    model = says("abc")
    with pytest.raises(InputError):
        decode(model, with_context, without, policy, max_tokens=max_tokens)
    assert model.passes == 0


def test_a_prompt_longer_than_the_window_is_refused_with_both_numbers() -> None:
    with pytest.raises(InputError, match=r"70 tokens.*at most 64"):
        decode(says("abc"), [1] * 70, None, Greedy(), max_tokens=5)


def test_a_step_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        run(says("a"))[0].text = "b"  # type: ignore[misc]
