"""Motion between the frames of a clip: optical flow, what it hides, pictures moved along it.

Needs OpenCV: `pip install "stylegan_transfer[video]"`.
"""

import numpy as np

from stylegan_transfer.pictures.colors import luminance

_DARK = 0.05  # luminance of which no ratio is taken


def estimate_flow(frame: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns where in another frame each pixel of a frame lies, and whether it is seen there.

    The flow is dense inverse search (Kroeger et al.) down to the full size: at half of it, where
    OpenCV's presets end, painted clips of 360x240 flicker two to ten times as much. A pixel is seen
    in both frames where the flow from one to the other and the flow back cancel: with w there and
    w' back, `|w + w'|^2 < 0.01 (|w|^2 + |w'|^2) + 0.5`. The other frame is given the exposure of
    the first one before: else each change of brightness looks like motion.

    Args:
        frame: float32 `(height, width, 3)` in [0, 1].
        other: Likewise, of the same shape.

    Returns:
        The flow, float32 `(height, width, 2)`: to the right and down, in pixels, from a pixel of
        `frame` to its place in `other`; and `(height, width)` of bool.

    Raises:
        ImportError: OpenCV is missing.

    References:
        Kroeger et al., "Fast Optical Flow using Dense Inverse Search", ECCV 2016.
        Ruder et al., "Artistic Style Transfer for Videos", GCPR 2016, eq. 5.
    """
    cv2 = import_opencv()
    search = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    search.setFinestScale(0)
    frame, other = luminance(frame), luminance(other)
    other = np.minimum(_gain(frame, other) * other, 1.0)
    frame, other = (np.round(255 * light).astype("uint8") for light in (frame, other))
    there, back = search.calc(frame, other, None), search.calc(other, frame, None)
    returned = move(back, there)
    gap = np.square(there + returned).sum(axis=-1)
    limit = 0.01 * (np.square(there).sum(axis=-1) + np.square(returned).sum(axis=-1)) + 0.5
    return there, (gap < limit) & is_inside(there)


def move(image: np.ndarray, flow: np.ndarray, *, is_sharp: bool = False) -> np.ndarray:
    """Returns an image as the frame shows it from which a flow leads into it.

    Args:
        image: float32 `(height, width)` or `(height, width, channels)`.
        flow: As `estimate_flow` returns it.
        is_sharp: Whether to interpolate by Lanczos' filter over 8 pixels, which can be repeated
            and blurs little, but overshoots; else linearly.

    Returns:
        float32, of the image's shape. What comes from outside repeats the image's edge.
    """
    cv2 = import_opencv()
    method = cv2.INTER_LANCZOS4 if is_sharp else cv2.INTER_LINEAR
    places = _places(flow)
    return cv2.remap(image, places, None, method, borderMode=cv2.BORDER_REPLICATE)


def is_inside(flow: np.ndarray) -> np.ndarray:
    """Returns of which pixels the flow ends inside of the frame: `(height, width)` of bool.

    A tenth of a pixel outside is inside: a flow that is estimated is never exactly 0.
    """
    (height, width), rim = flow.shape[:2], 0.1
    x, y = np.moveaxis(_places(flow), -1, 0)
    return (x >= -rim) & (y >= -rim) & (x <= width - 1 + rim) & (y <= height - 1 + rim)


def import_opencv():
    """Returns the module; an `ImportError` that names the extra where it is missing."""
    try:
        import cv2
    except ImportError as error:
        raise ImportError(
            f'Expected OpenCV for video: pip install "stylegan_transfer[video]". Received: {error}'
        ) from error
    return cv2


def _gain(frame, other):
    """How many times as bright a frame is as another, in the median of its pixels."""
    is_lit = np.minimum(frame, other) > _DARK
    return np.median(frame[is_lit] / other[is_lit]) if is_lit.any() else 1.0


def _places(flow):
    rows, columns = np.indices(flow.shape[:2], dtype="float32")
    return flow + np.stack([columns, rows], axis=-1)
