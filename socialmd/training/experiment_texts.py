"""What is trained, and on what, as text for a log."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from socialmd.data.dataset_description import read_description
from socialmd.models.trained_model import CONFIG_FILE

__all__ = ["experiment_texts"]


def experiment_texts(output: Path) -> dict[str, str]:
    """Configuration and description of the data, as Markdown.

    Args:
        output: folder of a training that says what is trained there (see `mark_folder`).

    Returns:
        `"configuration"`, the resolved one, as a code block of TOML that `load_config` reads, and
        `"data"`, as one of JSON: what `dataset.json` says, files counted instead of listed.

    Example:
        >>> log = TensorBoardLog(output / "tensorboard", windows, experiment_texts(output))
    """
    configuration = (output / CONFIG_FILE).read_text("utf-8")
    description = read_description(output)
    data = description.model_dump(mode="json", exclude_none=True)
    data["files"] = Counter(Path(name).parts[0] for name in description.files)
    data.get("preprocessing", {}).pop("files", None)  # one entry for each of them
    return {
        "configuration": f"```toml\n{configuration}```",
        "data": f"```json\n{json.dumps(data, indent=2, ensure_ascii=False)}\n```",
    }
