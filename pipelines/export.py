"""Export a trained model for inference: python pipelines/export.py MODEL OUTPUT."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from socialmd.models import export_saved_model, load_model


def main(argv: Sequence[str] | None = None) -> None:
    """Write a SavedModel that runs without Keras and without this package."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("model", help="folder that training wrote, or a .keras file")
    parser.add_argument("output", help="folder for the SavedModel")
    arguments = parser.parse_args(argv)

    model, _ = load_model(arguments.model)
    export_saved_model(model, arguments.output)
    endpoints = "serve, serve_padded, rollout, rollout_padded and sample"
    print(f"SavedModel with endpoints {endpoints}: {arguments.output}")


if __name__ == "__main__":
    main()
