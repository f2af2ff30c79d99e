"""How much a painted clip flickers: its difference along the motion."""

from collections.abc import Callable, Sequence

import numpy as np

from stylegan_transfer.pictures.motion import move

LONG_RANGE = 8  # frames


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
    differences = []
    for t in range(distance, len(painted)):
        flow, is_seen = motion(t, t - distance)
        if is_seen.mean() >= 0.1:
            moved = move(painted[t - distance], flow, is_sharp=True)
            differences.append(np.abs(painted[t] - moved)[is_seen].mean())
    return float(np.mean(differences)) if differences else float("nan")
