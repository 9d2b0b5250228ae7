"""Measures of forecasts: each file is one, with its numbers, tables, figures and words."""

import importlib
import pkgutil

__all__ = []

# Whatever file is here registers itself.
for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
