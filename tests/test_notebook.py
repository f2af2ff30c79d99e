"""The notebook runs from start to end and is saved with its pictures."""

import pathlib

import nbclient
import nbformat
import pytest

NOTEBOOK = pathlib.Path(__file__).parents[1] / "notebooks" / "quickstart.ipynb"


def pictures_of_each_cell(notebook):
    return [
        sum(any(kind.startswith("image/") for kind in output.get("data", {})) for output in outputs)
        for outputs in (cell.outputs for cell in notebook.cells if cell.cell_type == "code")
    ]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")  # Jupyter's own
def test_notebook_runs_and_shows_what_it_was_saved_with(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(NOTEBOOK.parents[1]))
    saved = nbformat.read(NOTEBOOK, as_version=4)
    assert sum(pictures_of_each_cell(saved)) >= 10
    fresh = nbformat.read(NOTEBOOK, as_version=4)
    smaller = {"STEPS = 120": "STEPS = 3", "384": "64", "width=16": "width=4", "=64": "=32"}
    smaller["log_every=10"] = 'log_every=10, style_layers=("relu1_1",), content_layers=("relu2_1",)'
    # for a few steps quicker than to trace them
    smaller["import tensorflow as tf"] = (
        "import tensorflow as tf\ntf.config.run_functions_eagerly(True)"
    )
    for cell in fresh.cells:
        for text, replacement in smaller.items():
            cell.source = cell.source.replace(text, replacement)
    client = nbclient.NotebookClient(
        fresh, timeout=300, resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    assert pictures_of_each_cell(fresh) == pictures_of_each_cell(saved)


def test_notebook_holds_no_errors_and_no_logs():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    kinds = {
        (output.output_type, output.get("name"))
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    }
    assert kinds == {("display_data", None), ("stream", "stdout")}
