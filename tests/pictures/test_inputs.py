import numpy as np
import pytest
from picture_files import HEIGHT, WIDTH, smooth_picture, write
from PIL import Image

from stylegan_transfer.pictures import inputs

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
