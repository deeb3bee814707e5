"""Over HTTP, too, what a key does not see does not exist, on any address."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from tests.app.access.over_http import everything
from tests.app.access.systems import Asked, Pool, assert_alike, make_system
from tests.fakes import QUESTIONS, TOPICS, make_passages

NAMES = ("orchard", "engines", "planets", "payroll")
SECRET = "Payroll: the chief engineer of the orchard earns CANARY-9471 a month."
QUESTION = st.sampled_from([*QUESTIONS.values(), "Who are you?", "What does the chief engineer earn?", "12 + 30", "?"])
SOME = st.lists(st.sampled_from([*NAMES, "nobody"]), max_size=1).map(tuple)
ASKED = st.builds(Asked, QUESTION, SOME, SOME, st.sampled_from([None, None, True, False]))
EARNS = Asked("What does the chief engineer earn?", ("payroll",))


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    passages = {name: make_passages(texts, title=name.title()) for name, texts in TOPICS.items()}
    passages["payroll"] = make_passages([SECRET, "Salaries are paid on the last day of each month."])
    pool = Pool.of(tmp_path_factory.mktemp("pool"), passages, {"payroll": ("Who earns how much?",)})
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr("indexes.atomic.os.fsync", lambda _: None)
        yield pool
    pool.panel.close()


@pytest.mark.slow
@example(frozenset({"orchard"}), frozenset(), [Asked(QUESTIONS["orchard"]), EARNS], True)
@example(
    frozenset({"orchard", "engines"}),
    frozenset({"planets"}),
    [Asked(QUESTIONS["planets"]), Asked("Who are you?")],
    False,
)
@example(frozenset(), frozenset({"orchard", "payroll"}), [EARNS], False)
@settings(
    max_examples=5,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.generate],
)
@given(
    sees=st.frozensets(st.sampled_from(NAMES)),
    broken=st.frozensets(st.sampled_from(NAMES), max_size=2),
    asked=st.lists(ASKED, min_size=1, max_size=2),
    before=st.booleans(),
)
def test_a_key_is_told_what_a_server_without_the_other_experts_tells(
    pool: Pool, sees: frozenset[str], broken: frozenset[str], asked: list[Asked], before: bool
) -> None:
    place = Path(mkdtemp(dir=pool.panel.folder.parent))
    problems = {name: f"The slice {name} is damaged.\nMend it." for name in broken}
    experts = {name: expert for name, expert in pool.experts.items() if name not in broken}
    whole = make_system(place / "whole", experts, problems)
    seen = {name: expert for name, expert in experts.items() if name in sees}
    fresh = make_system(place / "fresh", seen, {name: problem for name, problem in problems.items() if name in sees})
    names = [*NAMES, "nobody"]
    if before:  # another asks first: nothing that this leaves behind may show
        everything(whole, None, frozenset(NAMES), asked, names)
    told = everything(whole, sees, sees, asked, names)
    assert_alike(told, everything(fresh, None, sees, asked, names))
    assert "payroll" in sees or "CANARY" not in told.replace("like=CANARY", "")
