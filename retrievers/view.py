"""A view of a panel: the same experts, of which only some exist. Whatever it returns, a panel without the others would."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from indexes.errors import InputError
from indexes.passage import Passage
from indexes.slice import Slice
from retrievers.expert import Expert
from retrievers.gate import NullExpert
from retrievers.panel import Panel
from retrievers.router import Wishes


class View(Panel):
    """Part of a panel. Experts that are added to the panel or withdrawn later come and go here, too.

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

    def slice(self, name: str, description: str, sample: Sequence[Passage]) -> Slice:
        """See ``Panel``; for a name that is not seen the error is the same whether there is such an expert or not."""
        self._check_name(name)
        return self._whole.slice(name, description, sample)

    def install(self, slice_: Slice) -> Expert:
        """See ``Panel``."""
        self._check_name(slice_.name)
        return self._whole.install(slice_)

    def refresh(self, slice_: Slice) -> None:
        """See ``Panel``."""
        self._check_name(slice_.name)
        self._whole.refresh(slice_)

    def withdraw(self, name: str) -> None:
        """See ``Panel``."""
        Wishes(forbid=(name,)).check([*self.experts, *self.problems])
        self._whole.withdraw(name)

    @property
    def null(self) -> NullExpert:
        """See ``Panel``."""
        return self._whole.null

    def close(self) -> None:
        """Nothing is released: the slices are the panel's."""

    def _check_name(self, name: str) -> None:
        if name not in self.seen:
            raise InputError(
                f"You may not add documents to an expert named {name!r}.",
                f"The names that you may use are: {', '.join(sorted(self.seen)) or 'none'}.",
            )
