"""In the chat and on its pages, too, what a person does not see does not exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app.access.principal import Action, Principal
from app.chat import conversation
from app.chat.panes import context
from app.symposium import Symposium
from tests.app.access.over_http import normal
from tests.app.access.systems import Pool, make_system
from tests.fakes import QUESTIONS, TOPICS, make_passages

MAIN = Path(__file__).parents[3] / "app" / "chat" / "main.py"
SECRET = "Payroll: the chief engineer of the orchard earns CANARY-9471 a month."
ASKED = (QUESTIONS["orchard"], "Which experts do you have?", "What does the chief engineer earn?")
DRAWN = (
    "html",
    "markdown",
    "caption",
    "button",
    "text_input",
    "selectbox",
    "multiselect",
    "radio",
    "checkbox",
    "toast",
)
SECONDS = re.compile(r"\d+(?:\.\d+)?\s?m?s\b|\d+ (?:bytes|KB|MB|kB|KiB|MiB)|\d+\.\d+ [kKM]i?B")


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    passages = {name: make_passages(texts, title=name.title()) for name, texts in TOPICS.items()}
    passages["payroll"] = make_passages([SECRET, "Salaries are paid on the last day of each month."])
    pool = Pool.of(tmp_path_factory.mktemp("pool"), passages, {"payroll": ("Who earns how much?",)})
    yield pool
    pool.panel.close()


def everything(symposium: Symposium, who: Principal, monkeypatch: pytest.MonkeyPatch) -> str:
    """All that is drawn for somebody who asks three questions, looks at the documents and at the experts."""
    for module in (context, conversation):
        monkeypatch.setattr(module, "visitor", lambda _settings: who)
    monkeypatch.setattr(Symposium, "open", lambda: symposium)
    st.cache_resource.clear()
    page = AppTest.from_file(str(MAIN), default_timeout=60).run()
    told = [drawn(page)]
    for question in ASKED:
        if page.chat_input:
            page.chat_input[0].set_value(question).run()
            told.append(drawn(page))
    told += [drawn(page.switch_page(f"views/{name}.py").run()) for name in ("library", "experts", "chat")]
    st.cache_resource.clear()
    text = normal("\n".join(told).replace(str(symposium.panel.folder), "FOLDER"))
    return re.sub(r"\b[0-9a-f]{16}\b", "TURN", SECONDS.sub("SO LONG", text))


def drawn(page: AppTest) -> str:
    """What stands on a page: HTML, words, and what can be clicked or chosen."""
    assert not page.exception
    found = []
    for kind in DRAWN:
        for element in page.get(kind):
            proto = element.proto
            said = [getattr(proto, name, "") for name in ("body", "label", "value", "placeholder")]
            found.append((kind, *said, *getattr(proto, "options", ())))
    return "\n".join(" | ".join(map(str, each)) for each in found)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sees", "broken"),
    [({"orchard"}, set()), ({"orchard", "engines"}, {"engines", "planets"}), (set(), {"payroll"})],
    ids=["one", "two and broken ones", "none"],
)
def test_a_person_is_shown_what_a_system_without_the_other_experts_shows(
    pool: Pool, tmp_path: Path, sees: set[str], broken: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    problems = {name: f"The slice {name} is damaged.\nMend it." for name in broken}
    experts = {name: expert for name, expert in pool.experts.items() if name not in broken}
    whole = make_system(tmp_path / "whole", experts, problems)
    seen = {name: expert for name, expert in experts.items() if name in sees}
    fresh = make_system(tmp_path / "fresh", seen, {name: why for name, why in problems.items() if name in sees})
    actions = frozenset({Action.ASK, Action.WRITE, Action.TRAIN})
    told = everything(whole, Principal("anna", frozenset(sees), actions), monkeypatch)
    assert told == everything(fresh, Principal("anna", None, actions), monkeypatch)
    assert "CANARY" not in told
