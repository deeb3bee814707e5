"""The one ``Symposium`` of the process, opened at the first visit and warmed up while the first question is typed."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Thread

import streamlit as st

from app.access.limits import Limits
from app.access.open import limits_of
from app.chat.desk import Desk
from app.chat.turn import Failed
from app.chat.worker import defect
from app.conversations.store import FILE, Conversations
from app.library import ExpertCard
from app.symposium import Symposium
from app.telemetry.logs import log_to
from indexes.errors import SymposiaError

_LOG = logging.getLogger(__name__)

NO_EXPERTS = Failed(
    "There are no experts yet, so there is nothing to ask.",
    "Add files on the Library page, or run `symposia demo` for three experts on real text, or `symposia add PATH --expert"
    " NAME` for one on your own documents. Then press Try again.",
)


@dataclass(frozen=True, slots=True)
class Opened:
    """What all visitors of the process share.

    Parameters
    ----------
    symposium
        The whole of it, whoever asks.
    warm
        Holds ``None``, or what went wrong, once the models are loaded.
    conversations
        Where they are kept.
    desk
        What is being answered.
    limits
        How often one person may ask; ``None`` for as often as they like.
    """

    symposium: Symposium
    warm: Future[Failed | None]
    conversations: Conversations
    desk: Desk = field(default_factory=Desk)
    limits: Limits | None = None

    @property
    def loading(self) -> bool:
        """True while the models are being loaded."""
        return not self.warm.done()

    @property
    def failure(self) -> Failed | None:
        """What keeps the models from being loaded, as far as that is known by now."""
        return self.warm.result() if self.warm.done() else None

    def wait(self, cancelled: Callable[[], bool]) -> Failed | None:
        """Wait for the models, or until ``cancelled``."""
        while not cancelled():
            try:
                return self.warm.result(timeout=0.1)
            except TimeoutError:
                continue
        return None


@st.cache_resource(show_spinner="Opening the panel", on_release=lambda opened: opened.symposium.close())
def opened() -> Opened:
    """The symposium of this process; raises the ``SymposiaError`` that keeps it from being opened."""
    symposium = Symposium.open()
    log_to(sys.stderr, symposium.settings.telemetry, verbose="--verbose" in sys.argv[1:])
    warm: Future[Failed | None] = Future()
    if any(not card.problem for card in symposium.experts()):
        Thread(target=_warm_up, args=(symposium, warm), name="symposia-warm-up", daemon=True).start()
    else:
        warm.set_result(None)
    settings = symposium.settings
    limits = limits_of(settings) if settings.access.login else None
    return Opened(symposium, warm, Conversations(settings.home / FILE), limits=limits)


def obstacles(cards: list[ExpertCard], failure: Failed | None) -> list[Failed]:
    """What keeps every question from being answered; empty where the panel can be asked."""
    found = [] if cards else [NO_EXPERTS]
    if cards and all(card.problem for card in cards):
        found += [unusable(card) for card in cards]
    return [*found, failure] if failure else found


def unusable(card: ExpertCard) -> Failed:
    """The problem of one expert; its first line says what happened, the others what to do."""
    problem, _, fix = card.problem.partition("\n")
    return Failed(f"{card.name}: {problem}", fix)


def _warm_up(symposium: Symposium, warm: Future[Failed | None]) -> None:
    try:
        symposium.warm_up()
        warm.set_result(None)
    except SymposiaError as error:
        warm.set_result(Failed(error.problem, error.fix))
    except Exception as error:  # noqa: BLE001 (the edge of a thread: whoever waits must hear of it)
        _LOG.exception("the models could not be loaded")
        warm.set_result(defect(error))
