"""README, pages of documentation and models' cards: their code blocks, and the commands in them."""

import importlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = sorted((ROOT / "docs").glob("*.md"))
CARDS = sorted((ROOT / "saved_models").rglob("README.md"))

QUOTED = r'"[^"\n]*"'
COMMAND = rf"(?:python pipelines/|(?<![\w/.])socialmd )(\w+)(?:\.py)?((?:{QUOTED}|[^\n'\";&])*)"
VARIABLES = {"$SLURM_ARRAY_TASK_ID": "3"}


def name(path: Path) -> str:
    """Of a file of the repository."""
    return path.relative_to(ROOT).as_posix()


def blocks(path: Path, language: str = r"\w*") -> list[str]:
    """Texts between fences, in their order."""
    fences = rf"(?ms)^ *```{language}\n(.*?)^ *```$"
    return re.findall(fences, path.read_text("utf-8"))


def indented(path: Path) -> list[str]:
    """Lines of code without fences."""
    text = re.sub(r"(?ms)^```.*?^```$", "", path.read_text("utf-8"))
    return re.findall(r"(?m)^(?: {4}| {6})(?=\S)(.*)$", text)


def inline(path: Path) -> list[str]:
    """Commands within sentences that are written out, so that they can be typed."""
    found = re.findall(r"`(socialmd \w+ [^`]*)`", path.read_text("utf-8"))
    return [each for each in found if not re.search(r"\.\.\.|\[", each)]


def prompts(text: str) -> str:
    """What is typed in a terminal whose output is shown."""
    return "\n".join(line for line in text.splitlines() if line.startswith("$ "))


def commands(text: str) -> Iterator[tuple[str, list[str]]]:
    """Name and words of each of our commands in lines of a shell."""
    for match in re.finditer(COMMAND, text.replace("\\\n", " ")):
        words = match[2]
        for name, value in VARIABLES.items():
            words = words.replace(name, value)
        yield match[1], shlex.split(words, comments=True)


def type_commands(text: str, **changes: str) -> None:
    """Run them one after the other, some words changed."""
    for name, words in commands(text):
        words = [changes.get(word, word) for word in words]
        importlib.import_module(f"socialmd.commands.{name}").main(words)


def run_python(path: Path, shorter: dict[str, str], names: dict[str, object]) -> None:
    """Run all Python of a page from top to bottom in one namespace.

    Args:
        path: of the page.
        shorter: texts that take long, and what stands for them.
        names: the namespace.
    """
    for text in blocks(path, "python"):
        for long, brief in shorter.items():
            text = text.replace(long, brief)
        exec(compile(text, path.name, "exec"), names)
