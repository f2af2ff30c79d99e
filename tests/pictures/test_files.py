import io
import os
import struct
import threading
import warnings
import zlib

import numpy as np
import pytest
from picture_files import HEIGHT, UPRIGHT, WIDTH, png_chunk, smooth_picture, write
from PIL import Image

from stylegan_transfer.pictures import files

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


EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n%%EndComments\nshowpage\n%%EOF\n"


@pytest.mark.parametrize("file_format", ["EPS", "PDF", "ICO", "TGA", "PCX", "JPEG2000"])
def test_formats_that_are_not_listed_are_refused_whatever_the_suffix(
    tmp_path, pixels, monkeypatch, file_format
):
    path = tmp_path / "photo.jpg"
    if file_format == "EPS":
        path.write_bytes(EPS)
    else:
        Image.fromarray(pixels).save(path, format=file_format)
    monkeypatch.setattr("subprocess.Popen", lambda *args, **kwargs: pytest.fail("ran a program"))
    monkeypatch.setattr("subprocess.check_call", lambda *a, **k: pytest.fail("ran a program"))
    with pytest.raises(ValueError, match=r"photo\.jpg \(none of the formats .*JPEG, PNG"):
        files.load_image(path)


def test_a_pipe_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(ValueError, match=r"Expected an image file.*pipe\.png, no file"):
        files.load_image(tmp_path / "pipe.png")


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
    values = [-5e-4, 0.4 / 255, 0.6 / 255, 99.5001 / 255, 1.0, 1 + 5e-4]
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
    for value in (np.nan, np.inf, 1.1, -0.1, 255.0):
        with pytest.raises(
            ValueError, match=r"Expected float values in \[0, 1\]. Received: values"
        ):
            files.save_image(np.full((20, 20, 3), value), tmp_path / "a.png")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_an_image_with_alpha_is_saved_with_it(tmp_path, dtype):
    rgba = np.random.default_rng(0).integers(0, 256, (20, 33, 4), dtype=np.uint8)
    image = rgba if dtype == "uint8" else rgba.astype(dtype) / 255
    files.save_image(image, tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as saved:
        np.testing.assert_array_equal(np.asarray(saved), rgba)


@pytest.mark.parametrize(
    ("arguments", "received"),
    [
        ({"image": None}, "None"),
        ({"image": [[1, 2], [3]]}, r"\[\[1, 2\], \[3\]\]"),
        ({"image": np.zeros((20, 20, 3), "uint16")}, ".*dtype=uint16"),
        ({"path": None}, "path=None"),
        ({"path": "a\0b.png"}, "path='a"),
        ({"quality": "95"}, "quality='95'"),
        ({"quality": np.nan}, "quality=nan"),
    ],
)
def test_arguments_of_another_type_are_named(tmp_path, pixels, arguments, received):
    with pytest.raises(ValueError, match=f"Expected .*Received: {received}"):
        files.save_image(**{"image": pixels, "path": tmp_path / "a.png", **arguments})


@pytest.mark.parametrize("source", [None, 3, [], "", "a\0b"])
def test_a_source_that_is_no_path_is_named(source):
    for read in (files.load_image, files.load_picture, files.list_images):
        with pytest.raises(ValueError, match="Expected .*Received: "):
            read(source)


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


def test_loops_of_links_end_and_give_each_picture_once(tmp_path):
    (tmp_path / "photos" / "deep").mkdir(parents=True)
    for name in ("a.png", "deep/b.png"):
        (tmp_path / "photos" / name).touch()
    for name in ("one", "two", "deep/three"):  # with two loops, paths double at each level
        (tmp_path / "photos" / name).symlink_to(tmp_path / "photos")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "c.png").touch()
    (tmp_path / "photos" / "linked").symlink_to(tmp_path / "elsewhere")
    found = [
        path.relative_to(tmp_path / "photos") for path in files.list_images(tmp_path / "photos")
    ]
    assert [str(path) for path in found] == ["a.png", "deep/b.png", "linked/c.png"]
