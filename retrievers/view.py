"""A view of a panel: the same experts, of which only some exist. Whatever it returns, a panel without the others would."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import TypeVar

from indexes.encoders.base import Encoder
from indexes.errors import InputError
from indexes.passage import Passage
from indexes.slice import Slice
from retrievers.expert import Expert
from retrievers.gate import NullExpert
from retrievers.panel import Panel, Seating
from retrievers.router import Router, Wishes

T = TypeVar("T")


class View(Panel):
    """Part of a panel. Experts that are added to the panel or withdrawn later come and go here, too, and so does its encoder.

    It shares the encoder, the open slices and the null expert, none of which depends on who else is on the panel. Its router
    is its own: what was fitted on questions of experts that are not seen serves nobody who does not see them.

    Parameters
    ----------
    whole
        What it is a view of.
    seen
        Names of the experts that exist. Those that the panel does not have may be added by these names, and by no others.
    """

    def __init__(self, whole: Panel, seen: frozenset[str]) -> None:
        router = partial(whole.make_router, seen=seen)
        super().__init__(whole.folder, whole.encoder, whole.open_store, router, whole.retrieval, whole.reranker)
        self._whole = whole
        self.seen = seen
        self._routing: tuple[NullExpert, Router] | None = None

    @property
    def encoder(self) -> Encoder:
        """See ``Panel``."""
        return self._whole.encoder

    @property
    def experts(self) -> Mapping[str, Expert]:
        """See ``Panel``."""
        return {name: expert for name, expert in self._whole.experts.items() if name in self.seen}

    @property
    def problems(self) -> Mapping[str, str]:
        """See ``Panel``."""
        return {name: problem for name, problem in self._whole.problems.items() if name in self.seen}

    def open(self) -> None:
        """Open the panel."""
        self._whole.open()

    def admit(self, name: str) -> None:
        """See ``Panel``; the error is the same whether there is such an expert or not."""
        if name not in self.seen:
            raise InputError(
                f"You may not add documents to an expert named {name!r}.",
                f"The names that you may use are: {', '.join(sorted(self.seen)) or 'none'}.",
            )

    def slice(self, name: str, description: str, sample: Sequence[Passage]) -> Slice:
        """See ``Panel``; for a name that is not seen the error is the same whether there is such an expert or not."""
        self.admit(name)
        return self._whole.slice(name, description, sample)

    def install(self, slice_: Slice) -> Expert:
        """See ``Panel``."""
        self.admit(slice_.name)
        return self._whole.install(slice_)

    def refresh(self, slice_: Slice) -> None:
        """See ``Panel``."""
        self.admit(slice_.name)
        self._whole.refresh(slice_)

    def withdraw(self, name: str) -> None:
        """See ``Panel``."""
        Wishes(forbid=(name,)).check([*self.experts, *self.problems])
        self._whole.withdraw(name)

    @property
    def null(self) -> NullExpert:
        """See ``Panel``."""
        return self._whole.null

    @property
    def router(self) -> Router:
        """The view's own router; another one once the panel's encoder has been swapped."""
        return self._router_for(self._whole.null)

    def changing(self) -> AbstractContextManager[None]:
        """See ``Panel``."""
        return self._whole.changing()

    def still(self, cancelled: Callable[[], bool] = lambda: False) -> AbstractContextManager[bool]:
        """See ``Panel``."""
        return self._whole.still(cancelled)

    def close(self) -> None:
        """Nothing is released: the slices are the panel's."""

    @contextmanager
    def pinned(self, take: Callable[[], T]) -> Iterator[T]:
        """See ``Panel``."""
        with self._whole.pinned(take) as taken:
            yield taken

    def _seating(self) -> Seating:
        null = self.null
        return Seating(self.encoder, self.experts, null, self._router_for(null))

    def _router_for(self, null: NullExpert) -> Router:
        if self._routing is None or self._routing[0] is not null:
            self._routing = null, self.make_router(null)
        return self._routing[1]
