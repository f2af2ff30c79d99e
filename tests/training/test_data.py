import os
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from stylegan_transfer.pictures import files
from stylegan_transfer.training import data, sources

NUM_COLORS = 7
LUMA = np.array([0.299, 0.587, 0.114])


@pytest.fixture
def colors(tmp_path):
    """A folder of pictures of one colour each: red tells which one it is."""
    folder = tmp_path / "colors"
    for index in range(NUM_COLORS):
        save(folder / f"{index}.png", np.full((40, 50, 3), (30 * index, 100, 60), np.uint8))
    return folder


@pytest.fixture
def ramp(tmp_path):
    """A picture whose red is its x coordinate and whose green is its y coordinate."""
    pixels = np.zeros((160, 240, 3), np.uint8)
    pixels[..., 0] = np.arange(240)
    pixels[..., 1] = np.arange(160)[:, None]
    return save(tmp_path / "ramp.png", pixels)


def save(path, pixels):
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def read(num_batches, content, style=None, **options):
    """Returns all content and all style examples of the first batches."""
    return read_all(num_batches, content, style, **options)[:2]


def read_all(num_batches, content, style=None, **options):
    """Returns the same and the numbers of the paintings."""
    options = {"batch_size": 4, "image_size": 16, "style_augmentation": 0, **options}
    dataset = data.make_dataset(str(content), str(style or content), **options)
    batches = list(dataset.take(num_batches).as_numpy_iterator())
    return [np.concatenate(part) for part in zip(*batches, strict=True)]


def which_color(crops):
    return np.rint(crops[..., 0, 0, 0] * 255 / 30).astype(int)


def box_of(crop):
    """Returns (scale, x0, y0, is_flipped) of a crop of the ramp, from its colours alone.

    Pixel j of a crop of n pixels from a box of s pixels at x0 is centred on the coordinate
    x0 + (j + 1/2) s/n - 1/2, and the filter leaves a ramp (nearly) as it is but at its ends.
    """
    size = len(crop)
    inner = np.arange(size // 4, size - size // 4)
    columns, rows = 255 * crop[inner][:, inner, 0], 255 * crop[inner][:, inner, 1]
    np.testing.assert_allclose(columns, np.broadcast_to(columns[0], columns.shape), atol=0.01)
    np.testing.assert_allclose(rows, np.broadcast_to(rows[:, :1], rows.shape), atol=0.01)
    is_flipped = columns[0, 0] > columns[0, -1]
    columns = columns[0, ::-1] if is_flipped else columns[0]
    x_scale, x = np.polyfit(inner + 0.5, columns + 0.5, 1)
    y_scale, y = np.polyfit(inner + 0.5, rows[:, 0] + 0.5, 1)
    np.testing.assert_allclose(x_scale, y_scale, rtol=5e-3)
    return x_scale, x, y, is_flipped


def test_batches_have_the_documented_shapes_and_range():
    dataset = data.make_dataset("samples", "samples", batch_size=3, image_size=24)
    shapes = [spec.shape for spec in dataset.element_spec]
    assert shapes == [(3, 24, 24, 3), (3, 2, 24, 24, 3), (3,)]
    content, style, painting = next(dataset.as_numpy_iterator())
    assert painting.dtype == np.int64
    for part in (content, style):
        assert part.dtype == np.float32
        assert 0 <= part.min() < 0.5 < part.max() <= 1
        assert part.std() > 0.1


def test_the_same_seed_gives_the_same_batches_and_another_seed_others(ramp):
    first, again, other = (read(2, ramp, style_augmentation=1, seed=s) for s in (3, 3, 4))
    for a, b, c in zip(first, again, other, strict=True):
        np.testing.assert_array_equal(a, b)
        assert (np.abs(a - c).max(axis=tuple(range(1, a.ndim))) > 0.01).all()


def test_resuming_at_a_step_continues_bit_for_bit(colors, ramp):
    options = {"batch_size": 3, "style_augmentation": 1}
    whole = read(6, colors, ramp, **options)
    rest = read(2, colors, ramp, start_step=4, **options)
    for a, b in zip(whole, rest, strict=True):
        np.testing.assert_array_equal(a[12:], b)


def test_every_picture_is_seen_once_per_epoch_in_a_new_order(colors):
    content, style = (which_color(part) for part in read(7, colors, batch_size=3))
    content, style = content.reshape(3, NUM_COLORS), style[:, 0].reshape(3, NUM_COLORS)
    for epoch in (*content, *style):
        assert sorted(epoch) == list(range(NUM_COLORS))
    assert len({tuple(epoch) for epoch in (*content, *style)}) == 6


def test_content_crops_are_undistorted_boxes_of_the_requested_scales(ramp):
    content, _ = read(50, ramp, image_size=32, content_resize=(40, 160))
    assert len(np.unique(content.reshape(200, -1), axis=0)) == 200
    scale, x, y, _ = np.array([box_of(crop) for crop in content]).T
    side = 32 * scale
    np.testing.assert_allclose(side, np.rint(side), atol=0.2)
    assert side.min() > 31.8 and side.max() < 32 * 160 / 40 + 0.2
    for corner, length in ((x, 240), (y, 160)):
        np.testing.assert_allclose(corner, np.rint(corner), atol=0.25)
        place = corner / (length - side)  # uniform in [0, 1]
        assert place.min() > -0.01 and place.max() < 1.01
        assert abs(place.mean() - 0.5) < 0.1
    # The short side is log-uniform in [40, 160], so log2(scale) is uniform in [0, 2].
    assert abs(np.log2(scale).mean() - 1) < 0.16
    assert abs(np.log2(scale).std() - 2 / np.sqrt(12)) < 0.1


@pytest.mark.parametrize("short_side", [32, 80, 160, 400])
def test_a_fixed_short_side_gives_that_scale(ramp, short_side):
    content, _ = read(2, ramp, image_size=32, content_resize=(short_side, short_side))
    slope = 255 * (content[:, 24, :, 1] - content[:, 8, :, 1]) / 16
    np.testing.assert_allclose(slope, 160 / short_side, rtol=0.02)


def test_half_of_the_crops_are_flipped(ramp):
    content, style = read(50, ramp, image_size=32, content_resize=(160, 160))
    flips = [np.mean(p[..., 0, 0, 0] > p[..., 0, -1, 0]) for p in (content, style)]
    assert all(0.36 < share < 0.64 for share in flips)  # four standard deviations of 200


def test_the_style_crops_share_scale_and_flip_but_not_the_box(ramp):
    _, style = read(15, ramp, image_size=32, style_resize=(40, 160))
    boxes = np.array([[box_of(crop) for crop in pair] for pair in style])
    np.testing.assert_allclose(boxes[:, 0, 0], boxes[:, 1, 0], rtol=1e-3)
    np.testing.assert_array_equal(boxes[:, 0, 3], boxes[:, 1, 3])
    distance = np.abs(boxes[:, 0, 1:3] - boxes[:, 1, 1:3])
    assert (distance.max(axis=1) > 0.9).all()
    assert distance.mean() > 10


def test_the_style_crops_differ_even_where_only_two_boxes_exist(tmp_path):
    pixels = np.zeros((16, 17, 3), np.uint8)
    pixels[..., 0] = 10 * np.arange(17)
    _, style = read(5, save(tmp_path / "two.png", pixels), style_resize=(16, 16))
    left = np.rint(255 * style[..., 0].min(axis=(2, 3)) / 10)
    np.testing.assert_array_equal(np.sort(left, axis=1), [[0, 1]] * 20)


def test_the_style_crops_come_from_one_painting_with_one_color_change(colors):
    _, style = read(14, colors, batch_size=2, style_augmentation=1)
    mean = style.mean(axis=(2, 3))
    np.testing.assert_allclose(mean[:, 0], mean[:, 1], atol=1e-6)
    assert len(np.unique(mean[:, 0].round(4), axis=0)) == 28  # 4 epochs, never twice the same
    _, original = read(14, colors, batch_size=2)
    change = np.abs(mean - original.mean(axis=(2, 3))).max(axis=-1)
    assert 0.01 < change.mean() < 0.1 and change.max() < 0.3


def test_the_color_change_keeps_luma_and_grows_with_the_strength(colors):
    none, weak, strong = (read(7, colors, style_augmentation=s)[1] for s in (0, 0.5, 1))
    inside = (strong.min(axis=(1, 2, 3, 4)) > 0) & (strong.max(axis=(1, 2, 3, 4)) < 1)
    assert inside.sum() > 10
    np.testing.assert_allclose((strong @ LUMA)[inside], (none @ LUMA)[inside], atol=2e-3)
    assert np.abs(weak - none).mean() < 0.7 * np.abs(strong - none).mean()


def test_the_color_change_turns_hue_and_saturation_within_the_documented_bounds(tmp_path):
    path = save(tmp_path / "dull.png", np.full((20, 20, 3), (150, 120, 100), np.uint8))
    before, after = (read(50, path, style_augmentation=s)[1][:, 0, 0, 0] for s in (0, 1))
    yiq = np.array([[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])
    before, after = (
        (colors @ yiq.T)[:, 1] + 1j * (colors @ yiq.T)[:, 2] for colors in (before, after)
    )
    turn, saturation = np.angle(after / before) / (2 * np.pi), np.abs(after / before)
    for change, bound in ((turn, 0.05), (saturation - 1, 0.3)):
        assert 0.9 * bound < change.max() < 1.01 * bound
        assert 0.9 * bound < -change.min() < 1.01 * bound


def test_the_color_change_leaves_greys_alone(tmp_path):
    grey = save(tmp_path / "grey.png", np.full((20, 20, 3), 128, np.uint8))
    _, style = read(3, grey, style_augmentation=1)
    np.testing.assert_allclose(style, 128 / 255, atol=1e-5)


@pytest.mark.parametrize("size", [(16, 16), (17, 16), (16, 300), (301, 19), (33, 57), (400, 500)])
def test_pictures_of_any_size_give_crops(tmp_path, size):
    path = save(tmp_path / "any.png", np.full((*size, 3), (200, 100, 50), np.uint8))
    content, style = read(2, path, image_size=24, content_resize=(24, 60), style_resize=(40, 40))
    for part in (content, style):
        expected = np.broadcast_to(np.array([200, 100, 50]) / 255, part.shape)
        np.testing.assert_allclose(part, expected, atol=1e-5)


def test_stored_pictures_are_reduced_to_the_largest_short_side_in_use(tmp_path):
    path = save(tmp_path / "large.png", np.zeros((300, 200, 3), np.uint8))
    image, _ = sources.ImageStore(cache_bytes=0).open(path, "content", 50).load(0)
    assert image.shape == (75, 50, 3)


def test_a_file_a_folder_and_a_glob_name_the_same_pictures(colors):
    assert len(set(which_color(read(2, f"{colors}/[23].png")[0]))) == 2
    np.testing.assert_array_equal(read(2, colors)[0], read(2, f"{colors}/*.png")[0])
    assert set(which_color(read(2, colors / "4.png")[0])) == {4}


def test_an_unreadable_file_is_skipped_with_one_warning_that_names_it(colors):
    (colors / "2.png").write_bytes(b"no picture")
    with pytest.warns(UserWarning) as record:
        content, _ = read(7, colors, colors / "0.png", batch_size=3)
    assert len(record) == 1
    assert os.path.join("colors", "2.png") in str(record[0].message)
    for epoch in which_color(content).reshape(3, NUM_COLORS):
        assert sorted(epoch) == [0, 1, 3, 3, 4, 5, 6]  # the next one takes its place


def test_an_unreadable_last_file_is_replaced_by_the_first(colors):
    (colors / "6.png").write_bytes(b"no picture")
    with pytest.warns(UserWarning, match=r"6\.png"):
        content, _ = read(1, colors, colors / "0.png", batch_size=NUM_COLORS)
    assert sorted(which_color(content)) == [0, 0, 1, 2, 3, 4, 5]


def test_a_source_without_any_readable_file_is_an_error(tmp_path, colors):
    for name in ("a.png", "b.jpg"):
        (tmp_path / name).write_bytes(b"no picture")
    with pytest.warns(UserWarning) as record, pytest.raises(ValueError, match="readable picture"):
        read(1, colors, tmp_path / "[ab].*")
    assert len(record) == 2


def test_many_threads_get_the_right_pictures_and_one_warning(colors, monkeypatch):
    def slow_load_image(*args):
        time.sleep(0.02)  # so that several threads are at the same file
        return original(*args)

    original = files.load_image
    monkeypatch.setattr(files, "load_image", slow_load_image)
    (colors / "2.png").write_bytes(b"no picture")
    pictures = sources.ImageStore(cache_bytes=3 * 40 * 50 * 3).open(colors, "content", 40)
    indices = np.repeat(np.arange(NUM_COLORS), 8)
    with pytest.warns(UserWarning) as record, ThreadPoolExecutor(8) as pool:
        loaded = list(pool.map(lambda index: pictures.load(index)[0][0, 0, 0], indices))
    assert len(record) == 1
    np.testing.assert_array_equal(loaded, 30 * np.where(indices == 2, 3, indices))


def test_no_cache_gives_the_same_batches_as_a_large_one(colors, ramp):
    options = {"batch_size": 3, "style_augmentation": 1}
    for a, b in zip(
        read(6, colors, ramp, **options),
        read(6, colors, ramp, cache_bytes=0, **options),
        strict=True,
    ):
        np.testing.assert_array_equal(a, b)


def test_all_sources_share_one_budget_and_what_is_in_it_is_decoded_once(colors, monkeypatch):
    paths = []

    def load_image(path, *args):
        paths.append(path)
        return original(path, *args)

    original = files.load_image
    monkeypatch.setattr(files, "load_image", load_image)
    store = sources.ImageStore(cache_bytes=3 * 40 * 50 * 3)
    opened = [store.open(colors, kind, 40) for kind in ("content", "style", "content")]
    for _ in range(4):
        for pictures in opened:
            for index in range(2):
                pictures.load(index)
    # two as content and one as style fit; the other one as style is decoded every time
    assert len(paths) == 3 + 4


def test_a_shared_store_gives_the_same_batches(colors, ramp):
    store = sources.ImageStore(cache_bytes=2**20)
    for a, b in zip(read(2, colors, ramp), read(2, colors, ramp, store=store), strict=True):
        np.testing.assert_array_equal(a, b)


def test_processes_that_share_the_batches_see_every_example_once(colors, ramp):
    whole = read_all(2, colors, ramp, start_step=3)
    for k in range(2):
        part = read_all(2, colors, ramp, start_step=3, shard=(k, 2))
        for examples, dealt in zip(whole, part, strict=True):
            np.testing.assert_array_equal(dealt, examples[k::2])


def test_the_numbers_tell_which_paintings_are_the_same(colors):
    (colors / "2.png").write_bytes(b"no picture")
    with pytest.warns(UserWarning, match=r"2\.png"):
        _, style, number = read_all(7, colors, batch_size=3)
    assert sorted(set(number)) == [0, 1, 3, 4, 5, 6]  # of the painting that is really there
    np.testing.assert_array_equal(number, which_color(style[:, 0]))


@pytest.mark.parametrize(
    "options, message",
    [
        ({"content_resize": (15, 40)}, "Expected content_resize.*image_size=16"),
        ({"style_resize": (40, 20)}, "Expected style_resize"),
        ({"style_augmentation": 1.5}, "style_augmentation=1.5"),
        ({"style_augmentation": "1"}, "style_augmentation='1'"),
        ({"content_resize": 64}, "content_resize=64"),
        ({"content_resize": ("a", "b")}, "content_resize="),
        ({"batch_size": 0}, "batch_size=0"),
        ({"image_size": "16"}, "image_size='16'"),
        ({"seed": 1.5}, "seed=1.5"),
        ({"start_step": -1}, "start_step=-1"),
        ({"shard": (2, 2)}, r"shard=\(2, 2\)"),
        ({"shard": (0, 0)}, r"shard=\(0, 0\)"),
        ({"cache_bytes": float("nan")}, "cache_bytes=nan"),
        ({"store": 3}, "store=3"),
    ],
)
def test_options_out_of_range_are_errors(ramp, options, message):
    with pytest.raises(ValueError, match=message):
        read(1, ramp, **options)


@pytest.mark.parametrize("source", [None, 3, b"samples", ["samples"], ""])
def test_a_source_of_another_type_is_named(source):
    with pytest.raises(ValueError, match="Expected a source of content.*Received: source="):
        data.make_dataset(source, "samples", batch_size=2, image_size=16)


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing_here"):
        read(1, tmp_path / "nothing_here")


@pytest.mark.parametrize(
    "source, expected",
    [
        ("tfds:tiny_pictures:train[:50%]", 4),
        ("tfds:tiny_pictures:train[:2]+train[6:]", 4),
        ("tfds:tiny_pictures:1.0.0:train", 8),
    ],
)
def test_a_tensorflow_data_set_is_a_source(tfds_dir, source, expected):
    import tensorflow_datasets as tfds

    content, style = read(2, source, batch_size=expected, data_dir=tfds_dir)
    reference = tfds.load(
        "tiny_pictures", split=source.rpartition("s:")[2].removeprefix("1.0.0:"), data_dir=tfds_dir
    )
    labels = sorted(example["label"] for example in reference.as_numpy_iterator())
    assert len(labels) == expected
    for epoch in (*np.split(which_color(content), 2), *np.split(which_color(style[:, 0]), 2)):
        assert sorted(epoch) == labels


def test_a_tensorflow_data_set_beyond_the_cache_suggests_a_slice(tfds_dir):
    with pytest.raises(ValueError, match=r"train\[:10%\].*cache_bytes=200"):
        read(1, "tfds:tiny_pictures:train", data_dir=tfds_dir, cache_bytes=200)


@pytest.mark.parametrize(
    "source, message",
    [
        ("tfds:tiny_numbers:train", "no image feature, only .*label"),
        ("tfds:tiny_pictures:test", "Unknown split"),
        ("tfds:no_such_set:train", "no_such_set not found"),
        ("tfds:tiny_pictures", "NAME:train"),
        ("tfds::train", "NAME:train"),
        ("tfds:", "NAME:train"),
    ],
)
def test_an_unusable_tensorflow_data_set_is_a_clear_error(tfds_dir, source, message):
    with pytest.raises(ValueError, match=message) as error:
        read(1, source, data_dir=tfds_dir)
    assert repr(source) in str(error.value)
