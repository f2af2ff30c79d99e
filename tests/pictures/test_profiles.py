import dataclasses
import io
import struct
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from picture_files import (
    HEIGHT,
    WIDTH,
    as_picture,
    assert_same_picture,
    random_numbers,
    write,
)
from PIL import Image, ImageCms

from stylegan_transfer.pictures import files


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
