"""A page as a browser lays it out; tests that ask for it are skipped where there is no browser."""

import html
import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome")

# A browser's window is 500 pixels wide or more, a phone is not: the page is shown in a frame. It is
# the page as it is. The script that measures it stands outside and may look inside, because a
# frame's `srcdoc` has its parent's origin.
MEASURE = """<!doctype html><meta charset="utf-8"><title>measure</title>
<iframe style="width: {width}px; height: 800px; border: 0" srcdoc="{page}"></iframe>
<script>
addEventListener("load", () => {{
  const page = document.querySelector("iframe").contentDocument
  page.querySelectorAll("details").forEach((details) => {{ details.open = true }})
  document.body.textContent = JSON.stringify([
    page.documentElement.clientWidth,
    page.documentElement.scrollWidth,
    [...page.images].map((image) => image.naturalWidth),
  ])
}})
</script>"""


class Layout(NamedTuple):
    """What the browser says of a page.

    Args:
        width: of the view, in pixels.
        scroll_width: of the content; larger if the page has to be scrolled sideways.
        image_widths: of the decoded pictures, in their own pixels; 0 where one is broken.
        console: messages of the browser, among them everything that it refused to load.
    """

    width: int
    scroll_width: int
    image_widths: list[int]
    console: list[str]


def lay_out(page: str, width: int) -> Layout:
    """Show a page, given as text and with all its details unfolded, `width` pixels wide."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip(f"none of {', '.join(BROWSERS)} is on the PATH")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        path = Path(folder) / "measure.html"
        path.write_text(MEASURE.format(width=width, page=html.escape(page)), "utf-8")
        command = [
            browser,
            "--headless=new",
            *(["--no-sandbox"] if os.geteuid() == 0 else []),  # root cannot have one
            "--disable-gpu",
            "--disable-background-networking",
            "--hide-scrollbars",
            "--no-first-run",
            f"--user-data-dir={folder}/profile",
            "--window-size=1400,1000",
            "--enable-logging=stderr",
            "--dump-dom",
            path.as_uri(),
        ]
        result = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=120)
    body = re.search(r"<body>(\[.*\])</body>", result.stdout)
    if body is None:
        raise RuntimeError(f"{browser} measured nothing; it said:\n{result.stderr[-2000:]}")
    console = [line for line in result.stderr.splitlines() if ":CONSOLE" in line]
    return Layout(*json.loads(html.unescape(body[1])), console)
