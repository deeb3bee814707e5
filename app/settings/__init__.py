"""Settings: takes a TOML file, environment variables and flags; gives one frozen ``Settings`` and where each value is from.

``schema`` says what there is to set, ``layers`` reads what was set where, ``load`` lays the layers over one another
(flag > environment > file > preset > default), ``problems`` words the errors and ``show`` prints the result.
The names below are what other modules use.
"""

from __future__ import annotations

from app.settings.load import Loaded, load_settings
from app.settings.schema import Settings

__all__ = ["Loaded", "Settings", "load_settings"]
