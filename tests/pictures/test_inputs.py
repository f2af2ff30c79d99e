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
