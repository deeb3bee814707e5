"""The whole as a tool for LlamaIndex's agents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.llama.query_engine import make_query_engine

if TYPE_CHECKING:
    from llama_index.core.tools import QueryEngineTool

    from app.symposium import Symposium

NAME = "symposia"


def make_tool(symposium: Symposium, *, name: str = NAME, description: str = "", **wishes: Any) -> QueryEngineTool:  # noqa: ANN401
    """A tool that answers questions from the indexed documents.

    Parameters
    ----------
    symposium
        Whom it asks; it is opened to describe its experts where no description is given.
    name, description
        As the agent's language model sees them.
    wishes
        ``experts``, ``forbid`` and ``retrieval``, as for ``make_query_engine``.
    """
    from llama_index.core.tools import QueryEngineTool

    made: QueryEngineTool = QueryEngineTool.from_defaults(
        make_query_engine(symposium, **wishes), name=name, description=description or describe(symposium)
    )
    return made


def describe(symposium: Symposium) -> str:
    """What the tool does, and what each expert knows."""
    experts = "; ".join(f"{card.name} ({card.description})" for card in symposium.experts() if not card.problem)
    return (
        "Answers a question from indexed documents. Each sentence was checked: [n] cites a source, [unsupported] marks what "
        f"the sources do not support; where they do not hold the answer, it says so. It knows: {experts or 'nothing yet'}."
    )
