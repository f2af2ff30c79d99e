"""Converts pixels with an ICC profile to sRGB."""

import functools
import io
import struct

import numpy as np
from PIL import Image, ImageCms

from stylegan_transfer.pictures.arrays import quantize, split_alpha, to_float
from stylegan_transfer.pictures.colors import encode_srgb

_MODES = {"GRAY": "L", "RGB ": "RGB", "CMYK": "CMYK", "Lab ": "LAB"}  # of profiles, in Pillow


@functools.cache
def srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def to_eight_bit_srgb(image: Image.Image, icc_profile: bytes | None) -> Image.Image:
    mode, alpha = "L" if image.mode in ("1", "L", "LA", "La") else "RGB", None
    if image.has_transparency_data:
        image = image.convert(mode + "A")
        alpha = image.getchannel("A")
    if image.mode not in (mode, "CMYK", "LAB"):
        image = image.convert(mode)
    transform = _srgb_transform(icc_profile, image.mode)
    if transform and mode == "L":  # a table, because ImageCms rounds dark grey by ten steps
        ramp = np.linspace(0, 1, 256, dtype="float32").reshape(1, 256, 1)
        image = image.point(quantize(floats_to_srgb(ramp, icc_profile), "uint8").ravel())
    elif transform:
        image = transform.apply(image)
    if image.mode != mode:
        image = image.convert(mode)
    if alpha is not None:
        image.putalpha(alpha)
    return image


def floats_to_srgb(pixels: np.ndarray, icc_profile: bytes | None) -> np.ndarray:
    """Returns the pixels in sRGB without the rounding to 8 bits of `ImageCms`.

    A profile of primaries and curves says: linear = curve(value), XYZ = primaries @ linear.

    Reference:
        ICC.1:2022, Annex F.3.
    """
    color, alpha = split_alpha(pixels)
    num_colors = color.shape[-1]
    transform = _srgb_transform(icc_profile, "L" if num_colors == 1 else "RGB")
    if transform is None:
        return pixels
    color = np.broadcast_to(color, (*color.shape[:2], 3))
    try:
        color = _matrix_to_srgb(color, icc_profile)
    except (LookupError, ValueError, struct.error):  # tables, which only ImageCms can read
        image = Image.fromarray(quantize(color, "uint8")).convert(transform.input_mode)
        color = to_float(np.array(transform.apply(image)))
    return np.concatenate([color[..., :num_colors], alpha], axis=-1)


@functools.lru_cache(maxsize=32)
def _srgb_transform(icc_profile: bytes | None, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Returns what turns pixels of that mode into sRGB, or `None` if nothing can or need do it."""
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc_profile or b""))
        profile_mode = _MODES.get(profile.profile.xcolor_space)
        if profile_mode != mode and (mode, profile_mode) != ("L", "RGB"):
            return None
        transform = ImageCms.buildTransform(
            profile,
            ImageCms.createProfile("sRGB"),
            profile_mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError):
        return None
    if profile_mode in ("L", "RGB"):  # sRGB under whatever name changes nothing
        cube = np.uint8(np.mgrid[:256:51, :256:51, :256:51].reshape(3, 36, 6).transpose(1, 2, 0))
        before = Image.fromarray(cube).convert(profile_mode)
        changes = np.int16(transform.apply(before)) - np.int16(before.convert("RGB"))
        if np.abs(changes).max() <= 1:
            return None
    return transform


def _matrix_to_srgb(color: np.ndarray, icc_profile: bytes) -> np.ndarray:
    tags = _read_icc_tags(icc_profile)
    if b"A2B0" in tags or icc_profile[20:24] != b"XYZ ":
        raise ValueError("Expected a profile of primaries and curves. Received: tables")
    curves = [tags.get(b"kTRC") or tags[name] for name in (b"rTRC", b"gTRC", b"bTRC")]
    linear = np.stack([_apply_curve(c, color[..., i]) for i, c in enumerate(curves)], axis=-1)
    if b"kTRC" not in tags:
        to_xyz, srgb_to_xyz = _primaries(tags), _primaries(_read_icc_tags(srgb_profile()))
        linear = linear @ np.linalg.solve(srgb_to_xyz, to_xyz).T.astype("float32")
    return encode_srgb(np.clip(linear, 0, 1))


def _read_icc_tags(icc_profile: bytes) -> dict[bytes, bytes]:
    (count,) = struct.unpack_from(">I", icc_profile, 128)
    table = struct.iter_unpack(">4sII", icc_profile[132 : 132 + 12 * count])
    return {name: icc_profile[offset : offset + size] for name, offset, size in table}


def _primaries(tags: dict[bytes, bytes]) -> np.ndarray:
    columns = [np.frombuffer(tags[name], ">i4", 3, 8) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]
    return np.stack(columns, axis=-1) / 65536


def _apply_curve(curve: bytes, values: np.ndarray) -> np.ndarray:
    """Returns the light that values of one channel stand for.

    Reference:
        ICC.1:2022, 10.6 (curveType) and 10.18 (parametricCurveType).
    """
    if curve.startswith(b"curv"):
        (count,) = struct.unpack_from(">I", curve, 8)
        table = np.frombuffer(curve, ">u2", count, 12)
        if count < 2:
            return values ** np.float32(table[0] / 256 if count else 1)
        grid = np.linspace(0, 1, count)
        return np.interp(values, grid, table / 65535).astype("float32")
    kind = struct.unpack_from(">H", curve, 8)[0]
    parameters = np.frombuffer(curve, ">i4", (1, 3, 4, 5, 7)[kind], 12) / 65536
    gamma, a, b, c, d, e, f = (*parameters, *(0, 1, 0, 0, 0, 0, 0)[len(parameters) :])
    if kind == 2:  # there c is what is added to the power
        e = c
    power = np.maximum(a * values + b, 0) ** gamma + e
    return np.where(values >= d, power, c * values + f).astype("float32")
