"""Which graphs OpenVINO compiles: one for a size costs time, one for all sizes memory."""

import types

import numpy as np
import pytest

from stylegan_transfer.exporting.onnx_graph import Graph
from stylegan_transfer.runtimes.sessions import OpenVinoSession

pytest.importorskip("openvino")


@pytest.fixture
def session(tmp_path, monkeypatch):
    """A session that compiles nothing, and the list of what it would compile."""
    compiled = []

    def compile_graph(self, name, shapes=()):
        compiled.append((name, *(shape for _, shape in shapes)))
        return types.SimpleNamespace(model_outputs=[], infer=lambda feeds, **_: {"y": feeds["x"]})

    monkeypatch.setattr(OpenVinoSession, "_compile", compile_graph)
    return OpenVinoSession(tmp_path), compiled


def test_the_first_size_and_those_that_come_often_have_graphs_of_their_own(session):
    session, compiled = session
    for size in (5, 5, 6, 5, 7, 6, 6, 6, 5, 6):
        (result,) = session("paint", {"x": np.ones(size)}, ["y"])
        assert result.shape == (size,)
    assert compiled == [("paint", (5,)), ("paint",), ("paint", (6,))]
    session("paint", {"x": np.ones(8)}, ["y"], is_tile=True)
    assert compiled[3:] == [("paint", (8,))]


def test_results_stay_when_the_graph_runs_again(tmp_path):
    pytest.importorskip("onnx")
    graph = Graph("add")
    sums = graph.add("Add", graph.input("x", ("n",)), graph.constant(1.0))
    graph.output("y", sums, ("n",))
    (tmp_path / "add.onnx").write_bytes(graph.model().SerializeToString())
    session = OpenVinoSession(tmp_path)
    values = [np.full(n, i, "float32") for i, n in enumerate((4, 4, 5, 5, 4))]
    results = [session("add", {"x": value}, ["y"])[0] for value in values]
    for value, result in zip(values, results, strict=True):
        np.testing.assert_array_equal(result, value + 1)


def test_sizes_in_turn_are_not_compiled_again_and_again(session):
    """Six sizes have graphs of their own; a seventh takes the place of the least recent one."""
    session, compiled = session
    for _ in range(3):
        for size in range(10):
            session("paint", {"x": np.ones(size)}, ["y"])
    assert compiled == [("paint", (0,)), ("paint",)]
    for size in range(1, 7):
        session("paint", {"x": np.ones(size)}, ["y"], is_tile=True)
    assert len(compiled) == 8
    for size in (1, 2, 3, 4, 5, 6, 0):
        session("paint", {"x": np.ones(size)}, ["y"])
    assert len(compiled) == 8
