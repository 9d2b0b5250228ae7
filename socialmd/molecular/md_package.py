"""Packages that only the extra `md` installs, imported when they are first used.

Importing this package costs nothing and works without them.
"""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["MDPackage"]


class MDPackage:
    """Stands for a package; its attributes are the package's.

    Args:
        module: what is imported.
        purpose: what it does here, for those who lack it, or something that it needs: "... with
            MODULE, which is not installed".

    Raises:
        ModuleNotFoundError: at the first use, if it is not installed.
    """

    def __init__(self, module: str, purpose: str) -> None:
        self._module, self._purpose = module, purpose

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # what Python asks of any object, before it is made even
            raise AttributeError(name)
        try:
            return getattr(importlib.import_module(self._module), name)
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(
                f"{self._purpose} with {error.name}, which is not installed: "
                "pip install 'socialmd[md]'"
            ) from error
