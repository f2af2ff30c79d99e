"""Carries a painting from frame to frame of a clip, along the motion."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np

from stylegan_transfer.pictures.motion import estimate_flow, import_opencv, move

DRIFT = 0.12  # mean absolute difference of RGB
SCENE_CUT = 0.35  # share of the frame
STILL = 0.5  # pixels of flow
STATE = "frame", "painted", "shown", "coats"  # what a clip needs to go on after a frame
COATS = 24, 8  # pixels from what is painted anew, the last coat first


def follow_motion(
    frames: Iterable[np.ndarray], previous: np.ndarray | None = None
) -> Iterator[tuple]:
    """Yields each frame, the flow into the one before, and which of its pixels are seen there.

    Where nothing around a pixel changes, its flow is exactly 0, unless its surroundings move: a
    flat sky goes with the camera, though it does not change, and encoders repeat its blocks. The
    first frame, and one of another size, has a flow of None.

    Args:
        frames: float32 `(height, width, 3)` in [0, 1] each.
        previous: The frame before them. Default: none.
    """
    cv2 = import_opencv()
    for frame in frames:
        if previous is None or previous.shape != frame.shape:
            yield frame, None, None
        else:
            flow, is_seen = estimate_flow(frame, previous)
            change = np.abs(frame - previous).max(axis=-1)
            is_still = cv2.dilate(change, np.ones((9, 9), "uint8")) == 0.0
            is_still &= np.abs(flow).max(axis=-1) < STILL
            flow[is_still] = 0.0
            yield frame, flow, is_seen | is_still
        previous = frame


class Carrier:
    """Gives each frame the painting of the one before, moved along, and paints what is new.

    What is carried is not mixed with what is painted: a mean of two textures has less texture
    than either. So each pixel is painted when it comes into sight, and travels from then on. It is
    painted anew where the flow cannot be trusted, and where the frame departs by more than `DRIFT`
    from what the pixel showed when it was painted: that content travels along with the painting.
    If less than `SCENE_CUT` of a frame can be carried, there was a cut, and all of it is painted
    anew.

    What comes into sight is painted beside what has hidden it, and shows its glow. So it gets two
    more coats, as soon as what is painted anew has gone the distances of `COATS` from it: without
    them, an object leaves streaks behind.

    Args:
        paint: `paint(frame, masks)` paints a frame, float32 `(height, width, 3)` in [0, 1], by
            itself.
        state: Of a carrier that stood before the same frame. Default: none.

    References:
        Ruder et al., "Artistic Style Transfer for Videos", GCPR 2016: an optimisation that starts
        at the carried painting, held to it by a loss.
        Chen et al., "Coherent Online Video Style Transfer", ICCV 2017: carried feature maps.
    """

    def __init__(self, paint: Callable, state: Mapping[str, np.ndarray] | None = None):
        self._paint = paint
        self._painted = self._shown = self._coats = None
        if state is not None:
            self._painted, self._shown = state["painted"], state["shown"]
            self._coats = state["coats"]

    @property
    def state(self) -> dict[str, np.ndarray]:
        """What the next frame needs: the latest painting, what its pixels showed, coats to come."""
        return {"painted": self._painted, "shown": self._shown, "coats": self._coats}

    def __call__(
        self,
        frame: np.ndarray,
        flow: np.ndarray | None,
        is_seen: np.ndarray | None,
        masks: Sequence[np.ndarray] | None = None,
    ) -> np.ndarray:
        """Returns the painting of the next frame.

        Args:
            frame: As `follow_motion` yields it.
            flow: Likewise.
            is_seen: Likewise.
            masks: What is painted how, float32 `(height, width)` each; or None. A pixel of which
                they say another thing than when it was painted is painted anew.
        """
        shown = np.dstack([frame, *masks]) if masks else frame
        if flow is None:
            self._painted, self._shown = self._paint(frame, masks), shown
            self._coats = np.zeros(frame.shape[:2], "uint8")
            return self._painted
        before = move(self._shown, flow, is_sharp=True)
        drift = np.abs(before - shown)
        is_kept = is_seen & (drift[..., :3].mean(axis=-1) < DRIFT)
        is_kept &= (drift[..., 3:] < DRIFT).all(axis=-1)
        if is_kept.mean() < SCENE_CUT:
            return self(frame, None, None, masks)
        is_kept = self._plan_coats(is_kept, flow)
        if is_kept.all() and not flow.any():
            return self._painted
        if masks:
            is_kept &= sum(masks) > 0  # elsewhere the frame itself shows
        share = _feather(is_kept)[..., None]
        carried = np.clip(move(self._painted, flow, is_sharp=True), 0.0, 1.0)
        self._painted = share * carried + (1.0 - share) * self._paint(frame, masks)
        self._shown = share * before + (1.0 - share) * shown
        return self._painted

    def _plan_coats(self, is_kept, flow):
        """Returns what is kept less that of which another coat is due."""
        cv2 = import_opencv()
        coats = np.round(move(self._coats.astype("float32"), flow)).astype("uint8")
        distance = cv2.distanceTransform(is_kept.astype("uint8"), cv2.DIST_L2, 3)
        is_due = distance > np.take([np.inf, *COATS], coats)
        self._coats = np.where(is_kept, coats - is_due, np.uint8(len(COATS)))
        return is_kept & ~is_due


def _feather(is_kept):
    """A mask that falls to 0 over 4 pixels inside of its edges, and stays 1 elsewhere."""
    cv2 = import_opencv()
    distance = cv2.distanceTransform(is_kept.astype("uint8"), cv2.DIST_L2, 3)
    return np.minimum(distance / 4.0, 1.0)
