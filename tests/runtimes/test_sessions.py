"""Which graphs OpenVINO compiles: one for a size costs time, one for all sizes memory."""

import types

import numpy as np
import pytest

from stylegan_transfer.runtimes.sessions import OpenVinoSession

pytest.importorskip("openvino")


def test_the_first_size_and_those_that_come_often_have_graphs_of_their_own(tmp_path, monkeypatch):
    compiled = []

    def compile_graph(self, name, shapes=()):
        compiled.append((name, *(shape for _, shape in shapes)))
        return types.SimpleNamespace(infer=lambda feeds, share_inputs: {"y": feeds["x"]})

    monkeypatch.setattr(OpenVinoSession, "_compile", compile_graph)
    session = OpenVinoSession(tmp_path)
    for size in (5, 5, 6, 5, 7, 6, 6, 6, 5):
        (result,) = session("paint", {"x": np.ones(size)}, ["y"])
        assert result.shape == (size,)
    assert compiled == [("paint", (5,)), ("paint",), ("paint", (6,))]
