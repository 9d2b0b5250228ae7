"""Command lines: what all commands do with their arguments, and with errors of their users."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import io
import json
import logging
import os
import re
import select
import shlex
import sys
import tempfile
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from socialmd.shard import Shard

__all__ = [
    "CONFIGURATION",
    "MODEL",
    "add_filters",
    "add_import",
    "add_seeds",
    "add_shard",
    "add_verbose",
    "import_modules",
    "make_parser",
    "number_of_samples",
    "parse_first",
    "positive_integer",
    "run_command",
    "run_script",
    "shard",
    "typed_command",
]

# Help of arguments that many commands take. What a command writes to is its last argument.
CONFIGURATION = "name of a configuration that comes with the package, or a TOML file"
MODEL = "folder that training wrote, a .keras file, or the name of a model that comes trained"

# What a user can mend: errors of these kinds say what was expected and what was found.
MENDABLE = (ValueError, OSError, RuntimeError, ImportError, FloatingPointError, MemoryError)
STDOUT, STDERR = 1, 2  # file descriptors; TensorFlow writes to the second
BACKENDS = ("tensorflow", "jax")  # of Keras
BROKEN_PIPE = 141
INTERRUPTED = 130  # as shells report an interruption from the keyboard


def make_parser(name: str, description: str | None) -> argparse.ArgumentParser:
    """A parser of a command, with what all take; the first line of its description is shown."""
    parser = argparse.ArgumentParser(
        prog=f"socialmd {name}",
        description=(description or "").partition("\n")[0],
        allow_abbrev=False,
    )
    parser.add_argument("--debug", action="store_true", help="show where an error comes from")
    return parser


def add_verbose(parser: argparse.ArgumentParser, default: int) -> None:
    """Add `--verbose`, as `verbose` of `keras.Model.fit`, to a command that trains."""
    parser.add_argument(
        "--verbose",
        type=int,
        default=default,
        choices=(0, 1, 2),
        help="of training: nothing, a bar, or a line for each epoch; default: %(default)s",
    )


def add_import(parser: argparse.ArgumentParser) -> None:
    """Add `--import MODULE`, which may be given several times: `modules` for `import_modules`."""
    parser.add_argument(
        "--import",
        dest="modules",
        action="append",
        default=[],
        metavar="MODULE",
        help="a module of yours that registers what is to be used, in this folder or installed",
    )


def add_filters(parser: argparse.ArgumentParser, what: str, if_several: str) -> None:
    """Add `--filter`, conservation filters that a command does `what`, and several of them how."""
    parser.add_argument(
        "--filter",
        dest="filters",
        action="append",
        default=[],
        metavar="NAME",
        help=f"{what} a conservation filter, momentum, energy or rotation, or several, as in "
        f"momentum+energy; given several times, {if_several}; default: none",
    )


def add_seeds(parser: argparse.ArgumentParser) -> None:
    """Add `--seeds`, how many trainings of the same there are."""
    parser.add_argument(
        "--seeds", type=positive_integer, default=3, help="0, 1, ...; default: 3 of them"
    )


def add_shard(parser: argparse.ArgumentParser, verb: str) -> None:
    """Add `--shard` to a command that divides simulations among processes that `verb` them."""
    parser.add_argument(
        "--shard",
        type=shard,
        metavar="I/N",
        help=f"{verb} every N-th simulation only, from the I-th on, where I is 1 to N; other "
        f"processes {verb} the others; default: all",
    )


def run_command(name: str, *arguments: object) -> None:
    """Run another command in this process, having printed it."""
    words = [str(argument) for argument in arguments]
    print(f"\n$ socialmd {name} {shlex.join(words)}", flush=True)
    importlib.import_module(f"socialmd.commands.{name}").main(words)


def import_modules(names: Sequence[str]) -> None:
    """Import modules that register something, installed or in the current folder."""
    if names and os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())  # an installed command starts without it
    for name in names:
        importlib.import_module(name)


def parse_first(
    name: str, parse: Callable[[Sequence[str] | None], object], needs_tensorflow: bool = True
) -> None:
    """Of a script that is being started, parse the arguments before anything slow is imported.

    Help and complaints come at once then. TensorFlow, which is imported next, does not tell of
    itself, unless `TF_CPP_MIN_LOG_LEVEL` is set to less than 2; nor does it in processes that the
    script starts. Given its `__name__`, nothing happens if another module imports it.
    """
    if name == "__main__":
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):  # of a terminal that may not know all letters
                stream.reconfigure(errors="backslashreplace")
        parse(None)
        if needs_tensorflow:
            _check_backend()
    if needs_tensorflow and name in ("__main__", "__mp_main__") and _backend()[0] == "tensorflow":
        _silence_tensorflow()


def run_script(main: Callable[[], None]) -> NoReturn:
    """Run a script to its end: an error that its user can mend is one sentence, its status 1.

    Where it comes from is shown with `--debug`, and always for errors of other kinds, which are
    errors of this package. A warning is a line, too.
    """
    is_debugging = "--debug" in sys.argv[1:]
    if not is_debugging:
        warnings.formatwarning = lambda message, *_, **__: f"warning: {message}\n"
    try:
        main()
        sys.stdout.flush()
    except KeyboardInterrupt:
        if is_debugging:
            raise
        print("\ninterrupted", file=sys.stderr)
        sys.exit(INTERRUPTED)
    except MENDABLE as error:
        if isinstance(error, BrokenPipeError) and _is_nobody_reading():
            sys.exit(BROKEN_PIPE)
        if is_debugging:
            raise
        print(f"error: {_in_one_line(error)}", file=sys.stderr)
        sys.exit(1)
    sys.exit(0)


def _is_nobody_reading() -> bool:
    """Whether whoever reads what is printed has seen enough; nothing is printed any more then."""
    poll = select.poll()
    poll.register(STDOUT, select.POLLOUT)
    if not any(event & select.POLLERR for _, event in poll.poll(0)):
        return False
    os.dup2(os.open(os.devnull, os.O_WRONLY), STDOUT)
    return True


def _in_one_line(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return f"out of memory: {text}" if isinstance(error, MemoryError) else text


def _backend() -> tuple[str, str]:
    """Which backend Keras will take, and what says so."""
    file = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")) / "keras.json"
    if backend := os.environ.get("KERAS_BACKEND"):
        return backend, "KERAS_BACKEND"
    if file.is_file():
        with suppress(ValueError):  # of which Keras tells by itself
            return json.loads(file.read_bytes()).get("backend") or BACKENDS[0], str(file)
    return BACKENDS[0], "KERAS_BACKEND"


def _check_backend() -> None:
    """Keras' own message, if it is asked for one that is not installed, names neither."""
    backend, source = _backend()
    message = None
    if backend not in BACKENDS:
        message = (
            f"{source}: expected {' or '.join(BACKENDS)} as the backend of Keras, found "
            f"{backend}; set KERAS_BACKEND=tensorflow"
        )
    elif importlib.util.find_spec(backend) is None:
        others = [each for each in BACKENDS if importlib.util.find_spec(each)]
        message = (
            f"{source}: expected an installed backend of Keras, found {backend}, which is not; "
            f'python -m pip install "socialmd[{backend}]"'
            + "".join(f", or set KERAS_BACKEND={each}" for each in others)
        )
    if message:
        print(f"error: {message}", file=sys.stderr)
        sys.exit(1)


def _silence_tensorflow() -> None:
    """Import it. Its first lines come from before it reads the environment: they are kept back."""
    if os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") < "2":  # somebody wants to know
        return
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    sys.stderr.flush()
    kept = os.dup(STDERR)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), STDERR)
        try:
            importlib.import_module("tensorflow")
        except BaseException:
            file.seek(0)
            os.write(kept, file.read())
            raise
        finally:
            os.dup2(kept, STDERR)
            os.close(kept)


def positive_integer(text: str) -> int:
    """For `argparse`: a number of windows, seeds or epochs."""
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"expected a positive integer, found {number}")
    return number


def number_of_samples(text: str) -> int:
    """For `argparse`: futures to draw for one past; of one alone no spread can be told."""
    if (number := int(text)) < 0 or number == 1:
        raise argparse.ArgumentTypeError(f"expected 0, or at least 2, found {number}")
    return number


def shard(text: str) -> Shard:
    """For `argparse`: `"i/n"`, where i counts from 1, as array jobs of SLURM usually do."""
    if not (match := re.fullmatch(r"(\d{1,9})/(\d{1,9})", text, re.ASCII)):
        raise argparse.ArgumentTypeError(f"expected i/n, as 2/4, found {text!r}")
    try:
        return Shard(*map(int, match.groups()))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def typed_command(name: str, words: Sequence[str]) -> str:
    """What was typed, for the caption of what it made; of absolute paths, the last part.

    Where files lie on one machine says nothing to others.
    """
    shortened = [Path(word).name if Path(word).is_absolute() else word for word in words]
    return f"socialmd {name} {shlex.join(shortened)}"
