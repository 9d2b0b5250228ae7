"""Notebooks as plain JSON: run the code of one, and keep what it shows.

After a change of the notebook or of what it shows:

    python -m tests.docs.notebook docs/tutorial.ipynb
"""

import base64
import contextlib
import io
import json
import sys
from pathlib import Path
from typing import Any

import matplotlib

DOTS_PER_INCH = 72


def code_cells(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def run_notebook(notebook: dict[str, Any]) -> dict[str, Any]:
    """Run all code cells in one namespace, and put what they print and draw below them.

    Args:
        notebook: nbformat 4.

    Returns:
        The namespace.
    """
    import matplotlib.pyplot as plt

    names: dict[str, Any] = {"__name__": "__main__"}
    for number, cell in enumerate(code_cells(notebook), 1):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile("".join(cell["source"]), f"cell {number}", "exec"), names)
        cell["execution_count"] = number
        cell["outputs"] = []
        if text := printed.getvalue():
            lines = text.splitlines(keepends=True)
            cell["outputs"].append({"name": "stdout", "output_type": "stream", "text": lines})
        for figure in map(plt.figure, plt.get_fignums()):
            cell["outputs"].append(_picture(figure))
            plt.close(figure)
    return names


def _picture(figure: Any) -> dict[str, Any]:
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
    data = {"image/png": base64.b64encode(file.getvalue()).decode(), "text/plain": ["<Figure>"]}
    return {"data": data, "metadata": {}, "output_type": "display_data"}


if __name__ == "__main__":
    matplotlib.use("Agg")
    path = Path(sys.argv[1])
    content = json.loads(path.read_text("utf-8"))
    run_notebook(content)
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")
