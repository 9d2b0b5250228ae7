"""Words about numbers: templates, filled."""

from __future__ import annotations

import re
from typing import Any

import jinja2

__all__ = ["fill"]

ENVIRONMENT = jinja2.Environment(undefined=jinja2.StrictUndefined)


def fill(template: str, **values: Any) -> str:
    """Text of a Jinja template, on one line.

    Args:
        template: the words; where its lines end does not matter.
        values: what its expressions are of.

    Returns:
        The text. It is not escaped for HTML, which reports do by themselves.

    Raises:
        jinja2.UndefinedError: a value is missing.

    Example:
        >>> fill('{{ count }} windows, {{ "%.1f" % part }} % of all', count=3, part=12.34)
        '3 windows, 12.3 % of all'
    """
    text = ENVIRONMENT.from_string(template).render(**values)
    return re.sub(r"[ \n]+", " ", text).strip()
