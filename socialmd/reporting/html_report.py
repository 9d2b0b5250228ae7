"""Text, tables and pictures -> one HTML page that needs no other file and no network."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2

from socialmd.files import write_text
from socialmd.reporting.html_table import Table

__all__ = ["SUMMARY", "Picture", "Report", "Section", "fill"]

WORDS = jinja2.Environment(undefined=jinja2.StrictUndefined)
SUMMARY = "Summary"  # the heading of the first section of an evaluation


@dataclass(frozen=True)
class Picture:
    """A picture with its caption.

    Args:
        image: content of a PNG, GIF or SVG file, or its path; read when the page is made.
        caption: what is to be seen, for those who see it.
        alt: the same for those who do not.
        wide: for pictures of several panels: as wide as the page instead of beside others. On a
            phone it keeps a legible width and scrolls.

    Raises:
        ValueError: `alt` is empty.
    """

    image: bytes | str | Path
    caption: str
    alt: str
    wide: bool = False

    def __post_init__(self) -> None:
        if not self.alt.strip():
            raise ValueError(f"alt: expected words for figure {self.caption!r}, found none")


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it, in this order.

    Args:
        heading: a few words; also the entry in the table of contents.
        paragraphs: plain text.
        tables: numbers.
        pictures: narrow ones stand beside each other.
        details: preformatted text, folded away below its title: configurations and the like.
    """

    heading: str
    paragraphs: Sequence[str] = ()
    tables: Sequence[Table] = ()
    pictures: Sequence[Picture] = ()
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """One page. It holds its pictures itself, runs no script and loads nothing.

    Args:
        title: of the page.
        subtitle: what was measured, on what.
        sections: the content.

    Example:
        >>> section = Section("Errors", pictures=[Picture("errors.png", "By step", "Curves")])
        >>> Report("acceleration", "400 windows", [section]).write("report.html")
    """

    title: str
    subtitle: str
    sections: Sequence[Section]

    def html(self) -> str:
        """The page.

        Raises:
            FileNotFoundError: the file of a picture is missing.
            ValueError: a picture is none of PNG, GIF and SVG.
        """
        environment = jinja2.Environment(
            loader=jinja2.PackageLoader("socialmd.reporting", package_path=""),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters["data_uri"] = _data_uri
        return environment.get_template("html_report.html.jinja").render(report=self)

    def write(self, path: str | Path, name_units: Callable[[str], str] = str) -> None:
        """Write the page, whole or not at all, in the units of the data (see `FigureFolder`).

        Raises:
            FileNotFoundError, ValueError: as `html`.
            OSError: the file cannot be written.
        """
        write_text(path, name_units(self.html()))


def fill(template: str, **values: Any) -> str:
    """Words about numbers: the text of a Jinja template, on one line, not escaped for HTML.

    Args:
        template: the words; where its lines end does not matter.
        values: what its expressions are of.

    Raises:
        jinja2.UndefinedError: a value is missing.

    Example:
        >>> fill('{{ count }} windows, {{ "%.1f" % part }} % of all', count=3, part=12.34)
        '3 windows, 12.3 % of all'
    """
    return re.sub(r"[ \n]+", " ", WORDS.from_string(template).render(**values)).strip()


def _data_uri(picture: Picture) -> str:
    """The picture itself, as an address; what it is, its first bytes say."""
    image = picture.image
    content = image if isinstance(image, bytes) else Path(image).read_bytes()
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        kind = "png"
    elif content.startswith((b"GIF87a", b"GIF89a")):
        kind = "gif"
    elif b"<svg" in content[:1000]:
        kind = "svg+xml"
    else:
        name = repr(picture.caption) if isinstance(image, bytes) else image
        raise ValueError(f"figure {name}: expected PNG, GIF or SVG, found {content[:8]!r}...")
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
