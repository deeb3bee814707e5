"""What was asked before, from wherever a client tells it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.conversations.past import exchanges_of
from app.server.errors import not_found
from app.server.schemas import Before
from generators.writing.follow_up import Exchange
from indexes.errors import InputError

if TYPE_CHECKING:
    from app.access.principal import Principal
    from app.server.service import Service


def exchanges(before: Sequence[Before]) -> tuple[Exchange, ...]:
    """As a request holds them, no more than are looked back on."""
    return tuple(Exchange(item.question, item.answer) for item in before)


async def of_conversation(service: Service, principal: Principal, conversation: str) -> tuple[Exchange, ...]:
    """The last exchanges of a conversation; status 404 where there is none that the principal sees."""
    try:
        turns = await service.call(service.conversations.turns, principal, conversation)
    except InputError as error:
        raise not_found("conversation", conversation) from error
    return exchanges_of(turn.answer for turn in turns)
