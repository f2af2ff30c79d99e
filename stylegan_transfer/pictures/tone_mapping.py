"""Brings HDR video into the range and the colours of a standard display."""

import numpy as np

from stylegan_transfer.pictures.colors import encode_srgb

PQ, HLG = 16, 18  # FFmpeg's numbers for the transfer curves
WHITE = 203.0  # cd/m^2 of diffuse white (ITU-R BT.2408)
PEAK = 1000.0  # cd/m^2 that become the brightest white
_TO_BT709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]]
)  # linear BT.2020 to linear BT.709 (ITU-R BT.2087)


def tone_map(image: np.ndarray, curve: int) -> np.ndarray:
    """Returns a frame of HDR video as standard RGB.

    The light L, in units of diffuse white, becomes `L (1 + L / P^2) / (1 + L)` with P the peak:
    dark parts stay nearly as they are, highlights are compressed, and the peak becomes 1. The
    brightest channel decides, so that hues stay.

    Args:
        image: `(height, width, 3)` in [0, 1], in BT.2020 primaries, coded by the curve.
        curve: `PQ` or `HLG`.

    Returns:
        float32 in [0, 1], in BT.709 primaries and the curve of sRGB.

    References:
        ITU-R BT.2100-2, tables 4 and 5.
        Reinhard et al., "Photographic Tone Reproduction for Digital Images", SIGGRAPH 2002, eq. 4.
    """
    light = {PQ: _decode_pq, HLG: _decode_hlg}[curve](image.astype("float64")) / WHITE
    brightest = light.max(axis=-1, keepdims=True)
    gain = (1.0 + brightest / (PEAK / WHITE) ** 2) / (1.0 + brightest)
    linear = np.clip(gain * light @ _TO_BT709.T, 0.0, 1.0)
    return encode_srgb(linear).astype("float32")


def _decode_pq(signal):
    """Light in cd/m^2 from perceptual quantization."""
    m1, m2 = 2610 / 16384, 2523 / 4096 * 128
    c1, c2, c3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
    power = signal ** (1 / m2)
    return 10_000.0 * (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1)


def _decode_hlg(signal):
    """Light in cd/m^2 from hybrid log-gamma, on a display of `PEAK` with a gamma of 1.2."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    luma = scene @ np.array([0.2627, 0.6780, 0.0593])
    return PEAK * luma[..., None] ** 0.2 * scene
