"""The one place that imports OpenMM, which only the extra `md` installs."""

from __future__ import annotations

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

__all__ = ["OpenMMException", "app", "openmm", "unit"]
