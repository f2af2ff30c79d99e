"""Footage whose motion is known: a camera over a photograph, rendered by code."""

import dataclasses
from collections.abc import Callable

import numpy as np

from stylegan_transfer.checks import expect
from stylegan_transfer.pictures.motion import import_opencv, is_inside, move

MOTIONS = ("still", "pan", "zoom", "rotation", "crossing", "exposure", "cut")
MAX_FRAMES = 32  # in which the camera does not leave a photograph 1.5 times as large as a frame


@dataclasses.dataclass(frozen=True, eq=False)
class Footage:
    """Frames, and the motion between any two of them.

    Attributes:
        frames: float32 `(height, width, 3)` in [0, 1] each.
        motion: `motion(t, s)` returns the flow from frame t into frame s, float32
            `(height, width, 2)`, and which pixels of frame t are seen in frame s, as
            `motion.estimate_flow` does.
    """

    frames: list[np.ndarray]
    motion: Callable[[int, int], tuple[np.ndarray, np.ndarray]]


def render_footage(
    photograph: np.ndarray, kind: str, size: tuple[int, int], num_frames: int, other: np.ndarray
) -> Footage:
    """Returns footage of one kind of motion.

    `still`: nothing moves. `pan`: 2.5 pixels a frame to the right and 1 down. `zoom`: 1.5 % a
    frame. `rotation`: 0.75 degrees a frame. `crossing`: a disc of the other photograph moves 4
    pixels a frame over a still one. `exposure`: brightness jitters by 6 % (standard deviation).
    `cut`: a pan that goes on over the other photograph from the middle on.

    Args:
        photograph: float32 `(height, width, 3)` in [0, 1], at least half as large again as `size`.
        kind: One of `MOTIONS`.
        size: Height and width of the frames.
        num_frames: How many.
        other: A second photograph, as large.

    Raises:
        ValueError: The kind is another, or a photograph is too small.
    """
    expect(kind in MOTIONS, f"one of {', '.join(MOTIONS)}", kind=kind)
    for picture in (photograph, other):
        fits = all(1.5 * side <= whole for side, whole in zip(size, picture.shape, strict=False))
        expect(fits, f"photographs of at least 1.5 times {size}", shape=picture.shape)
    cameras = [_camera(kind, t - (num_frames - 1) / 2, size, photograph) for t in range(num_frames)]
    scenes = [int(kind == "cut" and 2 * t >= num_frames) for t in range(num_frames)]
    pictures = [(photograph, other)[scene] for scene in scenes]
    frames = [_look(*pair, size) for pair in zip(pictures, cameras, strict=True)]
    discs = [None] * num_frames
    if kind == "crossing":
        discs = [_disc(t - (num_frames - 1) / 2, size) for t in range(num_frames)]
        object_ = _look(other, _camera("still", 0, size, other), size)
        frames = [
            np.where(inside[..., None], move(object_, flow), frame)
            for frame, (inside, flow) in zip(frames, discs, strict=True)
        ]
    if kind == "exposure":
        gains = 1 + 0.06 * np.random.default_rng(0).standard_normal(num_frames)
        frames = [np.clip(gain * f, 0, 1) for gain, f in zip(gains, frames, strict=True)]

    def motion(t, s):
        to_other = np.linalg.inv(cameras[s]) @ cameras[t]
        flow = _apply(to_other, size) - _apply(np.eye(3), size)
        is_seen = is_inside(flow) & (scenes[t] == scenes[s])
        if discs[t] is None:
            return flow.astype("float32"), is_seen
        (inside, offset), (before, offset_before) = discs[t], discs[s]
        flow = np.where(inside[..., None], offset - offset_before, flow).astype("float32")
        return flow, np.where(inside, is_inside(flow), is_seen & ~before)

    return Footage([frame.astype("float32") for frame in frames], motion)


def _camera(kind, t, size, photograph):
    """The matrix from a pixel of a frame, `(x, y, 1)`, to its place in the photograph."""
    scale = 1.015**t if kind == "zoom" else 1.0
    angle = np.deg2rad(0.75 * t) if kind == "rotation" else 0.0
    shift = (2.5 * t, t) if kind in ("pan", "cut") else (0, 0)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = (np.array(size[::-1]) - 1) / 2
    center = (np.array(photograph.shape[1::-1]) - 1) // 2 + shift
    matrix = np.eye(3)
    matrix[:2, :2], matrix[:2, 2] = turn, center - turn @ middle
    if kind not in ("zoom", "rotation"):
        matrix[:2, 2] = np.round(2 * matrix[:2, 2]) / 2
    return matrix


def _look(photograph, camera, size):
    cv2 = import_opencv()
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    image = cv2.warpAffine(photograph, camera[:2], size[::-1], flags=flags)
    return np.clip(image, 0, 1)


def _disc(t, size):
    """Which pixels the object covers, and the flow from there to where it lies in the middle."""
    height, width = size
    rows, columns = np.indices(size)
    offset = np.array([-4.0 * t, 0.0], "float32")
    x, y = columns + offset[0] - width / 2, rows + offset[1] - height / 2
    return x**2 + y**2 < (height / 5) ** 2, np.broadcast_to(offset, (*size, 2)).copy()


def _apply(matrix, size):
    rows, columns = np.indices(size, dtype="float64")
    points = np.stack([columns, rows, np.ones(size)], axis=-1)
    return (points @ matrix.T)[..., :2]
