"""The pages over experts that search by words and need no model: ``python -m tests.e2e.worded PORT``."""

from __future__ import annotations

import sys

from app.cli.chat import streamlit_command
from app.settings import load_settings
from app.symposium import Symposium
from indexes.errors import MissingModelError
from indexes.store.open import opener
from retrievers.panel import Panel
from tests.fakes import WordEncoder


def opened() -> Symposium:
    """A symposium as the settings say, but for its models."""
    settings = load_settings().settings
    return Symposium(settings, Panel(settings.home / "slices", WordEncoder(), opener()), _no_answerer)


def _no_answerer() -> None:
    raise MissingModelError("The generator was not fetched.", "Run `symposia models fetch`.")


def main() -> None:
    """Run Streamlit in this process, where ``Symposium.open`` is the above."""
    from streamlit.web import cli

    Symposium.open = opened  # type: ignore[assignment, method-assign]
    sys.argv = streamlit_command(int(sys.argv[1]))[2:]
    cli.main()


if __name__ == "__main__":
    main()
