"""How much a carried painting shows what is no longer there: ghosts at moving edges."""

import numpy as np

from stylegan_transfer.pictures.colors import luminance
from stylegan_transfer.pictures.motion import import_opencv, move

STEEPEST = 0.1  # share of a frame
AROUND = 4  # pixels
LEAST_MOTION = 0.5  # pixels a frame


def find_moving_edges(frame: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """Returns what lies around edges that move: `(height, width)` of bool.

    An edge is the tenth of the frame at which its luma, smoothed over a pixel, is steepest. Of
    that counts what moves by more than half a pixel, and 4 pixels around it, where ghosts would be.

    Args:
        frame: float32 `(height, width, 3)` in [0, 1].
        flow: In pixels, `(height, width, 2)`, as `estimate_flow` returns it.
    """
    cv2 = import_opencv()
    smooth = cv2.GaussianBlur(luminance(frame), (0, 0), 1.0)
    steepness = np.hypot(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1))
    is_edge = (steepness >= np.quantile(steepness, 1 - STEEPEST)) & (steepness > 0)
    is_edge &= np.linalg.norm(flow, axis=-1) > LEAST_MOTION
    return cv2.dilate(is_edge.astype("uint8"), np.ones((2 * AROUND + 1,) * 2)) > 0


class GhostingMeter:
    """How far a painted clip is from its frames painted alone, at moving edges.

    `sum |O_t - A_t| / sum |B_t - A_t|` over the pixels around moving edges of all frames but the
    first, where O is the clip, and A and B are the frames painted alone with two seeds: 0 is A
    itself, 1 is as far off as another seed, and a ghost, which is an edge where there is none, is
    further off.
    """

    def __init__(self):
        self._before, self._sums = None, np.zeros(4)

    def add(
        self,
        frame: np.ndarray,
        painted: np.ndarray,
        alone: np.ndarray,
        other: np.ndarray,
        motion: tuple[np.ndarray, np.ndarray] | None,
    ) -> None:
        """Takes in the next frame of each, float32 `(height, width, 3)` in [0, 1].

        Args:
            frame: Before it was painted.
            painted: Of the clip.
            alone: The frame, painted by itself.
            other: The same with another seed.
            motion: The flow into the frame before, and what is seen there, as `estimate_flow`
                returns them; None of the first frame.
        """
        before, self._before = self._before, alone
        if motion is None:
            return
        flow, is_seen = motion
        is_edge = find_moving_edges(frame, flow)
        moved = move(before, flow, is_sharp=True)
        self._sums += [
            np.abs(image - alone)[where].sum()
            for image, where in (
                *((painted, is_edge), (other, is_edge)),
                *((moved, is_edge & is_seen), (other, is_edge & is_seen)),
            )
        ]

    def measure(self) -> tuple[float, float]:
        """Returns the figure, and that of the frame before, painted alone and moved along.

        The second one says how far off a painting is that holds still from one frame to the next.
        Both are NaN where nothing moves, or the seeds are equal.
        """
        ghosts, seeds = self._sums[::2], self._sums[1::2]
        return tuple(np.divide(ghosts, seeds, out=np.full(2, np.nan), where=seeds > 0).tolist())
