"""The one place that imports OpenMM, which only the extra `md` installs; its units."""

from __future__ import annotations

import platform
from typing import Any

import numpy as np

try:
    from openmm import OpenMMException as OpenMMException
    from openmm import app as app
    from openmm import openmm as openmm
    from openmm import unit as unit
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "molecular dynamics are simulated with OpenMM, which is not installed: "
        'pip install -e ".[md]" in the repository installs it',
        name=error.name,
    ) from error

__all__ = ["UNITS", "OpenMMException", "app", "describe_making", "openmm", "unit"]

UNITS = {
    "length": "angstrom",
    "time": "picosecond",
    "mass": "dalton",
    "energy": "kilojoule/mole",
    "temperature": "kelvin",
}


def describe_making() -> dict[str, Any]:
    """What `simulation.json` says of units and of the versions that made the files."""
    versions = {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "openmm": openmm.Platform.getOpenMMVersion(),
    }
    return {"units": UNITS, "versions": versions}
