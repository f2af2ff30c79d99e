"""The export of a test file's own generator."""

import pytest


@pytest.fixture(scope="module")
def folder(generator, tmp_path_factory):
    """The folder of `generator`, exported for onnxruntime and OpenVINO."""
    from stylegan_transfer.exporting.export import export

    path = tmp_path_factory.mktemp("exported") / "generator"
    export(generator, path)
    return path
