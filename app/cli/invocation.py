"""What every command is given: the global options and the streams."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from app.cli.output import Output
from indexes.errors import SettingsError

if TYPE_CHECKING:
    from app.settings import Loaded
    from app.symposium import Symposium


@dataclass(frozen=True, slots=True)
class Invocation:
    """One run of the program.

    Parameters
    ----------
    config
        ``--config``, if given.
    flags
        Settings by dotted key, from ``--home``, ``--preset`` and ``--set``.
    """

    stdout: TextIO
    stderr: TextIO
    config: Path | None = None
    flags: Mapping[str, Any] = field(default_factory=dict)
    verbose: bool = False

    def output(self, as_json: bool) -> Output:
        """Where a command writes."""
        return Output(self.stdout, self.stderr, as_json=as_json)

    def load(self) -> Loaded:
        """The settings, with the origin of each. What was decided about the home by a process that was killed is finished."""
        from app.settings import load_settings
        from app.settling import settle

        loaded = load_settings(self.config, self.flags)
        settle(loaded.settings.home)
        return loaded

    def open(self) -> Symposium:
        """A symposium with these settings; use it as a context manager."""
        from app.symposium import Symposium

        return Symposium.open(self.load().settings)


def flags_of(assignments: list[str], home: Path | None, preset: str | None) -> dict[str, str]:
    """Settings that the global options give; ``--home`` and ``--preset`` win over ``--set``."""
    flags = {}
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        if not equals:
            raise SettingsError(
                f"--set {assignment} has no value.", "Write it as `--set retrieval.passages=8`: a key, `=`, a value."
            )
        flags[key.strip()] = value.strip()
    if home is not None:
        flags["home"] = str(home)
    if preset is not None:
        flags["preset"] = preset
    return flags
