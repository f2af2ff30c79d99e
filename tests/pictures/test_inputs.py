import math

import numpy as np
import pytest
from picture_files import HEIGHT, WIDTH, smooth_picture, write
from PIL import Image

from stylegan_transfer.pictures import inputs
from stylegan_transfer.pictures.picture import Picture

# Arrays.


def test_to_image_takes_paths_pictures_and_arrays_alike(tmp_path, pixels):
    path = write(Image.fromarray(pixels), tmp_path / "a.png")
    for source in (path, str(path), Image.fromarray(pixels), pixels, pixels / 255.0):
        image = inputs.to_image(source)
        assert image.dtype == np.float32
        np.testing.assert_allclose(image, pixels / 255, atol=1e-7)


@pytest.mark.parametrize("shape", [(HEIGHT, WIDTH), (HEIGHT, WIDTH, 1)])
def test_to_image_repeats_grey(shape):
    grey = np.random.default_rng(1).random(shape)
    image = inputs.to_image(grey)
    for channel in range(3):
        np.testing.assert_allclose(image[..., channel], grey.reshape(HEIGHT, WIDTH), atol=1e-7)


def test_to_image_composites_transparency_over_white_or_keeps_it(tmp_path):
    rng = np.random.default_rng(0)
    rgba = rng.integers(0, 256, (20, 24, 4), np.uint8)
    picture = Image.fromarray(rgba)
    picture.save(tmp_path / "sprite.png")
    alpha = rgba[..., 3:] / 255
    over_white = 1 - alpha * (1 - rgba[..., :3] / 255)
    for image in (rgba, rgba / 255, picture, tmp_path / "sprite.png"):
        np.testing.assert_allclose(inputs.to_image(image), over_white, atol=0.003)
        np.testing.assert_allclose(inputs.to_image(image, keep_alpha=True), rgba / 255, atol=1e-6)
    assert inputs.to_image(rgba[..., :3], keep_alpha=True).shape == (20, 24, 3)


def test_to_image_takes_a_picture_with_its_alpha():
    rgba = np.random.default_rng(0).random((20, 24, 4), dtype=np.float32)
    picture = Picture(rgba[..., :3], rgba[..., 3], bits=16)
    np.testing.assert_array_equal(inputs.to_image(picture, keep_alpha=True), rgba)
    expected = 1 - rgba[..., 3:] * (1 - rgba[..., :3])
    np.testing.assert_allclose(inputs.to_image(picture), expected, atol=1e-6)
    opaque = Picture(rgba[..., :3])
    np.testing.assert_array_equal(inputs.to_image(opaque, keep_alpha=True), rgba[..., :3])


@pytest.mark.parametrize(
    "bad, message",
    [
        (np.zeros((1, 20, 20, 3)), "shape="),
        (np.zeros((20, 20, 5)), "shape="),
        (np.zeros(20), "shape="),
        (np.zeros((20, 20, 3), np.int64), "dtype=int64"),
        (np.full((20, 20, 3), 255.0), r"values in \[255.0, 255.0\]"),
        (np.full((20, 20, 3), -0.1), "values in"),
        (np.full((20, 20, 3), np.nan), "nan"),
        (np.zeros((15, 20, 3)), "20 x 15"),
        ("a string that is no path", "not found"),
    ],
)
def test_to_image_refuses_what_is_no_image(bad, message):
    with pytest.raises((ValueError, FileNotFoundError), match=f"Expected .*Received: .*{message}"):
        inputs.to_image(bad)


# Resizing.


def test_float_downsizing_by_a_whole_factor_is_close_to_block_means():
    image = smooth_picture(120, 80)
    expected = image.reshape(30, 4, 20, 4, 3).mean((1, 3))
    np.testing.assert_allclose(inputs.resize_image(image, size=(30, 20)), expected, atol=0.01)


def test_float_resizing_is_not_rounded_to_eight_bits():
    image = np.full((40, 40, 3), 0.50123, np.float32)
    np.testing.assert_allclose(inputs.resize_image(image, short_side=20), 0.50123, atol=1e-6)


def test_uint8_resizing_agrees_with_float_and_keeps_its_dtype(pixels):
    small = inputs.resize_image(pixels, size=(9, 12))
    assert small.dtype == np.uint8
    expected = inputs.resize_image(pixels / 255, size=(9, 12))
    np.testing.assert_allclose(small / 255, expected, atol=1.5 / 255)


def test_resizing_stays_in_range_at_hard_edges():
    edge = np.zeros((40, 40, 3), np.float32)
    edge[:, 20:] = 1
    large = inputs.resize_image(edge, short_side=95)
    assert large.min() == 0 and large.max() == 1


@pytest.mark.parametrize("shape, expected", [((50, 100), (20, 40)), ((90, 60), (30, 20))])
def test_short_side_keeps_the_proportions(shape, expected):
    resized = inputs.resize_image(np.zeros((*shape, 3)), short_side=20)
    assert resized.shape == (*expected, 3)


@pytest.mark.parametrize("options", [{}, {"short_side": 0}, {"short_side": 5, "size": (3, 3)}])
def test_resizing_needs_exactly_one_size(options):
    with pytest.raises(ValueError, match="Expected .*Received: short_side="):
        inputs.resize_image(np.zeros((20, 20, 3)), **options)
    with pytest.raises(ValueError, match="Expected .*Received: short_side="):
        inputs.resize_picture(Picture(np.zeros((20, 20, 3))), **options)


def disc(hidden):
    """An orange disc with a soft edge; under what is transparent lies another colour."""
    y, x = np.mgrid[:90, :120]
    alpha = np.clip(35 - np.hypot(y - 44, x - 60), 0, 1).astype("float32")
    return Picture(np.where(alpha[..., None] > 0, np.float32([0.9, 0.5, 0.1]), hidden), alpha)


@pytest.mark.parametrize("hidden", [(0, 0, 0), (1, 0, 1)])
@pytest.mark.parametrize("short_side", [30, 47, 131])
def test_resizing_leaves_no_halo_of_hidden_colours(hidden, short_side):
    resized = inputs.resize_picture(disc(np.float32(hidden)), short_side=short_side)
    visible = resized.alpha > 1 / 255
    assert 0.2 < visible.mean() < 0.5
    expected = np.broadcast_to(np.float32([0.9, 0.5, 0.1]), resized.image.shape)
    np.testing.assert_allclose(resized.image[visible], expected[visible], atol=2e-3)
    assert resized.alpha.min() >= 0 and resized.alpha.max() <= 1


def test_resizing_and_compositing_may_change_places():
    y, x = np.mgrid[:60, :80] / 20
    image = 0.5 + 0.3 * np.stack([np.sin(x), np.cos(y), np.sin(x + y)], -1).astype("float32")
    alpha = (0.5 + 0.4 * np.sin(3 * x) * np.cos(2 * y)).astype("float32")
    background = np.float32([0.2, 0.9, 0.4])

    def put_over(picture):
        return background + picture.alpha[..., None] * (picture.image - background)

    picture = Picture(image, alpha)
    resized = put_over(inputs.resize_picture(picture, short_side=25))
    expected = inputs.resize_image(put_over(picture), short_side=25)
    np.testing.assert_allclose(resized, expected, atol=1e-4)


def test_an_opaque_picture_is_resized_as_its_image_and_keeps_all_else():
    picture = Picture(smooth_picture(60, 80), None, True, 16, b"profile", b"exif")
    resized = inputs.resize_picture(picture, size=(30, 20))
    np.testing.assert_array_equal(resized.image, inputs.resize_image(picture.image, size=(30, 20)))
    assert (resized.alpha, resized.is_grey, resized.bits) == (None, True, 16)
    assert (resized.icc_profile, resized.exif) == (b"profile", b"exif")
    half = Picture(picture.image, np.full((60, 80), 0.5, np.float32), bits=16)
    resized_half = inputs.resize_picture(half, size=(30, 20))
    np.testing.assert_allclose(resized_half.image, resized.image, atol=1e-5)
    np.testing.assert_allclose(resized_half.alpha, 0.5, atol=1e-6)


@pytest.mark.parametrize(
    "options",
    [
        {"short_side": "5"},
        {"short_side": 5.5},
        {"short_side": math.nan},
        {"short_side": 10**9},
        {"size": 5},
        {"size": (5, 5, 5)},
        {"size": (None, 5)},
    ],
)
def test_sizes_of_another_type_or_beyond_all_bounds_are_named(options):
    with pytest.raises(ValueError, match=f"Expected .*Received: .*{next(iter(options))}="):
        inputs.resize_image(np.zeros((20, 30, 3)), **options)


def test_values_out_of_range_are_refused_rather_than_clipped():
    with pytest.raises(ValueError, match=r"values in \[255.0, 255.0\]"):
        inputs.resize_image(np.full((20, 20, 3), 255.0), short_side=16)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((48, 64), (32, 43)),
        ((20, 320), (32, 512)),
        ((20, 2_000), (32, 512)),
        ((1_000, 20), (512, 32)),
    ],
)
def test_of_a_very_long_style_the_middle_is_looked_at(size, expected):
    middle = np.zeros((*size, 3), "float32")
    height, width = (slice(max(0, n // 2 - 160), n // 2 + 160) for n in size)
    middle[height, width] = 1
    small = inputs.resize_style(middle, 32)
    assert small.shape[:2] == expected and small.min() == 1


def test_a_style_is_looked_at_in_no_more_than_so_many_pixels(monkeypatch):
    monkeypatch.setattr(inputs, "MAX_STYLE_PIXELS", 10_000)
    height, width = inputs.resize_style(np.zeros((20, 80, 3), "uint8"), 100).shape[:2]
    assert (height, width) == (50, 200)


def grey(value):
    return np.full((20, 30), value, "float32")


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        (grey(1) > 0, 1),
        (grey(0) > 0, 0),
        (grey(0.25), 0.25),
        (np.full((20, 30, 3), (0, 255, 0), "uint8"), 0.587),
        (np.full((20, 30, 3), (255, 0, 0), "uint8"), 0.299),
        (Image.new("RGBA", (30, 20), (255, 255, 255, 0)), 0),
        (Image.new("RGBA", (30, 20), (0, 0, 0, 0)), 0),
        (Image.new("LA", (30, 20), (255, 51)), 0.2),
        (Image.new("1", (30, 20), 1), 1),
        (Picture(np.ones((20, 30, 3), "float32"), alpha=grey(0.5)), 0.5),
    ],
)
def test_a_mask_covers_by_luma_and_opacity(mask, expected):
    covered = inputs.to_mask(mask)
    assert covered.shape == (20, 30)
    np.testing.assert_allclose(covered, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("images", "count"),
    [("a.png", 1), (grey(1), 1), (np.ones((20, 30, 3)), 1), (np.ones((5, 20, 30)), 5), (["a"], 1)],
)
def test_one_image_or_several(images, count):
    assert len(inputs.to_images(images, "styles")) == count


@pytest.mark.parametrize("images", [None, 3, [], {}, b"a.png", np.ones((0, 20, 30, 3))])
def test_what_is_no_image_and_no_list_of_them_is_named(images):
    with pytest.raises(ValueError, match="Expected styles: an image .*Received: styles="):
        inputs.to_images(images, "styles")


@pytest.mark.parametrize(
    "fields",
    [{"alpha": np.ones((4, 4))}, {"alpha": 3}, {"bits": 12}, {"exif": "x"}, {"icc_profile": 3}],
)
def test_a_picture_of_parts_that_do_not_fit_is_refused(fields):
    with pytest.raises(ValueError, match=f"Expected .*Received: {next(iter(fields))}="):
        Picture(np.zeros((20, 30, 3)), **fields)
