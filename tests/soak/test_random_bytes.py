"""Damaged files of each kind that is read: an error that names the file, or what the file held.

A few copies of each; SOAK=40 in the environment takes 40 times as many.
"""

import dataclasses
import io
import json
import os
import warnings
import zipfile

import keras
import numpy as np
import pytest
from PIL import Image

from stylegan_transfer.commands.stylization.record import Record
from stylegan_transfer.networks.features import VGG19Features
from stylegan_transfer.networks.generator import StyleGenerator
from stylegan_transfer.networks.saving import load_generator, save_generator
from stylegan_transfer.pictures import clip_streams, clips, files
from stylegan_transfer.training.checkpoints import Checkpoints
from stylegan_transfer.training.presets import PRESETS
from stylegan_transfer.training.sources import ImageStore
from stylegan_transfer.training.workdir import claim, to_json

FACTOR = int(os.environ.get("SOAK", "1"))


def damage(data, random):
    """Flips bytes, cuts, doubles, blanks or replaces a part."""
    data = bytearray(data)
    start, length = random.integers(len(data)), random.integers(1, 65)
    kind = random.integers(5)
    if kind == 0:
        for place in random.integers(0, len(data), random.integers(1, 9)):
            data[place] ^= int(random.integers(1, 256))
    elif kind == 1:
        del data[start:]
    elif kind == 2:
        data[start:start] = data[start : start + length]
    elif kind == 3:
        data[start : start + length] = bytes(len(data[start : start + length]))
    else:
        data[start : start + length] = random.bytes(length)
    return bytes(data)


def check(path, whole, count, read, expected=None):
    """Reads damaged copies: each gives what the whole file gave, where that can be told, or an
    error that names the file; returns how many were errors."""
    random, errors = np.random.default_rng(len(whole)), 0
    for _ in range(count * FACTOR):
        data = damage(whole, random)
        path.write_bytes(data)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                result = read(path)
        except (ValueError, OSError) as error:
            message = str(error)
            assert message.startswith("Expected") and path.name in message, message
            assert "\n" not in message and len(message) < 1_000
            errors += 1
        else:
            if expected is not None and data != whole:
                for actual, value in zip(result, expected, strict=True):
                    np.testing.assert_array_equal(actual, value)
    return errors


@pytest.mark.parametrize("suffix", ["bmp", "gif", "jpg", "png", "ppm", "tif", "webp"])
@pytest.mark.parametrize("deep", [False, True])
def test_pictures(tmp_path, suffix, deep):
    if deep and suffix not in ("png", "tif"):
        pytest.skip("8 bits at most")
    pixels = np.random.default_rng(0).random((20, 24, 3), "float32")
    path = tmp_path / f"picture.{suffix}"
    if deep:
        files.save_picture(files.Picture(pixels, bits=16), path)
    else:
        Image.fromarray(np.uint8(255 * pixels)).save(path)

    def read(path):
        picture = files.load_picture(path)
        assert np.isfinite(picture.image).all()
        assert picture.image.min() >= 0 and picture.image.max() <= 1

    assert check(path, path.read_bytes(), 25, read) > 0


@pytest.mark.skipif("SOAK" not in os.environ, reason="takes a minute: SOAK=1 runs it")
def test_generators(tmp_path):
    path = tmp_path / "generator.keras"
    save_generator(StyleGenerator(width=2, num_blocks=0, code_size=4), path)
    expected = [weight.numpy() for weight in load_generator(path).weights]

    def read(path):
        return [weight.numpy() for weight in load_generator(path).weights]

    assert check(path, path.read_bytes(), 25, read, expected) > 20 * FACTOR


@pytest.mark.skipif("SOAK" not in os.environ, reason="takes a minute: SOAK=1 runs it")
@pytest.mark.parametrize("member", ["config.json", "metadata.json", "model.weights.h5"])
def test_generators_whose_parts_have_valid_checksums(tmp_path, member):
    path = tmp_path / "generator.keras"
    save_generator(StyleGenerator(width=2, num_blocks=0, code_size=4), path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}

    def read(part):
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in parts.items():
                archive.writestr(name, part.read_bytes() if name == member else data)
        try:
            load_generator(path)
        except ValueError as error:
            named = str(error).replace("generator.keras", part.name)
            raise ValueError(named) from None

    check(tmp_path / "part", parts[member], 10, read)


@pytest.mark.parametrize("ending", ["index", "data-00000-of-00001", "sha256"])
@pytest.mark.parametrize("checksum", [True, False])
def test_checkpoints(tmp_path, ending, checksum):
    if ending == "sha256" and not checksum:
        pytest.skip("nothing to damage")
    state = [keras.Variable(np.arange(300, dtype="float32")), keras.Variable(3)]
    expected = [v.numpy() for v in state]
    folder = tmp_path / "checkpoints"
    Checkpoints(folder, state).save(3)
    if not checksum:
        (folder / "ckpt-3.sha256").unlink()

    def read(path):
        for variable in state:
            variable.assign(np.zeros(variable.shape))
        Checkpoints(folder, state).restore()
        return [v.numpy() for v in state]

    path = folder / f"ckpt-3.{ending}"
    renamed = path.name

    def read_and_name(path):
        try:
            return read(path)
        except ValueError as error:
            raise ValueError(str(error).replace("ckpt-3", renamed)) from None

    assert check(path, path.read_bytes(), 25, read_and_name, expected) > 15 * FACTOR


def test_records_of_folders(tmp_path):
    entries = {
        f"{name}.png": {"pair": ["a", "s", "b"], "made_of": {"seed": 0}, "result": "0"}
        for name in "ab"
    }
    text = json.dumps({"format": 1, "results": entries}, indent=1)
    path = tmp_path / "stylize.json"
    check(path, text.encode(), 100, lambda path: Record.read(tmp_path).results)


def test_configurations_of_runs(tmp_path):
    config = dataclasses.replace(PRESETS["smoke"])
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "ckpt-3.index").touch()
    path, other = tmp_path / "config.json", tmp_path.name

    def read(path):
        try:
            claim(tmp_path, config)
        except ValueError as error:
            raise ValueError(str(error).replace(other, "config.json")) from None
        assert path.read_text() == to_json(config)

    check(path, to_json(config).encode(), 50, read)


def test_weights_of_features(tmp_path):
    path = tmp_path / "features.npz"
    np.savez(path, **{"block1_conv1/kernel": np.ones((3, 3, 3, 64), "float32")})
    assert check(path, path.read_bytes(), 5, lambda path: VGG19Features(path, ("relu1_1",))) > 0


def test_archives_of_pictures(tmp_path):
    path, file = tmp_path / "pairs.zip", io.BytesIO()
    Image.fromarray(np.full((20, 24, 3), 99, np.uint8)).save(file, "PNG")
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("content/0.png", "style/0.png", "notes.txt"):
            archive.writestr(name, file.getvalue())

    def read(path):
        image, _ = ImageStore(2**20).open(str(path), "content", 20).load(0)
        return [image]

    expected = read(path)
    assert check(path, path.read_bytes(), 25, read, expected) > 0


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".mkv"])
def test_clips(tmp_path, suffix):
    av = pytest.importorskip("av")
    path = tmp_path / f"clip{suffix}"
    with av.open(str(path), "w") as clip:
        stream = clip.add_stream(clip_streams.CODECS[suffix][0], rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for i in range(3):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 60 * i, "uint8"))
            clip.mux(stream.encode(frame))
        clip.mux(stream.encode(None))

    def read(path):
        output = tmp_path / "out.mp4"
        output.unlink(missing_ok=True)
        assert clips.repaint_clip(path, output, lambda frames, *_: ((f, {}) for f in frames)) > 0
        assert output.exists()

    check(path, path.read_bytes(), 10, read)
