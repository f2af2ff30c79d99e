"""The command `optimize`: what it paints, writes and refuses."""

import pathlib

import numpy as np
import pytest
from PIL import Image

from stylegan_transfer.commands import optimize as optimize_command
from stylegan_transfer.pictures.files import load_image
from stylegan_transfer.stylizing.optimize import optimize

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture
def pictures(save_picture):
    """The paths of a content and of two styles; the name of the second ends like a weight."""
    content, first, second = (save_picture(f"{name}.png", seed=i) for i, name in enumerate("cab"))
    return content, first, second.rename(second.with_name("b:7"))


def test_flags_reach_the_optimization_and_intermediate_pictures_lie_beside_the_output(
    run_command, pictures, tmp_path
):
    content, first, second = pictures
    output = tmp_path / "new" / "out.png"
    process = run_command(
        optimize_command,
        f"--content={content}",
        f"--style={first}:3",
        f"--style={second}",
        f"--output={output}",
        "--size=36",
        "--steps=5",
        "--save_every=2",
        "--strength=0.7",
        "--initial=noise",
        "--seed=4",
        "--style_weight=20",
        "--total_variation_weight=0.1",
        "--original_colors",
    )
    assert process.returncode == 0, process.stderr
    assert "Traceback" not in process.stderr
    assert str(output) in process.stdout
    assert "5/5" in process.stderr  # the progress bar
    assert "loss=" in process.stderr
    seen = {}
    images = [load_image(path) for path in (content, first, second)]
    expected = optimize(
        images[0],
        images[1:],
        style_weights=(3, 1),
        image_size=36,
        num_steps=5,
        strength=0.7,
        initial="noise",
        seed=4,
        style_weight=20.0,
        moments_weight=20.0,
        total_variation_weight=0.1,
        original_colors=True,
        on_step=lambda step, total, terms, image: seen.update({step: image}),
    )
    written = {path.name: load_image(path) for path in output.parent.iterdir()}
    assert written.keys() == {"out.png", "out_step00002.png", "out_step00004.png"}
    np.testing.assert_allclose(written["out.png"], expected, atol=0.01)
    for step in (2, 4):
        np.testing.assert_allclose(written[f"out_step{step:05d}.png"], seen[step], atol=0.01)


def test_existing_pictures_are_replaced_only_if_asked(run_command, pictures, tmp_path):
    content, style, _ = pictures
    output, intermediate = tmp_path / "out.png", tmp_path / "out_step00002.png"
    flags = [f"--content={content}", f"--style={style}", f"--output={output}", "--save_every=2"]
    intermediate.write_text("precious")
    process = run_command(optimize_command, *flags)
    assert process.returncode == 1
    assert process.stderr.startswith("Error: ")
    assert len(process.stderr.splitlines()) == 1
    assert str(intermediate) in process.stderr
    assert "--overwrite" in process.stderr
    assert not output.exists()
    flags = [*flags, "--overwrite", "--strength=0", "--size=40", "--steps=2"]
    process = run_command(optimize_command, *flags)
    assert process.returncode == 0, process.stderr
    with Image.open(output) as result, Image.open(content) as photo:
        np.testing.assert_array_equal(result, photo)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--output=out.txt"], ["Error: ", "output='out.txt'", ".png"]),
        (["--style=none.png:2"], ["Error: ", "none.png, not found"]),
        (["--style=C:\\none.png"], ["Error: ", "C:\\none.png, not found"]),
        (["--content=none.png"], ["Error: ", "none.png"]),
        (["--features="], ["features", "at least one"]),
        (["--size=16"], ["size"]),
        (["--steps=0"], ["steps"]),
        (["--strength=2"], ["strength"]),
        (["--optimizer=sgd"], ["optimizer", "lbfgs"]),
    ],
)
def test_wrong_flags_are_named_at_once_without_a_traceback(
    run_command, assert_user_error, pictures, flags, words
):
    content, style, _ = pictures
    given = [f"--content={content}", f"--style={style}", "--output=no_such_folder/out.png"]
    assert_user_error(run_command(optimize_command, *given, *flags), *words)
    assert not (ROOT / "no_such_folder").exists()
