"""Packing pictures to train from: what the file holds, and how large it is."""

import zipfile

import numpy as np
import pytest

from stylegan_transfer.commands import pack
from stylegan_transfer.pictures.files import load_image
from stylegan_transfer.training.sources import ImageStore


@pytest.fixture
def photos(save_picture, tmp_path):
    for i in range(5):
        save_picture(f"photos/{i}.png", (60 + i, 50), seed=i)
    return tmp_path / "photos"


def test_packed_pictures_are_those_that_were_packed_but_smaller(photos, run_command, tmp_path):
    flags = [f"--content={photos}", f"--style={photos / '0.png'}", "--size=32", "--quality=95"]
    process = run_command(pack, *flags, f"--output={tmp_path / 'pairs.zip'}")
    assert process.returncode == 0, process.stderr
    assert "Packed 5 photographs and 1 paintings" in process.stdout
    store = ImageStore(2**20)
    packed = store.open(str(tmp_path / "pairs.zip"), "content", 32)
    assert len(packed) == 5
    originals = [load_image(path, "uint8", 32) for path in sorted(photos.iterdir())]
    for i in range(5):
        image, _ = packed.load(i)
        nearest = min(
            np.abs(np.int16(image) - original).mean()
            for original in originals
            if original.shape == image.shape
        )
        assert nearest < 4
    style, _ = store.open(str(tmp_path / "pairs.zip"), "style", 32).load(0)
    assert np.abs(np.int16(style) - originals[0]).mean() < 4


def test_the_file_stays_within_the_megabytes_and_takes_of_both(photos, run_command, tmp_path):
    output = tmp_path / "small.zip"
    flags = [f"--content={photos}", f"--style={photos}", "--size=32", f"--output={output}"]
    assert run_command(pack, *flags, "--max_mb=0.01").returncode == 0
    assert output.stat().st_size <= 10_000
    with zipfile.ZipFile(output) as archive:
        kinds = [name.partition("/")[0] for name in archive.namelist()]
    assert 0 < kinds.count("style") <= kinds.count("content") < 5
    process = run_command(pack, *flags)
    assert process.returncode == 1
    assert f"Expected --overwrite for a file that exists. Received: {output}" in process.stderr


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--output=pairs.tar"], "Expected output: a name that ends in .zip."),
        (["--output=pairs.zip", "--max_mb=0.01", "--size=400"], "Expected max_mb that holds"),
        (["--output=pairs.zip", "--content=nowhere"], "Received: nowhere"),
    ],
)
def test_mistakes_are_one_line_and_leave_no_file(
    run_command, save_picture, tmp_path, monkeypatch, flags, words
):
    monkeypatch.chdir(tmp_path)
    picture = save_picture("large.png", (600, 600))
    process = run_command(pack, f"--content={picture}", f"--style={picture}", *flags)
    assert process.returncode == 1
    assert words in process.stderr and len(process.stderr.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["large.png"]
