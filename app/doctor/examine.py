"""Run every check, in the order in which a person would mend things."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from app.doctor import machine, parts
from app.doctor.check import Check
from app.doctor.surfaces import surfaces
from indexes.errors import SettingsError

if TYPE_CHECKING:
    from app.settings import Loaded, Settings


def examine(load: Callable[[], Loaded]) -> list[Check]:
    """All checks. Where the settings cannot be loaded, that is one of them, and the others use the defaults."""
    settings, check = settings_file(load)
    return [
        machine.python(),
        *machine.packages(),
        check,
        machine.folder("home folder", settings.home),
        machine.disk("disk of the home folder", settings.home),
        machine.disk("disk of the models", settings.models.folder),
        machine.processor(settings.models.threads),
        parts.model("encoder", settings),
        parts.writer(settings),
        *parts.optional_models(settings),
        *([parts.server(settings)] if settings.store.url else []),
        *parts.slices(settings),
        *surfaces(settings),
    ]


def settings_file(load: Callable[[], Loaded]) -> tuple[Settings, Check]:
    """The settings, or the defaults where they cannot be loaded, and the finding."""
    from app.settings import Settings

    try:
        loaded = load()
    except SettingsError as error:
        defaults = Settings()
        usual = defaults.model_copy(update={"home": Path.cwd() / defaults.home})
        return usual, Check("settings", "fail", error.problem, error.fix)
    changed = sum(origin != "default" for origin in loaded.origins.values())
    return loaded.settings, Check(
        "settings", "ok", f"{loaded.file or 'no file'}; {changed} settings differ from the defaults"
    )
