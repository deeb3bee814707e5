"""Why a question goes to which experts: its route, and the rules that were applied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from retrievers.router import ScoredRouter

if TYPE_CHECKING:
    from retrievers.evidence import Route
    from retrievers.router import Router


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a question would be sent where it would be sent.

    Parameters
    ----------
    question
        As it was routed.
    rules
        The router's, with their numbers; none where it follows no rules that can be written down.
    """

    question: str
    route: Route
    rules: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {"question": self.question, "route": self.route.to_dict(), "rules": list(self.rules)}


def rules_of(router: Router) -> tuple[str, ...]:
    """The rules of a router in words."""
    if not isinstance(router, ScoredRouter):
        return ()
    held = f"until they hold {router.mass:.0%} of the probability together, and {router.most} at most."
    return (
        f"Retrieval is skipped where the probability that no sources are needed reaches {router.skip:.0%}.",
        f"Experts are asked, the most probable first, {held}",
    )
