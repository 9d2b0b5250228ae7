"""README and pages are complete: readers find every page, every page finds its files."""

import re
from fnmatch import fnmatch

import pytest

from socialmd.commands.main import COMMANDS
from tests.docs.documents import CARDS, PAGES, README, ROOT, name

DOCUMENTS = [README, *PAGES, *CARDS]


def links(path):
    """Files and places in them that a document links to."""
    found = re.findall(r"\]\(([^)\s#]*)(?:#([^)\s]*))?\)", path.read_text("utf-8"))
    return [(file, place) for file, place in found if "://" not in file]


def places(path):
    """Headings as GitHub addresses them."""
    headings = re.findall(r"(?m)^#+ (.*)$", path.read_text("utf-8"))
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


def folders(path):
    """Those that are not hidden and not ignored."""
    lines = (ROOT / ".gitignore").read_text().splitlines()
    ignored = [line.strip("/") for line in lines if path == ROOT or not line.startswith("/")]
    names = [each.name for each in path.iterdir() if each.is_dir() and each.name[0] != "."]
    return {each for each in names if not any(fnmatch(each, pattern) for pattern in ignored)}


def test_the_readme_fits_on_a_few_screens():
    assert len(README.read_text("utf-8").splitlines()) <= 150


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_every_page_begins_with_what_its_reader_wants(path):
    title, empty, wish = path.read_text("utf-8").splitlines()[:3]
    assert title.startswith("# ")
    assert not empty
    assert wish.startswith("You want to ")


def test_the_readme_leads_to_every_page():
    table = re.findall(r"(?m)^\|.*\]\(docs/([^)]*)\) \|$", README.read_text("utf-8"))
    pages = [path.name for path in (ROOT / "docs").iterdir() if path.suffix in (".md", ".ipynb")]
    assert sorted(table) == sorted(pages)


def test_the_tree_of_the_readme_is_that_of_the_folders():
    tree = README.read_text("utf-8").split("## Where things are")[1].split("```")[1]
    assert set(re.findall(r"(?m)^(\w+)/", tree)) == folders(ROOT)
    assert set(re.findall(r"(?m)^  (\w+)/", tree)) == folders(ROOT / "socialmd")


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_nothing_is_left_to_be_filled_in(path):
    assert not re.findall(r"@@|TODO|TBD", path.read_text("utf-8"))


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_pictures_and_links_exist(path):
    found = links(path)
    assert found
    for file, place in found:
        target = path.parent / file if file else path
        assert target.exists(), file
        assert not place or place in places(target), f"{file}#{place}"


@pytest.mark.parametrize("path", [README, *PAGES], ids=name)
def test_every_file_of_the_repository_that_is_named_exists(path):
    folders = "pipelines|models|tests|socialmd|docs|saved_models"
    pattern = rf"(?<![\w/])(?:{folders})/[\w/]+\.(?:py|toml|png|gif|md|ipynb)"
    found = re.findall(pattern, path.read_text("utf-8"))
    found = [each for each in found if each != "pipelines/NAME.py"]
    assert [each for each in found if not (ROOT / each).exists()] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_every_command_that_is_named_exists(path):
    found = re.findall(r"`socialmd (\w+)", path.read_text("utf-8"))
    assert set(found) - {"NAME"} <= COMMANDS.keys()


def test_every_configuration_is_described():
    table = re.findall(r"(?m)^\| `(\w+)` \|", (ROOT / "docs/training.md").read_text("utf-8"))
    assert sorted(table) == sorted(path.stem for path in ROOT.glob("models/*.toml"))
