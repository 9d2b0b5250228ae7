import base64
import re
import struct
import zlib
from dataclasses import dataclass, field
from html.parser import HTMLParser

import pytest

from socialmd.reporting import Picture, Report, Section, Table
from tests.browser import lay_out

EMPTY_ELEMENTS = {"img", "meta"}
MARKUP = '<b id="x">&amp;</b>"\'<script>alert(1)</script>'


def png(width, height):
    """A white picture."""

    def chunk(kind, data):
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress((b"\0" + b"\xff" * width) * height)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        chunk(kind, data) for kind, data in ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    )


PNG = png(1600, 500)
GIF = base64.b64decode("R0lGODdhAQABAIAAAP///////ywAAAAAAQABAAACAkQBADs=")
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="30" height="20"/>'


@dataclass
class Element:
    """One element of a page, and all text in it."""

    tag: str
    attributes: dict[str, str]
    path: list[str]
    text: str = ""
    children: list["Element"] = field(default_factory=list)


class Page(HTMLParser):
    """Elements in their order; fails if they are not properly nested."""

    def __init__(self, text):
        super().__init__()
        self.elements, self._open = [], []
        self.feed(text)
        self.close()
        assert not self._open, "not closed"

    def handle_starttag(self, tag, attributes):
        assert len(dict(attributes)) == len(attributes), f"{tag}: attribute given twice"
        element = Element(tag, dict(attributes), [parent.tag for parent in self._open])
        self.elements.append(element)
        if self._open:
            self._open[-1].children.append(element)
        if tag not in EMPTY_ELEMENTS:
            self._open.append(element)

    def handle_endtag(self, tag):
        assert self._open, f"</{tag}> closes nothing"
        assert self._open.pop().tag == tag

    def handle_data(self, data):
        for element in self._open:
            element.text += data

    def all(self, tag):
        return [element for element in self.elements if element.tag == tag]

    def attributes(self, name):
        return [e.attributes[name] for e in self.elements if name in e.attributes]


@pytest.fixture
def report(tmp_path):
    """Everything that a report can hold, and names that would break a careless page."""
    path = tmp_path / "forecast.gif"
    path.write_bytes(GIF)
    long = "stacked_state_pooling_" * 20
    errors = Table(
        f"Errors. {MARKUP}",
        ["forecast", MARKUP, "MAE", "coverage", *(f"step {step}" for step in range(1, 21))],
        [
            [MARKUP, 140_832, 0.2, 0.8, *[0.123456] * 20],
            [long, None, 0.3, 0.91, *[0.5] * 20],
        ],
        [["known law", None, 0.1, None, *[0.25] * 20]],
        best={"MAE": "lowest", "coverage": 0.9},
    )
    pictures = [
        Picture(PNG, f"A wide one. {MARKUP}", MARKUP, wide=True),
        Picture(path, "A path.", "One pixel"),
        Picture(SVG, long, "A rectangle"),
    ]
    details = {f"config.toml {long}": f"[model]\nname = {MARKUP}\n{long}"}
    return Report(
        f"Evaluation of {MARKUP}",
        f"400 windows {long}",
        [
            Section(MARKUP, ["One.", f"Two. {long}"], [errors], pictures),
            Section("Only the best", tables=[Table("Empty.", ["a", "b"], [])]),
            Section("How it was made", details=details),
        ],
    )


@pytest.fixture
def page(report):
    return Page(report.html())


def test_page_is_html5_in_english_and_fits_phones(report, page):
    assert report.html().startswith('<!doctype html>\n<html lang="en">\n<head>\n<meta charset=')
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in [
        element.attributes for element in page.all("meta")
    ]


def test_text_is_never_markup(report, page):
    assert not page.all("script")
    assert not page.all("b")
    assert "x" not in page.attributes("id")
    assert page.all("title")[0].text == page.all("h1")[0].text == report.title
    assert page.all("h2")[0].text == page.all("a")[0].text == MARKUP
    assert [p.text for p in page.all("p")][:3] == [report.subtitle, *report.sections[0].paragraphs]
    assert page.all("pre")[0].text == next(iter(report.sections[2].details.values()))
    captions = [element.text for element in page.all("figcaption")]
    assert f"Errors. {MARKUP}" in captions
    assert f"A wide one. {MARKUP}" in captions
    assert MARKUP in [element.text for element in page.all("th")]
    assert page.all("img")[0].attributes["alt"] == MARKUP


def test_contents_lead_to_every_section(page):
    ids = page.attributes("id")
    assert len(set(ids)) == len(ids)
    targets = {element.attributes["id"]: element for element in page.all("h2")}
    links = page.all("a")
    assert all("nav" in link.path for link in links)
    assert [link.attributes["href"] for link in links] == [f"#{name}" for name in targets]
    assert [link.text for link in links] == [heading.text for heading in targets.values()]
    assert set(page.attributes("aria-labelledby")) <= set(ids)


def test_headings_are_in_order(page):
    headings = [element.tag for element in page.elements if re.fullmatch(r"h\d", element.tag)]
    assert headings == ["h1", "h2", "h2", "h2"]


def test_pictures_are_in_the_page(page):
    images = page.all("img")
    assert all(image.attributes["alt"] for image in images)
    heads, contents = zip(*(image.attributes["src"].split(",") for image in images), strict=True)
    assert heads == (
        "data:image/png;base64",
        "data:image/gif;base64",
        "data:image/svg+xml;base64",
    )
    assert [base64.b64decode(content, validate=True) for content in contents] == [PNG, GIF, SVG]


def test_nothing_is_loaded(report, page):
    assert not {element.tag for element in page.elements} & {"script", "link", "iframe", "object"}
    rest = re.sub(r'src="data:[^"]*"', "", report.html())
    for address in ("http:", "https:", "//", "url(", "@import", " src="):
        assert address not in rest
    policy = next(e for e in page.all("meta") if "http-equiv" in e.attributes)
    assert policy.attributes["content"].startswith("default-src 'none'; img-src data:;")


def test_best_cells_and_no_others_are_bold(page):
    rows = [[cell.text for cell in row.children] for row in page.all("tr")]
    assert [cells[0] for cells in rows if len(cells) == 1] == ["Baselines"]
    bold = [
        (row.children[0].text, cell.text)
        for row in page.all("tr")
        for cell in row.children
        if "best" in cell.attributes.get("class", "").split()
    ]
    long = "stacked_state_pooling_" * 20
    assert bold == [(MARKUP, "0.2000"), (long, "0.9100"), ("known law", "0.1000")]
    assert rows[0][2:4] == ["MAE\u00a0↓", "coverage\u00a0→\u00a00.9"]


def test_each_row_has_a_cell_for_each_column(page):
    for table in page.all("table"):
        head, *bodies = table.children
        width = len(head.children[0].children)
        for row in (row for body in bodies for row in body.children):
            assert sum(int(cell.attributes.get("colspan", 1)) for cell in row.children) == width
            assert row.children[0].tag == "th"


def test_missing_picture_is_named(tmp_path):
    section = Section("Forecasts", pictures=[Picture(tmp_path / "gone.png", "Gone.", "Nothing")])
    with pytest.raises(FileNotFoundError, match=r"gone\.png"):
        Report("Title", "", [section]).write(tmp_path / "report.html")
    assert not list(tmp_path.iterdir())


def test_other_files_are_no_pictures(tmp_path):
    path = tmp_path / "metrics.png"
    path.write_text('{"mae": 0.1}')
    for image, name in ((path, "metrics.png"), (b"%PDF-1.7", "figure 'Caption.'")):
        section = Section("Forecasts", pictures=[Picture(image, "Caption.", "Nothing")])
        with pytest.raises(ValueError, match=f"{name}.*: expected PNG, GIF or SVG"):
            Report("Title", "", [section]).html()


def test_picture_needs_words_for_the_blind():
    with pytest.raises(ValueError, match=r"alt: expected words for figure 'Caption\.'"):
        Picture(PNG, "Caption.", " ")


def test_page_is_written_as_utf8(tmp_path):
    report = Report("Åbo → 0.9", "", [])
    report.write(tmp_path / "new" / "report.html")
    assert (tmp_path / "new" / "report.html").read_text("utf-8") == report.html()


@pytest.mark.parametrize("width", [1280, 390])
def test_browser_finds_no_fault(report, width):
    layout = lay_out(report.html(), width)
    assert layout.width == layout.scroll_width == width
    assert layout.image_widths == [1600, 1, 30]
    assert layout.console == []


def test_browser_would_find_faults(report):
    faults = '<img src="https://example.invalid/x.png" alt=""><pre style="width: 999px"></pre>'
    layout = lay_out(report.html().replace("</main>", f"{faults}</main>"), 390)
    assert layout.scroll_width > layout.width == 390
    assert layout.image_widths == [1600, 1, 30, 0]
    assert len(layout.console) == 1
    assert "Content Security Policy" in layout.console[0]
