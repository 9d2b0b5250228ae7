"""What all commands have in common: help at once, and errors of users in one sentence."""

import argparse
import importlib
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from socialmd.commands import figures, tune
from socialmd.commands.main import COMMANDS
from socialmd.training.search.durable_oracle import ALGORITHMS

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted((ROOT / "pipelines").glob("*.py"))
# What takes seconds to import; `None` in sys.modules makes an import fail.
HELP = """
import runpy, sys
for name in ("tensorflow", "keras", "matplotlib", "MDAnalysis", "openmm", "numba"):
    sys.modules[name] = None
sys.argv = [sys.argv[1], "--help"]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def test_there_are_commands():
    assert {path.stem for path in SCRIPTS} >= {"train", "evaluate", "predict", "preprocess"}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_help_needs_nothing_slow_and_says_nothing_else(script):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", HELP, str(script)], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout.startswith(f"usage: socialmd {script.stem} [-h]")
    assert "--debug" in done.stdout


@pytest.fixture
def parsers(monkeypatch):
    """By command, what parses its arguments."""
    found = {}

    def note(parser, _):
        found[name] = parser
        raise NotImplementedError

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", lambda *words: note(*words[:2]))
    for name in COMMANDS:
        with pytest.raises(NotImplementedError):
            importlib.import_module(f"socialmd.commands.{name}")._parse([])
    return found


def test_what_is_written_to_is_the_last_argument(parsers):
    for name, parser in parsers.items():
        if name == "benchmark":  # which also lists, and writes nothing
            assert "--output" in parser._option_string_actions
            continue
        places = [action.dest for action in parser._actions if not action.option_strings]
        assert places[-1] == "output", name
        assert "--output" not in parser._option_string_actions


def test_an_option_means_the_same_in_all_commands(parsers):
    forms = {}
    for name, parser in parsers.items():
        for option, action in parser._option_string_actions.items():
            form = (type(action), action.nargs, action.dest)
            assert forms.setdefault(option, form) == form, f"{option} of {name}"
    assert {option for option in forms if re.search("verb|quiet", option)} == {"--verbose"}
    assert {option for option in forms if re.search("work|proc|jobs", option)} == {"--processes"}


def start(monkeypatch, script, *words):
    """As the shell does; its exit status."""
    monkeypatch.setattr(sys, "argv", [str(script), *map(str, words)])
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    monkeypatch.setattr("warnings.formatwarning", None)  # is put back afterwards
    with pytest.raises(SystemExit) as status:
        runpy.run_path(str(script), run_name="__main__")
    return status.value.code


MISSING = {
    "benchmark": ["no_benchmark", "--output", "output"],
    "circle": ["no.toml", "output"],
    "compare": ["no.toml", "no.toml", "data", "output"],
    "evaluate": ["no_model", "data", "output"],
    "export": ["no_model", "output"],
    "figures": ["no_model", "data", "output", "--only", "32"],
    "fluid": ["file/below"],
    "molecules": ["no_simulation", "output"],
    "nanoparticle": ["file/below"],
    "predict": ["no_model", "no.npy", "output"],
    "preprocess": ["no_simulation", "output"],
    "quickstart": ["output", "--config", "no.toml"],
    "simulate": ["no.toml", "output"],
    "train": ["no.toml", "data", "output"],
    "tune": ["no.toml", "data", "output"],
}


@pytest.mark.parametrize("name", ["evaluate", "export", "figures", "predict"])
def test_modules_of_users_are_imported_before_models_are_loaded(name, monkeypatch, capfd):
    words = [*MISSING[name], "--import", "no_such_module"]
    assert start(monkeypatch, ROOT / f"pipelines/{name}.py", *words) == 1
    assert capfd.readouterr().err == "error: No module named 'no_such_module'\n"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_an_error_of_the_user_is_one_sentence(script, tmp_path, monkeypatch, capfd):
    (tmp_path / "file").touch()
    monkeypatch.chdir(tmp_path)
    assert start(monkeypatch, script, *MISSING[script.stem]) == 1
    lines = capfd.readouterr().err.replace("\r", "\n").splitlines()
    [line] = [line for line in lines if line.strip() and "simulation/s" not in line]
    assert line.startswith("error: ")
    assert any(word.rstrip("/below") in line for word in MISSING[script.stem])
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_trace_is_shown_on_demand(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["train.py", "no.toml", "data", "output", "--debug"])
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    with pytest.raises(FileNotFoundError, match=r"no\.toml"):
        runpy.run_path(str(ROOT / "pipelines/train.py"), run_name="__main__")


# Its first lines come from the import of a library, before it reads the environment.
IMPORTS = """
from socialmd.commands.command_line import parse_first
parse_first({!r}, lambda _: None, needs_tensorflow={})
import sys
print("tensorflow" in sys.modules)
"""
LETTERS = """
from socialmd.commands.command_line import parse_first, run_script
parse_first(__name__, lambda _: None, needs_tensorflow=False)
run_script(lambda: print("0.3 ± 0.1 Å"))
"""
LINES = """
from socialmd.commands.command_line import run_script
run_script(lambda: [print(number, flush=True) for number in range(100_000)])
"""


def run(script, **changes):
    environment = {**os.environ, **changes}
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)  # as users have it
    return subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        cwd=ROOT,
    )


@pytest.mark.parametrize("name", ["__main__", "__mp_main__"])
def test_tensorflow_does_not_tell_of_itself(name):
    """Nor in processes that a script starts."""
    done = run(IMPORTS.format(name, True))
    assert done.communicate() == (b"True\n", b"")


def test_tensorflow_is_not_waited_for_where_nothing_is_learned():
    done = run(IMPORTS.format("__main__", False))
    assert done.communicate() == (b"False\n", b"")
    for name in ("simulate", "nanoparticle", "preprocess"):
        done = run(f"import sys, socialmd.commands.{name}; print('tensorflow' in sys.modules)")
        assert done.communicate() == (b"False\n", b"")


def test_terminals_that_do_not_know_all_letters():
    done = run(LETTERS, PYTHONIOENCODING="ascii")
    assert done.communicate() == (b"0.3 \\xb1 0.1 \\xc5\n", b"")
    assert done.returncode == 0


def test_a_reader_that_has_seen_enough():
    """As `head -1`."""
    with run(LINES) as process:
        assert process.stdout.readline() == b"0\n"
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


@pytest.mark.parametrize("where", ["environment", "file"])
def test_a_backend_that_there_is_not_is_named(where, tmp_path):
    (tmp_path / "keras.json").write_text('{"backend": "torch"}')
    chosen = {"KERAS_BACKEND": "torch"} if where == "environment" else {"KERAS_BACKEND": ""}
    done = run(IMPORTS.format("__main__", True), KERAS_HOME=str(tmp_path), **chosen)
    out, error = done.communicate()
    source = "KERAS_BACKEND" if where == "environment" else str(tmp_path / "keras.json")
    assert error.decode().startswith(f"error: {source}: expected tensorflow or jax")
    assert (out, done.returncode) == (b"", 1)


def test_names_are_written_down_where_they_are_parsed():
    assert tuple(ALGORITHMS) == tune.ALGORITHMS
    assert tuple(figures.FIGURES) == figures.NAMES
