import dataclasses
import struct

import pytest
from picture_files import (
    HEIGHT,
    UPRIGHT,
    WIDTH,
    as_picture,
    assert_same_picture,
    exif_block,
    png_chunk,
    random_numbers,
    write,
)
from PIL import ExifTags, Image

from stylegan_transfer.pictures import files

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
