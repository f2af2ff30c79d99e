"""Pictures are painted where TensorFlow and Keras cannot even be imported."""

import os
import subprocess
import sys

import numpy as np
import pytest

from stylegan_transfer import samples
from stylegan_transfer.networks import saving
from stylegan_transfer.pictures.files import load_image
from stylegan_transfer.runtimes.loading import load_generator
from stylegan_transfer.stylizing.stylize import stylize

pytest.importorskip("onnxruntime")
BLOCKED = ("tensorflow", "keras", "jax", "torch", "onnx", "h5py", "tensorboard", "scipy")

PROGRAM = f"""
import sys
for name in {BLOCKED}:
    sys.modules[name] = None  # whoever imports it gets an ImportError
import stylegan_transfer
from stylegan_transfer import samples
from stylegan_transfer.commands.main import main
content, style = samples.draw_content("city", 64), samples.draw_style("swirls", 64)
for generator in (stylegan_transfer.load_generator(),
                  stylegan_transfer.load_generator(runtime="onnx")):
    picture = stylegan_transfer.stylize(generator, content, style, style_size=64, strength=0.5)
    assert picture.shape == (64, 64, 3)
stylegan_transfer.save_image(content, "content.png")
stylegan_transfer.save_image(style, "style.png")
code = main(["stylegan-transfer", *sys.argv[1:]])
# All of Pillow's formats take a tenth of the start, a bar that nobody sees a twentieth.
assert not {{"PIL.PdfImagePlugin", "tqdm"}} & {{*sys.modules}}
sys.exit(code)
"""


@pytest.fixture
def run_without_frameworks(tmp_path):
    def run(*flags):
        flags = ["stylize", "--content=content.png", "--style=style.png", *flags]
        return subprocess.run(
            [sys.executable, "-c", PROGRAM, *flags],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            capture_output=True,
            text=True,
        )

    return run


def test_the_package_and_the_command_paint(run_without_frameworks, tmp_path):
    process = run_without_frameworks("--output=out.png", "--style_size=64")
    assert process.returncode == 0, process.stderr
    assert process.stdout == "Wrote 1 of 1 pictures: out.png\n"
    assert process.stderr == ""
    content, style = samples.draw_content("city", 64), samples.draw_style("swirls", 64)
    expected = stylize(saving.load_generator(), content, style, style_size=64)
    np.testing.assert_allclose(load_image(tmp_path / "out.png"), expected, atol=0.03)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--runtime=tensorflow"], "Expected TensorFlow"),
        (["--report", "--style_size=64"], "Expected the package "),
    ],
)
def test_what_needs_tensorflow_is_one_line(run_without_frameworks, flags, words):
    process = run_without_frameworks("--output=out.png", *flags)
    assert process.returncode == 1
    assert process.stderr.startswith(f"Error: {words}")
    assert len(process.stderr.splitlines()) == 1


@pytest.mark.parametrize("runtime", ["onnx", "openvino"])
def test_the_graphs_that_ship_are_the_generator_that_ships(runtime):
    pytest.importorskip({"onnx": "onnxruntime"}.get(runtime, runtime))
    expected, exported = saving.load_generator(), load_generator(runtime=runtime)
    content, style = samples.draw_content("harbour", 150)[:99], samples.draw_style("waves", 77)
    pictures = [stylize(g, content, style, style_size=64) for g in (expected, exported)]
    np.testing.assert_allclose(pictures[1], pictures[0], atol=5e-4)  # roots of so few positions
    assert exported.receptive_radius == expected.receptive_radius
    assert exported.strides == expected.strides
