"""The reader without TensorFlow, beside `make_dataset`; archives as sources."""

import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from stylegan_transfer.training import data
from stylegan_transfer.training.augmentation import NUM_DRAWS
from stylegan_transfer.training.batches import Batches, color_matrix, random_crops
from stylegan_transfer.training.sources import ImageStore


def make_batches(content="samples", style="samples", **options):
    arguments = {"batch_size": 3, "image_size": 24, "store": ImageStore(2**28), **options}
    return Batches(str(content), str(style), **arguments)


@pytest.mark.parametrize("num_crops", [1, 2])
def test_crops_and_colors_are_those_of_the_other_reader_for_the_same_draws(num_crops):
    random = np.random.default_rng(0)
    picture = np.asarray(
        Image.fromarray(random.integers(0, 256, (9, 7, 3), "uint8")).resize((70, 90))
    )
    for _ in range(10):
        draws = random.random(NUM_DRAWS).astype("float32")
        actual = random_crops(picture, draws, num_crops, 32, (40, 80))
        expected = data._random_crops(picture, draws, num_crops, 32, (40, 80))
        np.testing.assert_allclose(actual, expected, atol=1.5)  # of 255: rounded twice
        matrix = color_matrix(draws, 0.7)
        np.testing.assert_allclose(matrix, data._color_matrix(draws, 0.7), atol=1e-5)


def test_batches_are_as_documented_and_depend_on_seed_and_step_alone():
    batches = make_batches(seed=4)
    content, style, painting = batches[7]
    assert content.shape == (3, 24, 24, 3) and style.shape == (3, 2, 24, 24, 3)
    assert content.dtype == style.dtype == "float32" and painting.dtype == "int32"
    assert min(content.min(), style.min()) >= 0 and max(content.max(), style.max()) <= 1
    later = make_batches(seed=4, start_step=5)[2]
    for actual, expected in zip(later, batches[7], strict=True):
        np.testing.assert_array_equal(actual, expected)
    assert np.abs(make_batches(seed=5)[7][0] - content).max() > 0.1
    assert np.abs(batches[8][0] - content).max() > 0.1
    assert np.abs(style[:, 0] - style[:, 1]).max() > 0.05


def test_each_picture_is_seen_once_an_epoch_in_a_new_order():
    batches = make_batches(batch_size=7)  # as many as there are sample paintings
    epochs = [batches[i][2].tolist() for i in range(3)]
    assert all(sorted(epoch) == [*range(7)] for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]


def test_a_finite_number_of_batches_can_be_read_again():
    batches = make_batches(num_batches=2)
    assert len([*batches]) == len([*batches]) == 2


def write_archive(path, members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return str(path)


def test_any_archive_of_pictures_is_a_source(tmp_path):
    file = io.BytesIO()
    Image.new("RGB", (40, 40), (255, 0, 0)).save(file, "PNG")
    members = {"a/b.png": file.getvalue(), "__MACOSX/b.png": b"", ".c.png": b"", "notes.txt": b""}
    source = write_archive(tmp_path / "some.ZIP", members)
    content, _, painting = make_batches(source, source, style_augmentation=0.0)[0]
    np.testing.assert_array_equal(content, np.broadcast_to([1.0, 0.0, 0.0], content.shape))
    assert painting.tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("none.zip", FileNotFoundError, "Expected a .zip file of content. Received: .*none.zip"),
        ("empty.zip", FileNotFoundError, "Expected pictures of content. Received: .*empty.zip"),
        ("text.zip", ValueError, "Expected a .zip file of pictures that can be read.*text.zip"),
        ("torn.zip", ValueError, "Expected a .zip file of pictures that can be read.*torn.zip"),
    ],
)
def test_an_archive_without_pictures_is_named(tmp_path, name, kind, words):
    write_archive(tmp_path / "empty.zip", {"notes.txt": b"nothing"})
    (tmp_path / "text.zip").write_text("no archive")
    write_archive(tmp_path / "torn.zip", {"a.png": 99 * b"a"})
    whole = (tmp_path / "torn.zip").read_bytes()
    (tmp_path / "torn.zip").write_bytes(whole.replace(99 * b"a", 99 * b"b"))
    with pytest.raises(kind, match=words):
        make_batches(tmp_path / name)
