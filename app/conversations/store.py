"""Conversations on disk: each belongs to whoever asked, and holds every question with its answer and what was thought of it.

A conversation that names an expert its owner no longer sees does not exist for the owner: an answer quotes the expert's
passages, and its route tells the expert's name and probability.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from app.conversations.database import reading, writing
from generators.answer import Answer
from indexes.errors import InputError, StoreError

if TYPE_CHECKING:
    from app.access.principal import Principal

FILE = "conversations.db"  # below the home
LONGEST_TITLE = 80
LONGEST_COMMENT = 4_000

Clock = Callable[[], datetime]

_COUNTED = "SELECT c.*, (SELECT count(*) FROM turns t WHERE t.conversation = c.id) AS turns FROM conversations c"


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation without its turns.

    Parameters
    ----------
    began, changed
        When its first and its last turn were recorded: UTC, ISO 8601 with microseconds.
    turns
        How many there are.
    """

    id: str
    title: str
    began: str
    changed: str
    turns: int

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {name: getattr(self, name) for name in ("id", "title", "began", "changed", "turns")}


@dataclass(frozen=True, slots=True)
class StoredTurn:
    """One question with its answer.

    Parameters
    ----------
    conversation
        Id of the conversation.
    asked
        The question as it was typed; ``answer.question`` is the one that was answered, which stands for itself.
    at
        When it was recorded: UTC, ISO 8601 with microseconds.
    helpful
        The thumb, up or down; ``None`` where none was given.
    comment
        What was said about the answer.
    """

    id: str
    conversation: str
    asked: str
    answer: Answer
    at: str
    helpful: bool | None = None
    comment: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        names = ("id", "conversation", "asked", "at", "helpful", "comment")
        return {**{name: getattr(self, name) for name in names}, "answer": self.answer.to_dict()}


Turns = list[StoredTurn]


class Conversations:
    """The conversations in one file. Safe to share between threads, and the file between processes.

    Parameters
    ----------
    file
        Made when the first turn is recorded.
    clock
        Gives the time, with its zone.
    """

    def __init__(self, file: Path, clock: Clock = lambda: datetime.now(UTC)) -> None:
        self.file = file
        self._clock = clock

    def list(self, principal: Principal) -> list[Conversation]:
        """What the principal owns and sees, the last changed first, ties by id."""
        with reading(self.file) as connection:
            if connection is None:
                return []
            rows = connection.execute(
                f"{_COUNTED} WHERE owner = ? ORDER BY changed DESC, id", (_clean(principal.name),)
            )
            return [_conversation(row) for row in rows if _visible(row, principal)]

    def turns(self, principal: Principal, conversation_id: str) -> Turns:
        """The turns of a conversation, in the order in which they were recorded.

        Raises
        ------
        InputError
            For the principal there is no such conversation.
        """
        with reading(self.file) as connection:
            _own(connection, principal, conversation_id)
            return [] if connection is None else _turns(connection, conversation_id)

    def record(
        self,
        principal: Principal,
        conversation_id: str | None,
        asked: str,
        answer: Answer,
        forbidden: Iterable[str] = (),
    ) -> StoredTurn:
        """Append a turn; without a conversation it begins one, titled by its question.

        Parameters
        ----------
        forbidden
            Experts that were not to be asked: the route is silent about them, but an answer about the system may name them.

        Raises
        ------
        InputError
            For the principal there is no such conversation.
        StoreError
            The file cannot be written; nothing of what it holds is lost.
        """
        now, asked = _written(self._clock()), _clean(asked)
        kept = json.dumps(answer.to_dict())  # ASCII, so that a lone surrogate in a document does no harm
        named = experts_of(answer) | set(forbidden)
        with writing(self.file) as connection:
            if conversation_id is None:
                conversation_id = uuid4().hex
                row = (conversation_id, _clean(principal.name), _titled(asked), now, now, "[]")
                connection.execute("INSERT INTO conversations VALUES (?, ?, ?, ?, ?, ?)", row)
            else:
                named |= set(json.loads(_own(connection, principal, conversation_id)["experts"]))
            turn = StoredTurn(uuid4().hex, conversation_id, asked, answer, now)
            connection.execute(
                "INSERT INTO turns (id, conversation, number, asked, answer, at) VALUES (?, ?, "
                "(SELECT 1 + ifnull(max(number), 0) FROM turns WHERE conversation = ?), ?, ?, ?)",
                (turn.id, conversation_id, conversation_id, asked, kept, now),
            )
            connection.execute(
                "UPDATE conversations SET changed = max(changed, ?), experts = ? WHERE id = ?",
                (now, json.dumps(sorted(named)), conversation_id),
            )
        return turn

    def rename(self, principal: Principal, conversation_id: str, title: str) -> None:
        """Give a conversation another title.

        Raises
        ------
        InputError
            For the principal there is no such conversation, or the title is empty.
        """
        titled = _titled(_clean(title))
        if not titled:
            raise InputError("The title is empty.", "Give it at least one word.")
        with writing(self.file) as connection:
            _own(connection, principal, conversation_id)
            connection.execute("UPDATE conversations SET title = ? WHERE id = ?", (titled, conversation_id))

    def delete(self, principal: Principal, conversation_id: str) -> None:
        """Delete a conversation with its turns and what was thought of them.

        Raises
        ------
        InputError
            For the principal there is no such conversation.
        """
        with writing(self.file) as connection:
            _own(connection, principal, conversation_id)
            connection.execute("DELETE FROM conversations WHERE id = ?", (conversation_id,))

    def markdown(self, principal: Principal, conversation_id: str) -> str:
        """A conversation for reading elsewhere; see ``app.conversations.markdown``.

        Raises
        ------
        InputError
            For the principal there is no such conversation.
        """
        from app.conversations.markdown import markdown

        with reading(self.file) as connection:
            row = _own(connection, principal, conversation_id)
            turns = [] if connection is None else _turns(connection, conversation_id)
        return markdown(_conversation(row), turns)

    def judge(self, principal: Principal, turn_id: str, helpful: bool | None, comment: str = "") -> None:
        """Say whether an answer was helpful; ``None`` takes it back. The last word counts.

        Raises
        ------
        InputError
            For the principal there is no such turn, or the comment is too long.
        """
        if len(comment) > LONGEST_COMMENT:
            raise InputError(
                f"The comment has {len(comment):,} characters; at most {LONGEST_COMMENT:,} are kept.", "Shorten it."
            )
        with writing(self.file) as connection:
            found = connection.execute("SELECT conversation FROM turns WHERE id = ?", (_clean(turn_id),)).fetchone()
            row = None if found is None else _seen(connection, principal, found["conversation"])
            if row is None:
                raise InputError(f"There is no turn {turn_id!r}.", "Name a turn of a conversation that you see.")
            connection.execute(
                "UPDATE turns SET helpful = ?, comment = ? WHERE id = ?",
                (None if helpful is None else int(helpful), _clean(comment), _clean(turn_id)),
            )

    def judged(self, principal: Principal) -> Iterator[StoredTurn]:
        """The principal's turns with a thumb, up or down, by time, ties by id."""
        return self._judged(_clean(principal.name), principal)

    def judged_by_all(self, principal: Principal) -> Iterator[StoredTurn]:
        """Like ``judged``, of whoever asked, as far as the principal sees the experts: for an administrator.

        Raises
        ------
        InputError
            The principal is none.
        """
        from app.access.principal import Action

        principal.check(Action.ADMIN)
        return self._judged(None, principal)

    def _judged(self, owner: str | None, principal: Principal) -> Iterator[StoredTurn]:
        query = (
            "SELECT t.*, c.experts FROM turns t JOIN conversations c ON c.id = t.conversation "
            "WHERE t.helpful IS NOT NULL AND c.owner = ifnull(?, c.owner) ORDER BY t.at, t.id"
        )
        with reading(self.file) as connection:
            if connection is None:
                return
            rows = [row for row in connection.execute(query, (owner,)) if _visible(row, principal)]
        yield from map(_turn, rows)


def experts_of(answer: Answer) -> set[str]:
    """All experts that an answer names: those asked, those that only had a probability, and those that broke."""
    route = answer.route
    named = {item.expert for item in answer.evidence} | {share.expert for share in route.shares}
    return named | set(route.failures)


def _own(connection: sqlite3.Connection | None, principal: Principal, conversation_id: str) -> sqlite3.Row:
    """The row of a conversation, where the principal owns and sees it."""
    row = None if connection is None else _seen(connection, principal, conversation_id)
    if row is None:
        raise InputError(f"There is no conversation {conversation_id!r}.", "List them: `symposia conversations list`.")
    return row


def _seen(connection: sqlite3.Connection, principal: Principal, conversation_id: str) -> sqlite3.Row | None:
    query = f"{_COUNTED} WHERE c.id = ? AND c.owner = ?"
    row: sqlite3.Row | None = connection.execute(query, (_clean(conversation_id), _clean(principal.name))).fetchone()
    return row if row is not None and _visible(row, principal) else None


def _visible(row: sqlite3.Row, principal: Principal) -> bool:
    experts: Iterable[str] = json.loads(row["experts"])
    return principal.sees_all(experts)


def _conversation(row: sqlite3.Row) -> Conversation:
    return Conversation(row["id"], row["title"], row["began"], row["changed"], row["turns"])


def _turns(connection: sqlite3.Connection, conversation_id: str) -> list[StoredTurn]:
    query = "SELECT * FROM turns WHERE conversation = ? ORDER BY number"
    return [_turn(row) for row in connection.execute(query, (conversation_id,))]


def _turn(row: sqlite3.Row) -> StoredTurn:
    try:
        answer = Answer.from_dict(json.loads(row["answer"]))
    except (ValueError, InputError) as error:
        raise StoreError(
            f"The answer of turn {row['id']} cannot be read: {error}", "Delete its conversation."
        ) from error
    helpful = None if row["helpful"] is None else bool(row["helpful"])
    return StoredTurn(row["id"], row["conversation"], row["asked"], answer, row["at"], helpful, row["comment"])


def _titled(text: str) -> str:
    """One line of at most ``LONGEST_TITLE`` characters."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_TITLE else line[: LONGEST_TITLE - 1].rstrip() + "…"


def _written(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="microseconds")


def _clean(text: str) -> str:
    """The text as UTF-8 can hold it: half of a surrogate pair, which only broken input has, becomes a question mark."""
    return text.encode("utf-8", "replace").decode("utf-8")
