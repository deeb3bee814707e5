"""Over MCP and through LlamaIndex, too, what a principal does not see does not exist."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from mcp import Client

from app.access.principal import Action, Principal
from app.llama.query_engine import make_query_engine
from app.llama.retriever import make_retriever
from app.llama.tool import describe
from app.mcp.server import make_server
from app.mcp.tools import Tools
from app.symposium import Symposium
from tests.app.access.systems import Pool, assert_alike, make_system, said
from tests.fakes import QUESTIONS, TOPICS, make_passages

NAMES = ("orchard", "engines", "planets", "payroll")
SECRET = "Payroll: the chief engineer of the orchard earns CANARY-9471 a month."
ASKED = st.sampled_from([*QUESTIONS.values(), "Who are you?", "What does the chief engineer earn?", "12 + 30", " "])


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    passages = {name: make_passages(texts, title=name.title()) for name, texts in TOPICS.items()}
    passages["payroll"] = make_passages([SECRET, "Salaries are paid on the last day of each month."])
    pool = Pool.of(tmp_path_factory.mktemp("pool"), passages, {"payroll": ("Who earns how much?",)})
    yield pool
    pool.panel.close()


async def over_mcp(symposium: Symposium, principal: Principal, question: str, experts: list[str]) -> list[Any]:
    """What every tool replies, as text and as data."""
    calls: list[tuple[str, dict[str, Any]]] = [
        ("list_experts", {}),
        ("ask", {"question": question, "experts": experts}),
        ("search", {"question": question, "forbid": experts}),
        ("explain", {"question": question}),
    ]
    async with Client(make_server(Tools(symposium, lambda: principal))) as client:
        replies = [await client.call_tool(*call) for call in calls]
    return [(r.is_error, [b.text for b in r.content], r.structured_content) for r in replies]


def by_llama(symposium: Symposium, question: str, experts: list[str]) -> list[Any]:
    """What retriever, query engine and tool give."""

    def nodes(found: Any) -> list[Any]:
        return [(node.node_id, node.score, node.text, node.metadata) for node in found]

    def answer() -> Any:
        response = make_query_engine(symposium, experts=experts).query(question)
        return str(response), nodes(response.source_nodes), response.metadata

    return [
        describe(symposium),
        said(answer),
        said(lambda: nodes(make_retriever(symposium, forbid=experts).retrieve(question))),
    ]


def everything(symposium: Symposium, seen: Symposium, principal: Principal, question: str, experts: list[str]) -> str:
    found = [asyncio.run(over_mcp(symposium, principal, question, experts)), by_llama(seen, question, experts)]
    text = repr(found).replace(str(symposium.panel.folder), "FOLDER")
    return re.sub(r"'seconds': \{[^}]*\}|'updated': '[^']*'|'trace': '\w*'", "", text)


@example(frozenset({"orchard"}), "What does the chief engineer earn?", ["payroll"])
@example(frozenset({"orchard", "engines"}), QUESTIONS["planets"], [])
@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.generate],
)
@given(
    sees=st.frozensets(st.sampled_from(NAMES)),
    question=ASKED,
    experts=st.lists(st.sampled_from([*NAMES, "nobody"]), max_size=1),
)
def test_agents_are_told_what_a_system_without_the_other_experts_tells(
    pool: Pool, sees: frozenset[str], question: str, experts: list[str]
) -> None:
    place = Path(mkdtemp(dir=pool.panel.folder.parent))
    whole = make_system(place / "whole", dict(pool.experts))
    fresh = make_system(place / "fresh", {name: pool.experts[name] for name in sorted(sees)})
    anna = Principal("anna", sees, frozenset({Action.ASK}))
    anybody = Principal("anna", None, frozenset({Action.ASK}))
    told = everything(whole, whole.seen_by(anna), anna, question, experts)
    assert_alike(told, everything(fresh, fresh, anybody, question, experts))
    assert "payroll" in sees or "CANARY" not in told
