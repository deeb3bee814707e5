"""The doctor: takes a way to load the settings; gives a list of checks, each with what was found and how to mend it.

``machine`` looks at Python, packages, processor, disk and folders; ``parts`` at models, slices and the store; ``surfaces`` at
what the server, agents, a login and telemetry need. No model is loaded and nothing is changed.
"""

from __future__ import annotations

from app.doctor.check import Check
from app.doctor.examine import examine

__all__ = ["Check", "examine"]
