import pathlib
import struct
import subprocess
import sys

import numpy as np
import pytest
from picture_files import (
    HEIGHT,
    WIDTH,
    as_picture,
    assert_same_picture,
    exif_block,
    png_chunk,
    random_numbers,
    smooth_picture,
    write,
)
from PIL import Image

from stylegan_transfer import samples
from stylegan_transfer.pictures import files

# Pictures: every depth, with colour or grey, with alpha or without.

LAYOUTS = [(bits, channels) for bits in (8, 16) for channels in (1, 2, 3, 4)]


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


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_deep_png_is_read_without_imagecodecs_too(tmp_path, channels, monkeypatch):
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    numbers = random_numbers(16, channels)
    files.save_picture(as_picture(numbers), tmp_path / "a.png")
    assert_same_picture(files.load_picture(tmp_path / "a.png"), as_picture(numbers))


def test_deep_png_is_as_small_as_others_write_it(tmp_path):
    numbers = np.rint(65535 * samples.draw_content("harbour", 128)).astype(np.uint16)
    write_independently(tmp_path / "other.png", numbers)
    files.save_picture(as_picture(numbers), tmp_path / "mine.png")
    sizes = [(tmp_path / name).stat().st_size for name in ("mine.png", "other.png")]
    assert sizes[0] < 1.05 * sizes[1]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("with_imagecodecs", [True, False])
def test_a_transparent_colour_of_a_deep_png_becomes_alpha(
    tmp_path, channels, with_imagecodecs, monkeypatch
):
    if not with_imagecodecs:
        monkeypatch.setitem(sys.modules, "imagecodecs", None)
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
@pytest.mark.parametrize("with_imagecodecs", [True, False])
def test_a_truncated_deep_file_is_named(tmp_path, suffix, kept, with_imagecodecs, monkeypatch):
    if not with_imagecodecs:
        monkeypatch.setitem(sys.modules, "imagecodecs", None)
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


@pytest.mark.parametrize("channels, bits", [(3, 8), (1, 16), (4, 16)])
def test_no_file_needs_tensorflow(tmp_path, channels, bits):
    path = tmp_path / "a.png"
    files.save_picture(as_picture(random_numbers(bits, channels)), path)
    code = (
        "import sys; from stylegan_transfer.pictures import files as f; "
        f"picture = f.load_picture({str(path)!r}); "
        f"[f.save_picture(picture, {str(tmp_path)!r} + name) for name in ('/b.tif', '/b.png')]; "
        "print({'tensorflow', 'tifffile'} & set(sys.modules))"
    )
    options = {"capture_output": True, "text": True, "check": True}
    root = pathlib.Path(files.__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, **options).stdout == "set()\n"
