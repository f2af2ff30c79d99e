"""How much a painted clip flickers: its difference along the motion."""

import collections
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np

from stylegan_transfer.pictures.motion import estimate_flow, move

LONG_RANGE = 8  # frames
_LEAST_SEEN = 0.1  # share of a frame


def warped_difference(
    painted: Sequence[np.ndarray],
    motion: Callable[[int, int], tuple[np.ndarray, np.ndarray]],
    distance: int = 1,
) -> float:
    """Returns the mean absolute difference of frames and earlier ones moved along the motion.

    `mean |O_t - W(O_s)|` over all pixels of frame t that are seen in frame s = t - distance; 0 is
    a painting that moves as the scene does. Frames of which fewer than a tenth is seen, after a
    cut, do not count.

    Args:
        painted: float32 `(height, width, 3)` in [0, 1] each.
        motion: `motion(t, s)` returns the flow from frame t into frame s, `(height, width, 2)`,
            and which pixels are seen in both, as `estimate_flow` of the frames before painting.
        distance: In frames: 1 for short range, `LONG_RANGE` for what drifts slowly.

    Returns:
        From 0 to 1; NaN where no two frames are so far apart.

    Reference:
        Lai et al., "Learning Blind Video Temporal Consistency", ECCV 2018, section 3.3 (there
        squared).
    """
    meter = FlickerMeter(1, (distance,))
    for frame, motions in find_motions(painted, motion, (distance,)):
        meter.add([frame], motions)
    return meter.measure(distance)[0]


def find_motions(
    frames: Iterable[np.ndarray],
    motion: Callable[[int, int], tuple[np.ndarray, np.ndarray]] | None = None,
    distances: Sequence[int] = (1, LONG_RANGE),
) -> Iterator[tuple[np.ndarray, dict[int, tuple[np.ndarray, np.ndarray]]]]:
    """Yields each frame of a clip with its motion into earlier ones, for all that measures it.

    Holds no more frames than the largest distance, so that clips may be long.

    Args:
        frames: float32 `(height, width, 3)` in [0, 1] each, before they are painted.
        motion: As `warped_difference` takes it, where it is known. Default: estimated, and seen is
            what the flow there and the flow back agree on.
        distances: In frames.

    Yields:
        The frame, and `{distance: (flow, is_seen)}` of the earlier frames that are there.
    """
    latest = collections.deque(maxlen=max(distances) + 1)

    def estimate(t, s):
        return estimate_flow(latest[-1], latest[s - t - 1])

    find = motion or estimate
    for t, frame in enumerate(frames):
        latest.append(frame)
        yield frame, {far: find(t, t - far) for far in distances if far <= t}


class FlickerMeter:
    """`warped_difference` of several paintings of one clip, whose frames come one by one.

    Holds no more frames than the largest distance, so that clips may be long.

    Args:
        num_paintings: How many.
        distances: In frames.
    """

    def __init__(self, num_paintings: int, distances: Sequence[int] = (1, LONG_RANGE)):
        self._num_paintings = num_paintings
        self._latest = collections.deque(maxlen=max(distances) + 1)
        self._differences = {distance: [] for distance in distances}

    def add(
        self,
        painted: Sequence[np.ndarray],
        motions: Mapping[int, tuple[np.ndarray, np.ndarray]],
    ) -> None:
        """Takes in the paintings of the next frame, and its motions from `find_motions`."""
        self._latest.append(painted)
        for distance, (flow, is_seen) in motions.items():
            if is_seen.mean() >= _LEAST_SEEN:
                moved = [move(image, flow, is_sharp=True) for image in self._latest[-1 - distance]]
                self._differences[distance].append(
                    [np.abs(a - b)[is_seen].mean() for a, b in zip(painted, moved, strict=True)]
                )

    def measure(self, distance: int) -> list[float]:
        """Returns the figure of each painting; NaN where no two frames are so far apart."""
        differences = self._differences[distance]
        if not differences:
            return [float("nan")] * self._num_paintings
        return np.mean(differences, axis=0).tolist()
