"""The command line: takes arguments; gives results on stdout, everything else on stderr, and an exit code.

``main`` declares the commands and is the process edge. Each command has a file and imports what it needs when it runs,
so that ``symposia --help`` loads neither models nor settings. ``invocation`` carries the global options, ``output``
writes for people and programs, ``render`` lays out answers.
"""

from __future__ import annotations

from app.cli.main import main

__all__ = ["main"]
