"""Data sets of which models are not told everything."""

from __future__ import annotations

import os
from pathlib import Path

from socialmd.data.dataset_description import describe_dataset, read_description

__all__ = ["hide_block"]


def hide_block(data: Path, output: Path, name: str) -> None:
    """The same files, whose features of one name are stored and neither read nor predicted."""
    description = read_description(data)
    for file in description.files:
        (output / file).parent.mkdir(parents=True, exist_ok=True)
        os.link(data / file, output / file)
    describe_dataset(
        output,
        layout=description.layout.hiding(name),
        frame_spacing=description.frame_spacing,
        preprocessing=description.preprocessing,
        length_unit=description.length_unit,
        time_unit=description.time_unit,
    )
