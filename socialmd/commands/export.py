"""Export a trained model for inference: socialmd export MODEL OUTPUT."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from socialmd.commands.command_line import (
    MODEL,
    add_import,
    import_modules,
    make_parser,
    parse_first,
    run_script,
)


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = make_parser(
        "export", "Write a SavedModel that runs without Keras and without this package."
    )
    parser.add_argument("model", help=MODEL)
    parser.add_argument("output", help="folder for the SavedModel")
    add_import(parser)
    return parser.parse_args(argv)


parse_first(__name__, _parse)  # what follows takes seconds to import

from socialmd import models


def main(argv: Sequence[str] | None = None) -> None:
    """Write a SavedModel."""
    arguments = _parse(argv)
    import_modules(arguments.modules)
    models.export_saved_model(models.load(arguments.model), arguments.output)
    endpoints = "serve, serve_padded, rollout, rollout_padded and sample"
    print(f"SavedModel with endpoints {endpoints}: {arguments.output}")


if __name__ == "__main__":
    run_script(main)
