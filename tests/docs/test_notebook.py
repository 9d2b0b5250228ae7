"""The notebook runs, and shows what its code prints and draws."""

import copy
import json

from tests.docs.documents import ROOT
from tests.docs.notebook import code_cells, run_notebook

TUTORIAL = ROOT / "docs" / "tutorial.ipynb"
SHORTER = {"NUM_SYSTEMS = 8": "NUM_SYSTEMS = 5", "range(0, 300, 100)": "range(0, 100, 100)"}


def kinds(notebook):
    """Of every output, its type, and how many lines it has if it is printed."""
    return [
        [(output["output_type"], len(output.get("text", []))) for output in cell["outputs"]]
        for cell in code_cells(notebook)
    ]


def test_the_tutorial_goes_from_an_array_to_a_judged_forecast():
    shipped = json.loads(TUTORIAL.read_text("utf-8"))
    notebook = copy.deepcopy(shipped)
    source = json.dumps(notebook["cells"])
    for long, brief in SHORTER.items():
        assert long in source
        source = source.replace(long, brief)
    notebook["cells"] = json.loads(source)
    names = run_notebook(notebook)
    assert kinds(notebook) == kinds(shipped)
    assert "interaction beats" in names["verdict"].sentence
    assert names["futures"].shape == (20, 5, 30, 25, 2)
    assert TUTORIAL.stat().st_size < 300_000
