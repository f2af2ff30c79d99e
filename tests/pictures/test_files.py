import dataclasses
import io
import os
import pathlib
import struct
import subprocess
import sys
import threading
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms

from stylegan_transfer.pictures import files

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


# Reading every mode.


def test_rgb_is_scaled_to_unit_floats(tmp_path, pixels):
    image = files.load_image(write(Image.fromarray(pixels), tmp_path / "a.png"))
    assert image.dtype == np.float32
    np.testing.assert_allclose(image, pixels / 255, atol=1e-7)


def test_uint8_output_is_the_stored_pixels_and_writable(tmp_path, pixels):
    image = files.load_image(write(Image.fromarray(pixels), tmp_path / "a.png"), dtype="uint8")
    np.testing.assert_array_equal(image, pixels)
    image[0] = 0


def test_grey_is_repeated_over_three_channels(tmp_path, pixels):
    path = write(Image.fromarray(pixels[..., 0]), tmp_path / "grey.png")
    expected = np.repeat(pixels[..., :1], 3, axis=-1) / 255
    np.testing.assert_allclose(files.load_image(path), expected, atol=1e-7)


def test_one_bit_is_black_and_white(tmp_path, pixels):
    bits = pixels[..., 0] > 127
    path = write(Image.fromarray(bits), tmp_path / "bits.png")
    np.testing.assert_array_equal(files.load_image(path)[..., 1], bits)


def test_alpha_is_composited_over_white(tmp_path, pixels):
    alpha = np.linspace(0, 255, WIDTH, dtype=np.uint8)[None].repeat(HEIGHT, 0)
    path = write(Image.fromarray(np.dstack([pixels, alpha])), tmp_path / "alpha.png")
    a = alpha[..., None] / 255
    expected = (a * pixels + (1 - a) * 255) / 255
    np.testing.assert_allclose(files.load_image(path), expected, atol=0.51 / 255)


def test_grey_alpha_is_composited_over_white(tmp_path, pixels):
    grey, alpha = pixels[..., 0], pixels[..., 1]
    picture = Image.merge("LA", [Image.fromarray(grey), Image.fromarray(alpha)])
    expected = (alpha / 255.0 * grey + (1 - alpha / 255.0) * 255) / 255
    image = files.load_image(write(picture, tmp_path / "la.png"))
    np.testing.assert_allclose(image[..., 2], expected, atol=0.51 / 255)


@pytest.mark.parametrize("transparency", [1, bytes([255, 0])])
def test_transparent_palette_entries_become_white(tmp_path, transparency):
    index = np.zeros((HEIGHT, WIDTH), np.uint8)
    index[:, ::2] = 1
    picture = Image.fromarray(index)
    picture.putpalette([255, 0, 0, 0, 255, 0])
    path = write(picture, tmp_path / "palette.png", transparency=transparency)
    image = files.load_image(path)
    np.testing.assert_array_equal(image[:, ::2], np.ones((HEIGHT, 17, 3)))
    np.testing.assert_array_equal(image[:, 1::2], np.broadcast_to([1, 0, 0], (HEIGHT, 16, 3)))


def test_transparent_colour_key_becomes_white(tmp_path):
    black_left = np.full((HEIGHT, WIDTH, 3), 100, np.uint8)
    black_left[:, :10] = 0
    path = write(Image.fromarray(black_left), tmp_path / "key.png", transparency=(0, 0, 0))
    image = files.load_image(path, dtype="uint8")
    assert (image[:, :10] == 255).all() and (image[:, 10:] == 100).all()
    small = files.load_image(path, dtype="uint8", max_short_side=16)
    assert small.min() >= 90  # nothing of the hidden black


@pytest.mark.parametrize("suffix", ["jpg", "tif"])
def test_cmyk_is_converted(tmp_path, suffix):
    ink = Image.new("CMYK", (WIDTH, HEIGHT), (255, 0, 0, 0))  # full cyan
    image = files.load_image(write(ink, tmp_path / f"ink.{suffix}"))
    np.testing.assert_allclose(image, np.broadcast_to([0, 1, 1], image.shape), atol=0.02)


def test_sixteen_bit_grey_png_is_scaled_from_its_full_range(tmp_path):
    ramp = np.linspace(0, 65535, HEIGHT * WIDTH).astype(np.uint16).reshape(HEIGHT, WIDTH)
    image = files.load_image(write(Image.fromarray(ramp), tmp_path / "deep.png"))
    np.testing.assert_allclose(image[..., 0], ramp / 65535, atol=1e-6)


def test_int_mode_tiff_is_taken_as_sixteen_bit(tmp_path):
    ramp = np.linspace(0, 65535, HEIGHT * WIDTH).astype(np.int32).reshape(HEIGHT, WIDTH)
    image = files.load_image(write(Image.fromarray(ramp), tmp_path / "int.tif"))
    np.testing.assert_allclose(image[..., 0], ramp / 65535, atol=1e-6)


def test_float_tiff_is_taken_as_unit_range(tmp_path):
    ramp = np.linspace(0, 1, HEIGHT * WIDTH, dtype=np.float32).reshape(HEIGHT, WIDTH)
    image = files.load_image(write(Image.fromarray(ramp), tmp_path / "float.tif"))
    np.testing.assert_allclose(image[..., 0], ramp, atol=1e-6)


@pytest.mark.parametrize("value", [-0.5, 2.0, np.nan])
def test_float_tiff_out_of_range_is_refused(tmp_path, value):
    bad = np.full((HEIGHT, WIDTH), value, np.float32)
    path = write(Image.fromarray(bad), tmp_path / "float.tif")
    with pytest.raises(ValueError, match="Expected .* Received: .*float.tif"):
        files.load_image(path)


@pytest.mark.parametrize("suffix", ["bmp", "gif", "jpg", "png", "ppm", "tif", "webp"])
def test_every_listed_format_is_read(tmp_path, suffix):
    blue = Image.new("RGB", (WIDTH, HEIGHT), (20, 40, 200))
    image = files.load_image(write(blue, tmp_path / f"blue.{suffix}"), dtype="uint8")
    assert np.abs(image.astype(int) - [20, 40, 200]).max() <= 8


# Stored orientation: what a viewer does to the stored pixels, in NumPy.
UPRIGHT = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    8: lambda a: np.rot90(a, 1),
}


@pytest.mark.parametrize("suffix", ["png", "tif", "webp"])
@pytest.mark.parametrize("orientation", UPRIGHT)
def test_exif_orientation_is_applied(tmp_path, pixels, orientation, suffix):
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if suffix == "webp" else {}
    path = write(Image.fromarray(pixels), tmp_path / f"turned.{suffix}", exif=exif, **options)
    image = files.load_image(path, dtype="uint8")
    np.testing.assert_array_equal(image, UPRIGHT[orientation](pixels))


def test_orientation_is_applied_after_downsizing_a_jpeg(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = smooth_picture(300, 400)
    picture = Image.fromarray((stored * 255).astype(np.uint8))
    path = write(picture, tmp_path / "phone.jpg", exif=exif, quality=95)
    image = files.load_image(path, max_short_side=60)
    expected = np.rot90(stored, -1).reshape(80, 5, 60, 5, 3).mean((1, 3))
    np.testing.assert_allclose(image, expected, atol=0.03)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_broken_exif_does_not_stop_reading(tmp_path, pixels):
    exif = b"Exif\0\0II*\0\x08\0\0\0\xff\xff garbage"
    path = write(Image.fromarray(pixels), tmp_path / "a.jpg", exif=exif)
    assert files.load_image(path).shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize("suffix", ["png", "jpg"])
@pytest.mark.parametrize("limit", [16, 25, 50])
def test_downsizing_is_antialiased(tmp_path, suffix, limit):
    checkerboard = (np.indices((200, 400)).sum(0) % 2 * 255).astype(np.uint8)
    path = write(Image.fromarray(checkerboard), tmp_path / f"check.{suffix}")
    image = files.load_image(path, max_short_side=limit)
    assert image.shape == (limit, 2 * limit, 3)
    np.testing.assert_allclose(image, 0.5, atol=0.06)


def test_a_small_picture_is_not_enlarged(tmp_path, pixels):
    path = write(Image.fromarray(pixels), tmp_path / "a.png")
    assert files.load_image(path, max_short_side=500).shape == (HEIGHT, WIDTH, 3)


def test_bytes_and_file_objects_read_as_the_file_does(tmp_path, pixels):
    path = write(Image.fromarray(pixels), tmp_path / "a.png")
    with open(path, "rb") as file:
        np.testing.assert_array_equal(files.load_image(file, dtype="uint8"), pixels)
        assert not file.closed
    np.testing.assert_array_equal(files.load_image(path.read_bytes(), dtype="uint8"), pixels)
    np.testing.assert_array_equal(files.load_image(str(path), dtype="uint8"), pixels)


# Broken files.


@pytest.mark.parametrize("suffix", ["bmp", "gif", "jpg", "png", "ppm", "tif", "webp"])
@pytest.mark.parametrize("kept", [0.02, 0.3, 0.8])
def test_a_truncated_file_is_named(tmp_path, pixels, suffix, kept):
    picture = Image.fromarray(np.tile(pixels, (4, 4, 1)))
    path = write(picture, tmp_path / f"cut.{suffix}")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(ValueError, match=f"Expected .* Received: .*cut.{suffix}"):
        files.load_image(path)


@pytest.mark.parametrize(
    "content", [b"", b"x", b"This is a text, not a picture.\n" * 20, bytes(500)]
)
def test_a_file_that_is_no_picture_is_named(tmp_path, content):
    path = tmp_path / "notes.jpg"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"Expected an image file .* Received: .*notes\.jpg"):
        files.load_image(path)


def test_a_missing_path_and_a_folder_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"Expected an image file.*gone\.jpg"):
        files.load_image(tmp_path / "gone.jpg")
    with pytest.raises(ValueError, match="Expected an image file.*a folder"):
        files.load_image(tmp_path)


def test_the_given_name_is_used_in_messages():
    with pytest.raises(ValueError, match="Received: record 7"):
        files.load_image(b"junk", name="record 7")


@pytest.mark.parametrize("size", [(15, 40), (40, 15), (1, 1)])
def test_a_side_under_sixteen_pixels_is_refused(tmp_path, size):
    path = write(Image.new("RGB", size), tmp_path / "tiny.png")
    with pytest.raises(ValueError, match=f"at least 16.*tiny.png, {size[0]} x {size[1]}"):
        files.load_image(path)


def png_chunk(kind, body):
    checksum = struct.pack(">I", zlib.crc32(kind + body))
    return struct.pack(">I", len(body)) + kind + body + checksum


def png_header(width, height):
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    body = png_chunk(b"IDAT", zlib.compress(b"0")) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + header + body


def test_a_decompression_bomb_is_refused_by_its_header(tmp_path):
    path = tmp_path / "bomb.png"
    path.write_bytes(png_header(200_000, 100_000))
    with pytest.raises(ValueError, match=r"268,435,456 pixels.*bomb.png, 200000 x 100000"):
        files.load_image(path)


def test_sizes_that_pillow_warns_of_pass_the_header_check(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)  # so that a small picture stands for 200 MP
    file = io.BytesIO()
    Image.new("RGB", (WIDTH, HEIGHT)).save(file, "png")
    assert files.load_image(file.getvalue()).shape == (HEIGHT, WIDTH, 3)
    assert Image.MAX_IMAGE_PIXELS == 100


def test_bad_options_are_refused(tmp_path, pixels):
    path = write(Image.fromarray(pixels), tmp_path / "a.png")
    with pytest.raises(ValueError, match="Received: dtype='int8'"):
        files.load_image(path, dtype="int8")
    with pytest.raises(ValueError, match="Received: max_short_side=0"):
        files.load_image(path, max_short_side=0)


def test_threads_read_at_the_same_time(tmp_path, pixels):
    path = write(Image.fromarray(pixels), tmp_path / "a.png")
    filters, results = list(warnings.filters), []
    threads = [
        threading.Thread(target=lambda: results.append(files.load_image(path, "uint8")))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 8 and all((result == pixels).all() for result in results)
    assert warnings.filters == filters


# Writing.


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif", "tiff"])
def test_lossless_formats_keep_every_pixel(tmp_path, pixels, suffix):
    path = tmp_path / "new" / "folder" / f"a.{suffix}"
    files.save_image(pixels, path)
    np.testing.assert_array_equal(files.load_image(path, dtype="uint8"), pixels)
    files.save_image(files.load_image(path), path)
    np.testing.assert_array_equal(files.load_image(path, dtype="uint8"), pixels)
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    "suffix, file_format", [("JPG", "JPEG"), ("jpeg", "JPEG"), ("webp", "WEBP")]
)
def test_the_suffix_names_the_format(tmp_path, suffix, file_format):
    image = smooth_picture(64, 48)
    files.save_image(image, tmp_path / f"a.{suffix}", quality=98)
    with Image.open(tmp_path / f"a.{suffix}") as picture:
        assert picture.format == file_format
        np.testing.assert_allclose(np.asarray(picture) / 255, image, atol=0.05)


def test_floats_are_clipped_and_rounded(tmp_path):
    values = [-3, 0.4 / 255, 0.6 / 255, 99.5001 / 255, 1.0, 7]
    files.save_image(np.tile(values, (16, 3)), tmp_path / "a.png")
    saved = files.load_image(tmp_path / "a.png", dtype="uint8")[0, :6, 0]
    assert saved.tolist() == [0, 0, 1, 100, 255, 255]


def test_a_higher_quality_makes_a_larger_file(tmp_path, pixels):
    files.save_image(pixels, tmp_path / "low.jpg", quality=20)
    files.save_image(pixels, tmp_path / "high.jpg", quality=95)
    assert (tmp_path / "low.jpg").stat().st_size < (tmp_path / "high.jpg").stat().st_size


def test_unknown_suffix_quality_and_nan_are_refused(tmp_path, pixels):
    with pytest.raises(ValueError, match=r"Expected .*\.png.*Received: path=.*a\.xyz"):
        files.save_image(pixels, tmp_path / "a.xyz")
    with pytest.raises(ValueError, match="Received: quality=0"):
        files.save_image(pixels, tmp_path / "a.jpg", quality=0)
    with pytest.raises(ValueError, match="NaN"):
        files.save_image(np.full((20, 20, 3), np.nan), tmp_path / "a.png")
    assert not list(tmp_path.iterdir())


def test_a_failing_save_leaves_the_old_file_and_no_other(tmp_path, pixels, monkeypatch):
    path = tmp_path / "a.png"
    files.save_image(pixels, path)

    def fail_half_way(self, file, **options):
        file.write(b"half a picture")
        raise OSError("disk full")

    monkeypatch.setattr(Image.Image, "save", fail_half_way)
    with pytest.raises(OSError, match="disk full"):
        files.save_image(255 - pixels, path)
    np.testing.assert_array_equal(files.load_image(path, dtype="uint8"), pixels)
    assert list(tmp_path.iterdir()) == [path]


def test_a_saved_file_has_the_usual_permissions(tmp_path, pixels):
    files.save_image(pixels, tmp_path / "a.png")
    (tmp_path / "plain").touch()
    assert (tmp_path / "a.png").stat().st_mode == (tmp_path / "plain").stat().st_mode


# Pictures: every depth, with colour or grey, with alpha or without.

LAYOUTS = [(bits, channels) for bits in (8, 16) for channels in (1, 2, 3, 4)]


def random_numbers(bits, channels):
    numbers = np.random.default_rng(bits + channels).integers(0, 2**bits, (HEIGHT, WIDTH, channels))
    return numbers.astype(f"uint{bits}")


def as_picture(numbers, **metadata):
    """The picture of such numbers, the last of 2 or 4 of which is alpha."""
    bits, channels = 8 * numbers.itemsize, numbers.shape[-1]
    values = (numbers / (2**bits - 1)).astype(np.float32)
    return files.Picture(
        image=np.repeat(values[..., :1], 3, -1) if channels < 3 else values[..., :3],
        alpha=values[..., -1] if channels in (2, 4) else None,
        is_grey=channels < 3,
        bits=bits,
        **metadata,
    )


def assert_same_picture(actual, expected):
    np.testing.assert_array_equal(actual.image, expected.image)
    assert actual.image.dtype == np.float32
    assert (actual.alpha is None) == (expected.alpha is None)
    if expected.alpha is not None:
        np.testing.assert_array_equal(actual.alpha, expected.alpha)
        assert actual.alpha.dtype == np.float32
    assert (actual.is_grey, actual.bits) == (expected.is_grey, expected.bits)


def write_independently(path, numbers):
    import tifffile

    squeezed = numbers[..., 0] if numbers.shape[-1] == 1 else numbers
    if path.suffix == ".tif":
        kind = "minisblack" if numbers.shape[-1] < 3 else "rgb"
        extra = ["unassalpha"] if numbers.shape[-1] in (2, 4) else []
        tifffile.imwrite(path, squeezed, photometric=kind, extrasamples=extra)
    elif numbers.dtype == np.uint8:
        Image.fromarray(squeezed).save(path)
    else:
        import tensorflow as tf

        path.write_bytes(tf.io.encode_png(numbers).numpy())


def read_independently(path, numbers):
    import tifffile

    if path.suffix == ".tif":
        return tifffile.imread(path).reshape(numbers.shape)
    if numbers.dtype == np.uint8:
        return np.asarray(Image.open(path)).reshape(numbers.shape)
    import tensorflow as tf

    return tf.io.decode_png(path.read_bytes(), dtype=tf.uint16).numpy()


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("bits, channels", LAYOUTS)
def test_a_picture_is_read_as_others_write_it(tmp_path, suffix, bits, channels):
    numbers = random_numbers(bits, channels)
    write_independently(tmp_path / f"a.{suffix}", numbers)
    picture = files.load_picture(tmp_path / f"a.{suffix}")
    assert_same_picture(picture, as_picture(numbers))
    assert picture.icc_profile is None


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("bits, channels", LAYOUTS)
def test_a_picture_is_written_as_others_read_it(tmp_path, suffix, bits, channels):
    numbers, path = random_numbers(bits, channels), tmp_path / f"a.{suffix}"
    files.save_picture(as_picture(numbers), path)
    np.testing.assert_array_equal(read_independently(path, numbers), numbers)
    picture = files.load_picture(path)
    assert_same_picture(picture, as_picture(numbers))
    assert picture.icc_profile is None and picture.exif is None


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_what_jpeg_and_bmp_cannot_hold_is_composited_and_rounded(tmp_path, channels):
    picture = as_picture(random_numbers(16, channels))
    files.save_picture(picture, tmp_path / "a.bmp")
    alpha = 1 if picture.alpha is None else picture.alpha[..., None].astype(float)
    expected = np.rint(255 * (1 - alpha * (1 - picture.image.astype(float))))
    with Image.open(tmp_path / "a.bmp") as opened:
        assert opened.mode == ("L" if picture.is_grey else "RGB")
        np.testing.assert_allclose(opened.convert("RGB"), expected, atol=1e-6)
    flat = files.Picture(np.full((32, 32, 3), 0.2), np.full((32, 32), 0.25), channels < 3, 16)
    files.save_picture(flat, tmp_path / "a.jpg")
    with Image.open(tmp_path / "a.jpg") as opened:
        assert opened.mode == ("L" if channels < 3 else "RGB")
        np.testing.assert_array_equal(opened, np.full(np.shape(opened), 204))


def test_webp_keeps_alpha(tmp_path):
    alpha = np.tile(np.linspace(0, 1, 48, dtype=np.float32), (64, 1))
    picture = files.Picture(smooth_picture(64, 48), alpha, bits=16)
    files.save_picture(picture, tmp_path / "a.webp", quality=100)
    loaded = files.load_picture(tmp_path / "a.webp")
    np.testing.assert_allclose(loaded.alpha, alpha, atol=0.51 / 255)
    assert loaded.bits == 8
    opaque = alpha > 0.1
    np.testing.assert_allclose(loaded.image[opaque], picture.image[opaque], atol=0.05)


def test_a_coloured_image_is_saved_as_its_luma_if_the_picture_is_grey(tmp_path, pixels):
    files.save_picture(files.Picture(pixels / 255, is_grey=True), tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as opened:
        np.testing.assert_allclose(opened, Image.fromarray(pixels).convert("L"), atol=1)


def test_colours_under_transparency_are_kept_in_pictures_and_white_in_images(tmp_path, pixels):
    numbers = np.dstack([pixels, np.zeros((HEIGHT, WIDTH), np.uint8)])
    path = write(Image.fromarray(numbers), tmp_path / "a.png")
    np.testing.assert_array_equal(files.load_picture(path).image, as_picture(numbers).image)
    assert (files.load_image(path) == 1).all()


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_images_of_deep_files_keep_their_precision(tmp_path, channels):
    numbers = random_numbers(16, channels)
    picture = as_picture(numbers)
    write_independently(tmp_path / "a.png", numbers)
    image = files.load_image(tmp_path / "a.png")
    alpha = 1 if picture.alpha is None else picture.alpha[..., None].astype(float)
    expected = 1 - alpha * (1 - picture.image.astype(float))
    np.testing.assert_allclose(image, expected, atol=1e-6)
    small = files.load_image(tmp_path / "a.png", "uint8")
    np.testing.assert_array_equal(small, np.rint(255 * expected))


@pytest.mark.parametrize("channels", [1, 3])
def test_a_transparent_colour_of_a_deep_png_becomes_alpha(tmp_path, channels):
    numbers, path = random_numbers(16, channels), tmp_path / "a.png"
    write_independently(path, numbers)
    encoded, key = path.read_bytes(), numbers[3, 4]
    key_chunk = png_chunk(b"tRNS", key.astype(">u2").tobytes())
    path.write_bytes(encoded[:33] + key_chunk + encoded[33:])
    picture = files.load_picture(path)
    assert picture.is_grey == (channels == 1)
    np.testing.assert_array_equal(picture.image, as_picture(numbers).image)
    np.testing.assert_array_equal(picture.alpha, (numbers != key).any(-1))


def test_deep_files_are_downsized(tmp_path):
    image = smooth_picture(80, 120)
    files.save_picture(files.Picture(image, bits=16), tmp_path / "a.tif")
    small = files.load_image(tmp_path / "a.tif", max_short_side=20)
    np.testing.assert_allclose(small, image.reshape(20, 4, 30, 4, 3).mean((1, 3)), atol=0.01)
    assert np.abs(small * 255 - np.rint(small * 255)).max() > 0.4  # not rounded to 8 bits


@pytest.mark.parametrize("alpha", [None, 128])
def test_downsizing_with_alpha_keeps_hidden_colours_hidden(tmp_path, alpha):
    numbers = np.zeros((200, 200, 4), np.uint8)  # black and opaque on the left, hidden red right
    numbers[:, :100, 3], numbers[:, 100:, 0] = alpha or 255, 255
    path = write(Image.fromarray(numbers), tmp_path / "a.png")
    small = files.load_image(path, max_short_side=50)
    np.testing.assert_allclose(small[..., 0], small[..., 1], atol=0.01)
    np.testing.assert_allclose(small[:, :20], 1 - (alpha or 255) / 255, atol=0.01)
    np.testing.assert_allclose(small[:, 30:], 1, atol=0.01)


@pytest.mark.parametrize("suffix", ["gif", "png", "tif", "webp"])
def test_of_several_frames_the_first_is_taken(tmp_path, suffix):
    red, blue = (Image.new("RGB", (WIDTH, HEIGHT), color) for color in ("red", "blue"))
    options = {"lossless": True} if suffix == "webp" else {}
    red.save(tmp_path / f"a.{suffix}", save_all=True, append_images=[blue], **options)
    image = files.load_picture(tmp_path / f"a.{suffix}").image
    np.testing.assert_allclose(image, np.broadcast_to([1, 0, 0], image.shape), atol=0.01)


def test_of_several_deep_pages_the_first_is_taken(tmp_path):
    tifffile = pytest.importorskip("tifffile")
    first, second = random_numbers(16, 3), random_numbers(16, 4)[..., :3]
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(first, photometric="rgb")
        file.write(second, photometric="rgb")
    picture = files.load_picture(tmp_path / "a.tif")
    assert_same_picture(picture, as_picture(first))


@pytest.mark.parametrize(
    "options", [{"byteorder": ">"}, {"planarconfig": "separate"}, {"tile": (16, 16)}]
)
def test_deep_tiff_is_read_in_every_arrangement(tmp_path, options):
    tifffile = pytest.importorskip("tifffile")
    numbers = random_numbers(16, 3)
    stored = np.moveaxis(numbers, -1, 0) if "planarconfig" in options else numbers
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="rgb", **options)
    assert_same_picture(files.load_picture(tmp_path / "a.tif"), as_picture(numbers))


def test_premultiplied_alpha_is_divided_out_and_unknown_channels_are_dropped(tmp_path):
    tifffile = pytest.importorskip("tifffile")
    numbers = random_numbers(16, 4)
    numbers[..., 3] |= 0x8000
    picture = as_picture(numbers)
    stored = numbers.copy()
    stored[..., :3] = np.rint(numbers[..., :3] * (numbers[..., 3:] / 65535))
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="rgb", extrasamples=["assocalpha"])
    loaded = files.load_picture(tmp_path / "a.tif")
    np.testing.assert_allclose(loaded.image, picture.image, atol=1.1 / 65535)
    np.testing.assert_array_equal(loaded.alpha, picture.alpha)
    tifffile.imwrite(tmp_path / "b.tif", numbers, photometric="rgb", extrasamples=["unspecified"])
    assert_same_picture(files.load_picture(tmp_path / "b.tif"), as_picture(numbers[..., :3]))


def test_without_tifffile_deep_colour_tiff_names_the_extra(tmp_path, monkeypatch):
    deep, grey, shallow = (random_numbers(*layout) for layout in ((16, 3), (16, 1), (8, 4)))
    monkeypatch.setitem(sys.modules, "tifffile", None)
    for name, numbers in {"deep": deep, "grey": grey, "shallow": shallow}.items():
        files.save_picture(as_picture(numbers), tmp_path / f"{name}.tif")
    with pytest.raises(ValueError, match=r"Expected .*deep\.tif .*stylegan_transfer\[tiff\]"):
        files.load_picture(tmp_path / "deep.tif")
    for name, numbers in {"grey": grey, "shallow": shallow}.items():
        assert_same_picture(files.load_picture(tmp_path / f"{name}.tif"), as_picture(numbers))


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("kept", [0.02, 0.3, 0.8])
def test_a_truncated_deep_file_is_named(tmp_path, suffix, kept):
    path = tmp_path / f"cut.{suffix}"
    write_independently(path, random_numbers(16, 3))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    with pytest.raises(ValueError, match=f"Expected .* Received: .*cut.{suffix}"):
        files.load_picture(path)


def test_a_deep_tiff_of_the_wrong_size_is_refused(tmp_path):
    write_independently(tmp_path / "a.tif", np.zeros((15, 40, 3), np.uint16))
    with pytest.raises(ValueError, match=r"at least 16.*a.tif, 40 x 15"):
        files.load_picture(tmp_path / "a.tif")


def test_a_deep_decompression_bomb_is_refused_by_its_header(tmp_path):
    size = struct.pack(">I", 65536)
    entries = [(0x0100, 4, 1, size), (0x0101, 4, 1, size), (0x0102, 3, 1, b"\0\x10\0\0")]
    entries += [(0x0106, 3, 1, b"\0\2\0\0"), (0x0115, 3, 1, b"\0\3\0\0")]
    (tmp_path / "bomb.tif").write_bytes(exif_block(entries, bytes(4))[6:])
    with pytest.raises(ValueError, match=r"268,435,456 pixels.*bomb.tif, 65536 x 65536"):
        files.load_picture(tmp_path / "bomb.tif")


@pytest.mark.parametrize("dtype", ["int16", "float16"])
def test_tiff_of_signed_numbers_is_refused(tmp_path, dtype):
    tifffile = pytest.importorskip("tifffile")
    tifffile.imwrite(tmp_path / "a.tif", np.ones((20, 30, 3), dtype), photometric="rgb")
    with pytest.raises(ValueError, match=r"Expected an image file .*a\.tif"):
        files.load_picture(tmp_path / "a.tif")


def test_deep_cmyk_is_read_with_eight_bits(tmp_path):
    tifffile = pytest.importorskip("tifffile")
    ink = np.broadcast_to(np.uint16([65535, 0, 0, 0]), (20, 30, 4))
    tifffile.imwrite(tmp_path / "a.tif", ink, photometric="separated")
    picture = files.load_picture(tmp_path / "a.tif")
    assert picture.bits == 8
    np.testing.assert_array_equal(picture.image, np.broadcast_to([0, 1, 1], (20, 30, 3)))


def test_only_deep_files_need_tensorflow(tmp_path, pixels):
    path = write(Image.fromarray(pixels), tmp_path / "a.png")
    code = (
        "import sys; from stylegan_transfer.pictures import files as f; "
        f"f.save_picture(f.load_picture({str(path)!r}), {str(tmp_path / 'b.tif')!r}); "
        "print({'tensorflow', 'tifffile'} & set(sys.modules))"
    )
    options = {"capture_output": True, "text": True, "check": True}
    root = pathlib.Path(files.__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, **options).stdout == "set()\n"


# Metadata.

CAMERA = {
    0x010F: "Maker",
    0x0132: "2024:05:06 07:08:09",
    0x8298: b"\xc2\xa9 Somebody",  # a copyright sign in UTF-8
    0x8769: {0x9003: "2024:05:06 07:08:09", 0x829A: 0.005, 0xA005: {1: "R98"}},
    0x8825: {1: "N", 2: (48.0, 51.0, 29.6)},
}


def camera_exif(order="<", **more):
    exif = Image.Exif()
    exif.endian = order
    for tag, value in {**CAMERA, **more}.items():
        exif[int(tag)] = value
    loaded = Image.Exif()
    loaded.load(exif.tobytes())
    loaded[0x8298] = CAMERA[0x8298]  # as bytes: Pillow's TIFF writer spoils strings
    return loaded


def assert_camera_exif(path):
    with Image.open(path) as opened:
        exif = opened.getexif()
        assert exif[0x010F] == "Maker" and exif[0x0132] == "2024:05:06 07:08:09"
        assert exif[0x8298].encode("latin-1") == b"\xc2\xa9 Somebody"
        assert exif.get_ifd(0x8769)[0x9003] == "2024:05:06 07:08:09"
        assert exif.get_ifd(0x8769)[0x829A] == 0.005
        assert exif.get_ifd(0x8825)[2] == (48.0, 51.0, 29.6)
        assert 0x0112 not in exif
        assert path.suffix == ".tif" or set(exif) == set(CAMERA)


@pytest.mark.parametrize("source", ["jpg", "png", "tif", "webp"])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("bits", [8, 16])
def test_exif_survives_in_every_format(tmp_path, pixels, source, order, bits):
    stale = {} if source == "tif" else {str(0x0100): 9999}  # a width
    exif = camera_exif(order, **{str(0x0112): 6}, **stale)
    path = write(Image.fromarray(pixels), tmp_path / f"a.{source}", exif=exif)
    picture = dataclasses.replace(files.load_picture(path), bits=bits)
    assert picture.image.shape == (WIDTH, HEIGHT, 3)
    assert source == "tif" or b"R98" in picture.exif  # Pillow's TIFF writer loses this directory
    for target in ("jpg", "png", "tif", "webp"):
        files.save_picture(picture, tmp_path / f"b.{target}")
        assert_camera_exif(tmp_path / f"b.{target}")
        again = files.load_picture(tmp_path / f"b.{target}")
        assert again.image.shape == picture.image.shape
        assert again.exif == picture.exif
        if target in ("png", "tif"):
            assert_same_picture(again, picture)


def test_bmp_is_written_without_metadata(tmp_path, pixels):
    picture = as_picture(pixels, exif=camera_exif().tobytes(), icc_profile=b"profile")
    files.save_picture(picture, tmp_path / "a.bmp")
    assert_same_picture(files.load_picture(tmp_path / "a.bmp"), picture)


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("orientation", UPRIGHT)
def test_orientation_is_applied_to_deep_pictures_and_their_alpha(tmp_path, suffix, orientation):
    numbers = random_numbers(16, 4)
    exif = camera_exif(**{str(0x0112): orientation}).tobytes()
    path = tmp_path / f"a.{suffix}"
    files.save_picture(as_picture(numbers, exif=exif), path)
    picture = files.load_picture(path)
    assert_same_picture(picture, as_picture(UPRIGHT[orientation](numbers)))
    files.save_picture(picture, path)
    assert_camera_exif(path)


def exif_block(entries, rest=b""):
    """A big-endian block of `(tag, type, count, field)`; `rest` begins at 10 + 12 entries."""
    packed = b"".join(struct.pack(">HHI4s", *entry) for entry in entries)
    return b"Exif\0\0MM\0*\0\0\0\x08" + struct.pack(">H", len(entries)) + packed + rest


def test_the_thumbnail_is_dropped(tmp_path, pixels):
    entries = [(0x010F, 2, 5, b"\0\0\0\x26"), (0x0110, 2, 5, b"\0\0\0\x2c")]
    texts = b"abcd\0\0efgh\0\0"  # values begin at even offsets
    thumbnail = struct.pack(">HHHI4s", 2, 0x201, 4, 1, b"\0\0\0\x50")
    thumbnail += struct.pack(">HHI4sI", 0x202, 4, 1, b"\0\0\0\5", 0) + b"THUMB"
    exif = exif_block(entries, b"\0\0\0\x32" + texts + thumbnail)
    path = write(Image.fromarray(pixels), tmp_path / "a.jpg", exif=exif)
    with Image.open(path) as opened:  # others do find it
        assert opened.getexif().get_ifd(ExifTags.IFD.IFD1)[0x202] == 5
    assert files.load_picture(path).exif == exif_block(entries, bytes(4) + texts)


def test_exif_after_the_pixels_of_a_deep_png_is_found(tmp_path):
    numbers, path = random_numbers(16, 3), tmp_path / "a.png"
    exif = camera_exif(**{str(0x0112): 6}).tobytes()
    files.save_picture(as_picture(numbers), path)
    encoded = path.read_bytes()
    path.write_bytes(encoded[:-12] + png_chunk(b"eXIf", exif[6:]) + encoded[-12:])
    picture = files.load_picture(path)
    assert_same_picture(picture, as_picture(UPRIGHT[6](numbers)))
    files.save_picture(picture, path)
    assert_camera_exif(path)


def test_one_broken_tag_does_not_cost_the_others(tmp_path, pixels):
    entries = [
        (0x010E, 2, 9999, b"\0\0\0\x08"),  # longer than the block
        (0x010F, 2, 4, b"abc\0"),
        (0x0110, 77, 1, b"abc\0"),  # no such type
        (0x8769, 4, 1, b"\0\0\0\x08"),  # a loop
        (0x8825, 4, 1, b"\0\0\xff\xff"),  # behind the end
    ]
    exif = exif_block(entries, bytes(4))
    path = write(Image.fromarray(pixels), tmp_path / "a.png", exif=exif)
    picture = files.load_picture(path)
    files.save_picture(picture, path)
    with Image.open(path) as opened:
        assert opened.getexif()[0x010F] == "abc"
        assert 0x010E not in opened.getexif() and 0x8825 not in opened.getexif()


@pytest.mark.parametrize("exif", [b"Exif\0\0garbage", b"Exif\0\0MM\0*\0\0\xff\xff"])
@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_a_broken_block_is_dropped(tmp_path, pixels, exif):
    path = write(Image.fromarray(pixels), tmp_path / "a.png", exif=exif)
    assert files.load_picture(path).exif is None


def test_exif_that_is_too_long_for_jpeg_is_left_out_there(tmp_path, pixels):
    exif = exif_block([(0x927C, 7, 70_000, b"\0\0\0\x1a")], bytes(4) + b"x" * 70_000)
    picture = as_picture(pixels, exif=exif)
    for suffix in ("jpg", "png"):
        files.save_picture(picture, tmp_path / f"a.{suffix}")
    assert files.load_picture(tmp_path / "a.jpg").exif is None
    assert files.load_picture(tmp_path / "a.png").exif == exif


# Colour profiles.


def make_profile(space, connection, **tags):
    """A minimal ICC profile."""
    start, table, body = 132 + 12 * len(tags), b"", b""
    for name, data in tags.items():
        table += struct.pack(">4sII", name.encode(), start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    white = struct.pack(">3i", 63190, 65536, 54061)  # D50
    header = struct.pack(
        ">I4xI4s4s4s12x4s28x12s48x",
        start + len(body),
        0x04200000,
        b"scnr",
        space,
        connection,
        b"acsp",
        white,
    )
    return header + struct.pack(">I", len(tags)) + table + body


def xyz(*values):
    return struct.pack(">4s4x3i", b"XYZ ", *(round(65536 * value) for value in values))


def gamma_curve(gamma):
    return struct.pack(">4s4xIH", b"curv", 1, round(256 * gamma))


def table_curve(values):
    numbers = np.rint(65535 * np.asarray(values)).astype(">u2")
    return struct.pack(">4s4xI", b"curv", len(values)) + numbers.tobytes()


def parametric_curve(kind, *parameters):
    numbers = [round(65536 * parameter) for parameter in parameters]
    return struct.pack(f">4s4xH2x{len(numbers)}i", b"para", kind, *numbers)


ADOBE_PRIMARIES = np.array(  # Adobe RGB (1998), adapted to D50: columns are red, green and blue
    [[0.60974, 0.20528, 0.14919], [0.31111, 0.62567, 0.06322], [0.01947, 0.06087, 0.74457]]
)
ADOBE_PRIMARIES = np.rint(65536 * ADOBE_PRIMARIES) / 65536  # as profiles store them
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
SRGB_PRIMARIES = np.transpose(
    [
        getattr(ImageCms.ImageCmsProfile(io.BytesIO(SRGB)).profile, f"{color}_colorant")[0]
        for color in ("red", "green", "blue")
    ]
)


def matrix_profile(curve, primaries=ADOBE_PRIMARIES):
    red, green, blue = (xyz(*column) for column in primaries.T)
    curves = {"rTRC": curve, "gTRC": curve, "bTRC": curve}
    return make_profile(b"RGB ", b"XYZ ", rXYZ=red, gXYZ=green, bXYZ=blue, **curves)


def table_profile(space, corners):
    """A profile that looks colours up: `corners` are the Lab colours of all extreme inputs."""
    corners = np.array(corners) * [255 / 100, 1, 1] + [0, 128, 128]
    identity = [65536, 0, 0, 0, 65536, 0, 0, 0, 65536]
    ramp, inputs = bytes(range(256)), len(corners).bit_length() - 1
    head = struct.pack(">4s4xBBBx9i", b"mft1", inputs, 3, 2, *identity)
    nodes = np.rint(corners).clip(0, 255).astype(np.uint8).tobytes()
    table = head + ramp * inputs + nodes + ramp * 3
    yellow_paper = xyz(0.8, 0.8, 0.5)
    return make_profile(space, b"Lab ", A2B0=table, A2B1=table, wtpt=yellow_paper)


ADOBE = matrix_profile(gamma_curve(563 / 256))
LAB = {  # of the corners of sRGB, under D50
    "black": (0, 0, 0),
    "blue": (29.57, 68.30, -112.03),
    "green": (87.82, -79.27, 80.99),
    "cyan": (90.67, -50.67, -14.96),
    "red": (54.29, 80.81, 69.89),
    "magenta": (60.17, 93.54, -60.50),
    "yellow": (97.61, -15.75, 93.39),
    "white": (100, 0, 0),
}


def encode_srgb(linear):
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def adobe_to_srgb(linear):
    return encode_srgb(linear @ np.linalg.solve(SRGB_PRIMARIES, ADOBE_PRIMARIES).T)


def plain(color, mode="RGB"):
    return Image.new(mode, (WIDTH, HEIGHT), color)


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp"])
@pytest.mark.parametrize(
    "adobe, srgb",  # well known: how the primaries of sRGB are written in Adobe RGB
    [((219, 0, 0), (255, 0, 0)), ((144, 255, 60), (0, 255, 0)), ((0, 0, 250), (0, 0, 255))],
)
def test_wide_gamut_colours_become_srgb(tmp_path, suffix, adobe, srgb):
    options = {"lossless": True} if suffix == "webp" else {}
    path = write(plain(adobe), tmp_path / f"a.{suffix}", icc_profile=ADOBE, **options)
    for options in ({}, {"max_short_side": 16}):
        image = files.load_image(path, "uint8", **options).astype(int)
        assert np.abs(image - srgb).max() <= 6
    picture = files.load_picture(path)
    assert np.abs(255 * picture.image - srgb).max() <= 6
    assert picture.exif is None

    files.save_picture(picture, path, quality=100)
    with Image.open(path) as opened:
        assert np.abs(np.int16(opened) - srgb).max() <= 6
        saved = ImageCms.ImageCmsProfile(io.BytesIO(opened.info["icc_profile"]))
    assert "sRGB" in ImageCms.getProfileDescription(saved)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_deep_colours_are_converted_in_full_precision(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    numbers = random_numbers(16, 4)
    files.save_picture(as_picture(numbers, icc_profile=ADOBE), path)
    picture = files.load_picture(path)
    expected = adobe_to_srgb((numbers[..., :3] / 65535) ** (563 / 256))
    np.testing.assert_allclose(picture.image, expected, atol=2e-5)
    np.testing.assert_array_equal(picture.alpha, as_picture(numbers).alpha)
    assert picture.bits == 16 and picture.image.dtype == np.float32

    files.save_picture(picture, path)
    with Image.open(path) as opened:
        saved = ImageCms.ImageCmsProfile(io.BytesIO(opened.info["icc_profile"]))
    assert "sRGB" in ImageCms.getProfileDescription(saved)
    again = files.load_picture(path)
    np.testing.assert_allclose(again.image, picture.image, atol=0.51 / 65535)


CURVES = {
    "gamma": (gamma_curve(1.5), lambda x: x**1.5),
    "identity": (struct.pack(">4s4xI", b"curv", 0), lambda x: x),
    "table": (table_curve([0, 0.2, 1]), lambda x: np.where(x < 0.5, 0.4 * x, 1.6 * x - 0.6)),
    "0": (parametric_curve(0, 1.5), lambda x: x**1.5),
    "1": (
        parametric_curve(1, 2.0, 1.25, -0.25),
        lambda x: np.where(x >= 0.2, (1.25 * x - 0.25) ** 2, 0),
    ),
    "2": (
        parametric_curve(2, 2.0, 1.0, -0.125, 0.125),
        lambda x: np.where(x >= 0.125, (x - 0.125) ** 2 + 0.125, 0.125),
    ),
    "3": (
        parametric_curve(3, 2.0, 0.75, 0.25, 0.5, 0.125),
        lambda x: np.where(x >= 0.125, (0.75 * x + 0.25) ** 2, 0.5 * x),
    ),
    "4": (
        parametric_curve(4, 2.0, 0.75, 0.125, 0.5, 0.25, 0.0625, 0.03125),
        lambda x: np.where(x >= 0.25, (0.75 * x + 0.125) ** 2 + 0.0625, 0.5 * x + 0.03125),
    ),
}


@pytest.mark.parametrize("name", CURVES)
def test_deep_colours_follow_every_kind_of_curve(tmp_path, name):
    curve, function = CURVES[name]
    shallow, path = random_numbers(8, 3), tmp_path / "a.png"
    deep = as_picture(257 * shallow.astype(np.uint16), icc_profile=matrix_profile(curve))
    files.save_picture(deep, path)
    picture = files.load_picture(path)
    np.testing.assert_allclose(picture.image, adobe_to_srgb(function(shallow / 255)), atol=2e-5)
    if function(0) == 0:  # else LittleCMS maps the darkest colour to black
        files.save_picture(dataclasses.replace(deep, bits=8), path)
        converted = files.load_picture(path)
        assert converted.bits == 8
        np.testing.assert_allclose(picture.image, converted.image, atol=1.01 / 255)


@pytest.mark.parametrize("bits", [8, 16])
def test_srgb_under_any_name_changes_no_number(tmp_path, bits):
    value = np.linspace(0, 1, 1024)
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    for profile in (SRGB, matrix_profile(table_curve(linear), SRGB_PRIMARIES)):
        picture = as_picture(random_numbers(bits, 3), icc_profile=profile)
        files.save_picture(picture, tmp_path / "a.png")
        assert_same_picture(files.load_picture(tmp_path / "a.png"), picture)


@pytest.mark.parametrize("bits", [8, 16])
def test_almost_srgb_is_converted(tmp_path, bits):
    profile = matrix_profile(gamma_curve(2.2), SRGB_PRIMARIES)
    numbers = np.full((HEIGHT, WIDTH, 3), (2**bits - 1) // 5, f"uint{bits}")
    files.save_picture(as_picture(numbers, icc_profile=profile), tmp_path / "a.png")
    picture = files.load_picture(tmp_path / "a.png")
    expected = encode_srgb(0.2 ** (563 / 256))
    np.testing.assert_allclose(picture.image, expected, atol={8: 0.51 / 255, 16: 2e-5}[bits])


@pytest.mark.parametrize("bits", [8, 16])
def test_grey_may_be_measured_as_lightness(tmp_path, bits):
    profile = make_profile(b"GRAY", b"Lab ", kTRC=gamma_curve(1))
    picture = as_picture(np.full((HEIGHT, WIDTH, 1), 2**bits // 2, f"uint{bits}"))
    path = tmp_path / "a.png"
    files.save_picture(dataclasses.replace(picture, icc_profile=profile), path)
    linear = ((50 + 16) / 116) ** 3
    image = files.load_picture(path).image
    np.testing.assert_allclose(image, encode_srgb(linear), atol=1.5 / 255)


@pytest.mark.parametrize(
    "profile",
    [b"no profile", ADOBE[:200], make_profile(b"GRAY", b"XYZ ", kTRC=gamma_curve(1))],
    ids=["text", "truncated", "for grey"],
)
@pytest.mark.parametrize("bits", [8, 16])
def test_a_profile_that_is_broken_or_of_another_kind_is_ignored(tmp_path, profile, bits):
    picture = as_picture(random_numbers(bits, 3), icc_profile=profile)
    files.save_picture(picture, tmp_path / "a.png")
    assert_same_picture(files.load_picture(tmp_path / "a.png"), picture)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_linear_grey_is_encoded(tmp_path, bits, suffix):
    numbers = random_numbers(bits, 2)
    profile = make_profile(b"GRAY", b"XYZ ", kTRC=gamma_curve(1))
    path = tmp_path / f"a.{suffix}"
    files.save_picture(as_picture(numbers, icc_profile=profile), path)
    picture = files.load_picture(path)
    assert picture.is_grey and picture.bits == bits
    expected = encode_srgb(numbers[..., 0] / (2**bits - 1))
    atol = {8: 0.51 / 255, 16: 1e-5}[bits]
    np.testing.assert_allclose(picture.image[..., 1], expected, atol=atol)
    np.testing.assert_array_equal(picture.alpha, as_picture(numbers).alpha)


@pytest.mark.parametrize("bits", [8, 16])
def test_grey_with_a_profile_for_colour_is_converted_and_stays_grey(tmp_path, bits):
    numbers = random_numbers(bits, 1)
    files.save_picture(as_picture(numbers, icc_profile=ADOBE), tmp_path / "a.tif")
    picture = files.load_picture(tmp_path / "a.tif")
    assert picture.is_grey and (picture.image == picture.image[..., :1]).all()
    expected = encode_srgb((numbers / (2**bits - 1)) ** (563 / 256))
    atol = {8: 0.51 / 255, 16: 0}[bits] + 2e-5
    np.testing.assert_allclose(picture.image[..., :1], expected, atol=atol)


@pytest.mark.parametrize("suffix", ["jpg", "tif"])
@pytest.mark.parametrize(
    "ink, color",
    [
        ((0, 0, 0, 0), "white"),  # as paper: relative colorimetric
        ((0, 0, 0, 255), "black"),  # although it is printed in grey: black point compensation
        ((255, 0, 0, 0), "lime"),
        ((0, 255, 255, 0), "red"),
    ],
)
def test_cmyk_is_converted_by_its_profile(tmp_path, suffix, ink, color):
    # Of the four inks cyan is the slowest to change. It prints green here.
    colors = ["white", "grey", "yellow", "grey", "magenta", "grey", "red", "grey"]
    colors += ["green", "grey"] * 4
    profile = table_profile(b"CMYK", [{**LAB, "grey": (12, 0, 0)}[color] for color in colors])
    path = write(plain(ink, "CMYK"), tmp_path / f"a.{suffix}", icc_profile=profile)
    picture = files.load_picture(path)
    np.testing.assert_allclose(255 * picture.image, np.array(plain(color)), atol=10)
    assert picture.icc_profile is not None


@pytest.mark.parametrize("profile", [None, ImageCms.createProfile("LAB")])
def test_lab_is_converted(tmp_path, profile):
    lab = plain((round(2.55 * 54.29), 128 + 81, 128 + 70), "LAB")
    options = {"icc_profile": ImageCms.ImageCmsProfile(profile).tobytes()} if profile else {}
    picture = files.load_picture(write(lab, tmp_path / "a.tif", **options))
    assert np.abs(255 * picture.image - [255, 0, 0]).max() <= 6


@pytest.mark.parametrize("bits", [8, 16])
def test_a_profile_of_tables_is_followed(tmp_path, bits):
    swapped = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"]
    profile = table_profile(b"RGB ", [LAB[color] for color in swapped])
    numbers = np.zeros((HEIGHT, WIDTH, 4), f"uint{bits}")
    numbers[..., 0] = numbers[:5, :, 3] = 2**bits - 1
    files.save_picture(as_picture(numbers, icc_profile=profile), tmp_path / "a.png")
    picture = files.load_picture(tmp_path / "a.png")
    assert np.abs(255 * picture.image - [0, 0, 255]).max() <= 4
    np.testing.assert_array_equal(picture.alpha, as_picture(numbers).alpha)


def test_threads_convert_colours_at_the_same_time(tmp_path, pixels):
    large = Image.fromarray(np.tile(pixels, (20, 12, 1)))
    path = write(large, tmp_path / "a.png", icc_profile=ADOBE)
    expected = files.load_image(path)
    with ThreadPoolExecutor(8) as pool:
        for image in pool.map(files.load_image, [path] * 16):
            np.testing.assert_array_equal(image, expected)


# Finding files.


@pytest.fixture
def folder(tmp_path):
    names = ["b.PNG", "a.jpg", "deep/er/c.webp", "deep/d.txt", ".hidden.png", ".git/e.png"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    return tmp_path


def test_a_folder_is_searched_recursively_and_sorted(folder):
    expected = [folder / "a.jpg", folder / "b.PNG", folder / "deep" / "er" / "c.webp"]
    assert files.list_images(folder) == expected
    assert files.list_images(f"{folder}{os.sep}") == expected


def test_a_file_stands_for_itself(folder):
    assert files.list_images(folder / "deep/d.txt") == [folder / "deep" / "d.txt"]


def test_patterns_are_expanded(folder):
    assert files.list_images(f"{folder}/*.jpg") == [folder / "a.jpg"]
    assert files.list_images(folder / "**/c.*") == [folder / "deep" / "er" / "c.webp"]


def test_brackets_in_an_existing_name_are_no_pattern(tmp_path):
    (tmp_path / "set [1]").mkdir()
    (tmp_path / "set [1]" / "a [2].png").touch()
    expected = [tmp_path / "set [1]" / "a [2].png"]
    assert files.list_images(tmp_path / "set [1]") == files.list_images(expected[0]) == expected


@pytest.mark.parametrize("source", ["gone.png", "gone/**/*.png", "deep/d.*", "folder.png"])
def test_nothing_found_says_what_was_expected(folder, source):
    with pytest.raises(FileNotFoundError, match="Expected an image file, a folder.*Received: "):
        files.list_images(folder / source)
