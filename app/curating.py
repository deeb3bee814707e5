"""What the experts know: looking into it, adding to it, taking away from it, and training. ``Symposium`` is one that also answers.

Each method asks first whether the principal may do it, and works on what the principal sees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from app.access.principal import Action, Principal
from app.library import AddProgress, AddReport, ExpertCard, Library
from app.serving import Serving
from indexes.errors import InputError

if TYPE_CHECKING:
    from app.experts import Calibrations, ExpertDetails
    from app.planning import AddPlan
    from app.settings import Settings
    from app.train import Request
    from indexes.catalogue import DocumentCard
    from indexes.passage import Document, Passage
    from indexes.readers.problem import Problem
    from indexes.sync.duplicates import Duplicates
    from retrievers.panel import Panel
    from retrievers.training.card import Card

Cancelled = Callable[[], bool]
OnProgress = Callable[[AddProgress], None]


class Curating:
    """A panel of experts as a principal may look into it and change it.

    Parameters
    ----------
    settings
        As loaded.
    panel
        The experts that the principal sees.
    principal
        Who uses it.
    """

    def __init__(self, settings: Settings, panel: Panel, principal: Principal) -> None:
        self._serving = Serving(settings)
        self.panel = panel
        self.principal = principal
        self._library = Library(panel, settings)

    @property
    def settings(self) -> Settings:
        """As loaded, but for the encoder, which is the one that is asked with now."""
        return self._serving.settings

    @settings.setter
    def settings(self, settings: Settings) -> None:
        self._serving.settings = settings

    def experts(self) -> list[ExpertCard]:
        """All experts by name, those with problems included."""
        return self._library.cards()

    def details(self, expert: str) -> ExpertDetails:
        """All about one expert but its passages. See ``app.experts.details``."""
        from app.experts import details

        with self.panel.held():
            return details(self.panel, expert)

    def calibrations(self) -> Calibrations:
        """What was fitted on questions of the panel, as far as the principal may know of it. See ``app.experts``."""
        from app.experts import calibrations

        return calibrations(self.panel, self.principal)

    def documents(
        self, expert: str, offset: int = 0, limit: int = 50, like: str = ""
    ) -> tuple[int, list[DocumentCard]]:
        """The documents of an expert by title: how many there are, and some of them. See ``Library.documents``."""
        self.principal.check(Action.ASK)
        with self.panel.held():
            return self._library.documents(expert, offset, limit, like)

    def passages(self, expert: str, document_id: str) -> list[Passage]:
        """The passages of one document as they stand in it. See ``Library.passages``."""
        self.principal.check(Action.ASK)
        with self.panel.held():
            return self._library.passages(expert, document_id)

    def add(
        self,
        paths: Sequence[Path],
        expert: str,
        description: str = "",
        *,
        below: Path | None = None,
        replacing: bool = True,
        prune: bool = False,
        on_progress: OnProgress | None = None,
        on_problem: Callable[[Problem], None] | None = None,
        cancelled: Cancelled = lambda: False,
    ) -> AddReport:
        """Read files and folders into an expert's slice, and seat the expert on the panel. See ``Library.add_paths``."""
        self.principal.check(Action.WRITE)
        with self.panel.changing():
            return self._library.add_paths(
                paths,
                expert,
                description,
                below=below,
                replacing=replacing,
                prune=prune,
                on_progress=on_progress,
                on_problem=on_problem,
                cancelled=cancelled,
            )

    def plan(self, paths: Sequence[Path], expert: str, *, replacing: bool = True, prune: bool = False) -> AddPlan:
        """What ``add`` would do; writes nothing. See ``Library.plan``."""
        self.principal.check(Action.WRITE)
        with self.panel.held():
            return self._library.plan(paths, expert, replacing=replacing, prune=prune)

    def add_documents(
        self,
        documents: Iterable[Document],
        expert: str,
        description: str = "",
        *,
        replacing: bool = False,
        on_progress: OnProgress | None = None,
        cancelled: Cancelled = lambda: False,
    ) -> AddReport:
        """Like ``add``, for documents from anywhere. See ``Library.add_documents``."""
        self.principal.check(Action.WRITE)
        with self.panel.changing():
            return self._library.add_documents(
                documents, expert, description, replacing=replacing, on_progress=on_progress, cancelled=cancelled
            )

    def duplicates(self, expert: str, least: float = 0.8) -> Duplicates:
        """Passages that several documents have, or nearly. See ``indexes.sync.duplicates``."""
        self.principal.check(Action.ASK)
        with self.panel.held():
            return self._library.duplicates(expert, least)

    def remove_documents(self, expert: str, ids: Sequence[str]) -> int:
        """Delete documents from an expert's slice; gives how many were there. See ``Library.remove_documents``."""
        self.principal.check(Action.WRITE)
        with self.panel.changing():
            return self._library.remove_documents(expert, ids)

    def remove(self, expert: str) -> None:
        """Withdraw an expert and delete its slice. The others are untouched."""
        self.principal.check(Action.WRITE)
        self.panel.open()
        with self.panel.still(lambda: True) as still:
            if not still:
                raise InputError(
                    f"Expert {expert!r} cannot be removed while documents are added or an expert is trained.",
                    "Wait until that has ended, or stop it.",
                )
            self.panel.withdraw(expert)

    def train(
        self,
        request: Request,
        *,
        on_progress: Callable[[str, int, int], None] = lambda _what, _done, _total: None,
        on_note: Callable[[str], None] = lambda _text: None,
    ) -> Card:
        """Train an adapter for one expert; it is given to the expert if it is better on dev than none.

        Parameters
        ----------
        request
            Which expert, on what data: ``Request("birds", data=("pairs.jsonl",))``.
        on_progress
            Called with what is being done, steps done, and steps at most.
        on_note
            Called with what people should know meanwhile.

        Raises
        ------
        SymposiaError
            An unknown expert, unreadable data, or too little of it.
        """
        self.principal.check(Action.TRAIN)
        from app.models.resolve import resolve
        from app.train import train

        with self.panel.changing():
            models = self.settings.models
            folder = resolve(models.encoder, "encoder", models.folder) if "lora" in request.wanted else None
            return train(self.panel, request, model_folder=folder, report=on_progress, note=on_note)
