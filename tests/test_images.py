import numpy as np
import pytest
from PIL import Image

from stylegan_transfer import images

HEIGHT, WIDTH = 20, 33


@pytest.fixture
def pixels():
    return np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)


def write(picture, path, **options):
    picture.save(path, **options)
    return path


def smooth_picture(height, width):
    y, x = np.mgrid[:height, :width] / max(height, width)
    return np.stack([x, y, 0.5 + 0.3 * np.sin(6 * x)], -1).astype(np.float32)


# Arrays.


def test_to_image_takes_paths_pictures_and_arrays_alike(tmp_path, pixels):
    path = write(Image.fromarray(pixels), tmp_path / "a.png")
    for source in (path, str(path), Image.fromarray(pixels), pixels, pixels / 255.0):
        image = images.to_image(source)
        assert image.dtype == np.float32
        np.testing.assert_allclose(image, pixels / 255, atol=1e-7)


@pytest.mark.parametrize("shape", [(HEIGHT, WIDTH), (HEIGHT, WIDTH, 1)])
def test_to_image_repeats_grey(shape):
    grey = np.random.default_rng(1).random(shape)
    image = images.to_image(grey)
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
        np.testing.assert_allclose(images.to_image(image), over_white, atol=0.003)
        np.testing.assert_allclose(images.to_image(image, keep_alpha=True), rgba / 255, atol=1e-6)
    assert images.to_image(rgba[..., :3], keep_alpha=True).shape == (20, 24, 3)


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
        images.to_image(bad)


# Resizing.


def test_float_downsizing_by_a_whole_factor_is_close_to_block_means():
    image = smooth_picture(120, 80)
    expected = image.reshape(30, 4, 20, 4, 3).mean((1, 3))
    np.testing.assert_allclose(images.resize_image(image, size=(30, 20)), expected, atol=0.01)


def test_float_resizing_is_not_rounded_to_eight_bits():
    image = np.full((40, 40, 3), 0.50123, np.float32)
    np.testing.assert_allclose(images.resize_image(image, short_side=20), 0.50123, atol=1e-6)


def test_uint8_resizing_agrees_with_float_and_keeps_its_dtype(pixels):
    small = images.resize_image(pixels, size=(9, 12))
    assert small.dtype == np.uint8
    expected = images.resize_image(pixels / 255, size=(9, 12))
    np.testing.assert_allclose(small / 255, expected, atol=1.5 / 255)


def test_resizing_stays_in_range_at_hard_edges():
    edge = np.zeros((40, 40, 3), np.float32)
    edge[:, 20:] = 1
    large = images.resize_image(edge, short_side=95)
    assert large.min() == 0 and large.max() == 1


@pytest.mark.parametrize("shape, expected", [((50, 100), (20, 40)), ((90, 60), (30, 20))])
def test_short_side_keeps_the_proportions(shape, expected):
    resized = images.resize_image(np.zeros((*shape, 3)), short_side=20)
    assert resized.shape == (*expected, 3)


@pytest.mark.parametrize("options", [{}, {"short_side": 0}, {"short_side": 5, "size": (3, 3)}])
def test_resizing_needs_exactly_one_size(options):
    with pytest.raises(ValueError, match="Expected .*Received: short_side="):
        images.resize_image(np.zeros((20, 20, 3)), **options)


# Contact sheets.


def test_contact_sheet_puts_styles_on_top_and_contents_on_the_left():
    def plain(value):
        return np.full((32, 32, 3), value)

    contents, styles = [plain(0.1), plain(0.2)], [plain(0.3), plain(0.4), plain(0.5)]
    results = [[plain(0.6 + 0.1 * i + 0.01 * j) for j in range(3)] for i in range(2)]
    sheet = images.make_contact_sheet(contents, styles, results, cell_size=32)
    assert sheet.shape == (3 * 33 + 1, 4 * 33 + 1, 3) and sheet.dtype == np.float32
    expected = [[1, 0.3, 0.4, 0.5], [0.1, 0.6, 0.61, 0.62], [0.2, 0.7, 0.71, 0.72]]
    np.testing.assert_allclose(sheet[1::33, 1::33, 0][:3, :4], expected, atol=1e-6)
    np.testing.assert_allclose(sheet[32::33, 32::33, 0][:3, :4], expected, atol=1e-6)
    assert (sheet[::33] == 1).all() and (sheet[:, ::33] == 1).all()


def test_contact_sheet_letterboxes_other_shapes_on_white():
    wide, tall = np.zeros((50, 100, 3), np.uint8), np.zeros((64, 16, 3))
    sheet = images.make_contact_sheet([wide], [tall], [[wide]], cell_size=32)
    style, content = sheet[1:33, 34:66, 0], sheet[34:66, 1:33, 0]
    expected = np.ones((32, 32))
    expected[:, 12:20] = 0
    np.testing.assert_array_equal(style, expected)
    expected = np.ones((32, 32))
    expected[8:24] = 0
    np.testing.assert_array_equal(content, expected)


def test_contact_sheet_takes_batches():
    batch = np.random.default_rng(2).random((2, 32, 32, 3)).astype(np.float32)
    results = np.stack([batch, batch])
    sheet = images.make_contact_sheet(batch, batch, results, cell_size=32)
    np.testing.assert_allclose(sheet[34:66, 67:99], batch[1], atol=1e-6)


def test_contact_sheet_counts_must_match():
    image = np.zeros((16, 16, 3))
    with pytest.raises(ValueError, match=r"Expected 1 rows of 2 results. Received: rows of \[1\]"):
        images.make_contact_sheet([image], [image, image], [[image]])
