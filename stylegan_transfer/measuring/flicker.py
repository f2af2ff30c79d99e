"""How much a painted clip flickers: its difference along the motion."""

import collections
from collections.abc import Callable, Sequence

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
    meter = FlickerMeter(1, motion, (distance,))
    for frame in painted:
        meter.add(None, [frame])
    return meter.measure(distance)[0]


class FlickerMeter:
    """`warped_difference` of several paintings of one clip, whose frames come one by one.

    Holds no more frames than the largest distance, so that clips may be long.

    Args:
        num_paintings: How many.
        motion: As `warped_difference` takes it. Default: estimated from the frames themselves,
            and seen is what the flow there and the flow back agree on.
        distances: In frames.
    """

    def __init__(
        self,
        num_paintings: int,
        motion: Callable[[int, int], tuple[np.ndarray, np.ndarray]] | None = None,
        distances: Sequence[int] = (1, LONG_RANGE),
    ):
        self._num_paintings, self._motion, self._distances = num_paintings, motion, distances
        self._latest = collections.deque(maxlen=max(distances) + 1)
        self._differences = {distance: [] for distance in distances}
        self._num_frames = 0

    def add(self, frame: np.ndarray | None, painted: Sequence[np.ndarray]) -> None:
        """Takes in the next frame and its paintings; None for one whose motion is known."""
        self._latest.append((frame, painted))
        t, self._num_frames = self._num_frames, self._num_frames + 1
        for distance in self._distances:
            if distance <= t:
                self._compare(t, distance)

    def _compare(self, t, distance):
        (before, painted_before), (now, painted) = self._latest[-1 - distance], self._latest[-1]
        known = self._motion
        flow, is_seen = known(t, t - distance) if known else estimate_flow(now, before)
        if is_seen.mean() >= _LEAST_SEEN:
            moved = [move(picture, flow, is_sharp=True) for picture in painted_before]
            self._differences[distance].append(
                [np.abs(a - b)[is_seen].mean() for a, b in zip(painted, moved, strict=True)]
            )

    def measure(self, distance: int) -> list[float]:
        """Returns the figure of each painting; NaN where no two frames are so far apart."""
        differences = self._differences[distance]
        if not differences:
            return [float("nan")] * self._num_paintings
        return np.mean(differences, axis=0).tolist()
