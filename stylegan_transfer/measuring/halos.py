"""Halos: what a painter adds to flat ground beside an edge, and not further off."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from stylegan_transfer.checks import expect
from stylegan_transfer.measuring.figures import luminance

_EDGE, _FLAT = 0.06, 0.01  # change of luminance a pixel
_START, _NEAR, _FAR = 2, 16, 32  # pixels from the nearest edge
_BLOCK = 128  # pixels; ground is compared with ground that is not further away
_MIN_NEAR, _MIN_FAR = 100, 400  # pixels of a piece of ground
_GLOW = 4  # pixels; ripples and strokes are smoothed away before the gradient is taken
_STEP = 1 / 255


@dataclasses.dataclass(frozen=True)
class Halo:
    """How flat ground beside edges differs from ground further off.

    Attributes:
        luminance: By how much it is lighter or darker, in standard deviations of the ground further
            off. 0 for photographs; a painting in the photograph's place, which knows nothing of its
            edges, has .3 by chance (median; mean .4); from .6 on a glow shows.
        gradient: How many times as steep its luminance is, smoothed over 4 pixels. 1 for
            photographs, and for such paintings (median); from 1.2 on edges have a rim.
    """

    luminance: float
    gradient: float


@dataclasses.dataclass(frozen=True)
class Piece:
    """A connected piece of flat ground in a block of a photograph.

    Attributes:
        block: Its rows and columns.
        ground: Bool array of the block: the piece.
        near: The same: where it is near an edge.
        far: The same: where it is far from all edges.
        side: 1 where the photograph is lighter than what is around, -1 where it is darker.
    """

    block: tuple[slice, slice]
    ground: np.ndarray
    near: np.ndarray
    far: np.ndarray
    side: np.ndarray


def find_ground(content: np.ndarray) -> list[Piece]:
    """Returns the pieces of flat ground of a photograph that are both near and far from edges.

    Args:
        content: `(height, width, 3)` in [0, 1].

    Raises:
        ImportError: SciPy is missing.
    """
    from scipy import ndimage

    photograph = luminance(content)
    edges = ndimage.gaussian_gradient_magnitude(photograph, 1.0) > _EDGE
    if not edges.any():
        return []
    distance = ndimage.distance_transform_edt(~edges)
    even = ndimage.gaussian_gradient_magnitude(photograph, 1.0) < _FLAT
    rough = ~even & (distance > 2 * _START)  # nearer, it is the blur of the edge
    is_flat = even & (ndimage.uniform_filter(rough.astype(float), 9) < 0.1)
    is_ground = is_flat & (distance > _START)
    labels, _ = ndimage.label(is_ground)
    side = np.sign(photograph - ndimage.gaussian_filter(photograph, 8))
    pieces = []
    for y, x in np.ndindex(*(-(-length // _BLOCK) for length in photograph.shape)):
        block = tuple(slice(k * _BLOCK, (k + 1) * _BLOCK) for k in (y, x))
        for label in np.unique(labels[block][is_ground[block]]):
            ground = labels[block] == label
            near, far = ground & (distance[block] <= _NEAR), ground & (distance[block] > _FAR)
            if near.sum() >= _MIN_NEAR and far.sum() >= _MIN_FAR:
                pieces.append(Piece(block, ground, near, far, side[block]))
    return pieces


def measure_halo(
    picture: np.ndarray, content: np.ndarray, ground: Sequence[Piece] | None = None
) -> Halo | None:
    """Returns the halo that a result has along the edges of its photograph.

    The photograph says where edges are (luminance changes by more than .06 a pixel) and flat ground
    (by less than .01). In blocks of 128 pixels each connected piece of ground is compared with
    itself: 2 to 16 pixels from the nearest edge against beyond 32. What is linear in the
    photograph's colours there does not count, so that a photograph has no halo, nor has one in
    other colours, and a sky that fades towards the horizon may do so in the result.

    With d the difference of mean luminance, near minus far, and s the deviation far off, both of a
    piece and averaged over pieces by their near pixels, the luminance is
    `|mean d| / (sqrt(mean s^2) + 2/255)`. In the same way d is averaged with its sign turned where
    the ground is darker than what is beside it, and the larger counts: a glow is lighter on all
    sides of a thing, an overshoot lighter on its light side and darker on its dark one. A painting
    that knows nothing of the edges is now lighter, now darker there, which is why d is averaged
    before it is made positive. s is in the denominator because the eye sees a glow against the
    texture around it; 2/255 keeps steps that nobody sees from counting on ground without texture.

    The gradient is `(mean near + 1/1020) / (mean far + 1/1020)` of its magnitude a pixel. A halo of
    another colour and the same luminance is not seen.

    Args:
        picture: Result `(height, width, 3)` in [0, 1], at the size of looking (its short side
            about 512 pixels).
        content: Its photograph, of the same size.
        ground: What `find_ground` says of the photograph: most of the work, and the same for all of
            its results. Default: found.

    Returns:
        The halo, or None if the photograph has no flat ground near and far from edges.

    Raises:
        ImportError: SciPy is missing.
        ValueError: The sizes differ.
    """
    values, colors = luminance(picture), np.asarray(content, "float64")
    expect(
        values.shape == colors.shape[:2],
        "a result of its photograph's size",
        picture=values.shape,
        content=colors.shape,
    )
    ground = find_ground(content) if ground is None else ground
    pieces = [_compare(values, colors, piece) for piece in ground]
    if not pieces:
        return None
    weights, differences, turned, variances, slopes_near, slopes_far = np.transpose(pieces)

    def mean(figures):
        return float(np.average(figures, weights=weights))

    difference = max(abs(mean(differences)), abs(mean(turned)))
    return Halo(
        luminance=difference / (mean(variances) ** 0.5 + 2 * _STEP),
        gradient=(mean(slopes_near) + _STEP / _GLOW) / (mean(slopes_far) + _STEP / _GLOW),
    )


def _compare(values, colors, piece):
    """Near pixels, difference, the same turned, variance far off, slopes near and far."""
    near, far = piece.near, piece.far
    values, colors = values[piece.block], colors[piece.block]
    compared = near | far
    # Colours and nearness are fitted together: colours alone would swallow a part of a halo.
    explained = np.column_stack([colors[compared], near[compared]])
    explained = explained - explained.mean(0)
    shares = np.linalg.lstsq(explained, values[compared], rcond=1e-3)[0]
    rest = values - colors @ shares[:3]
    rest = rest - rest[far].mean()
    slope = _slope(rest, piece.ground)
    return (
        near.sum(),
        rest[near].mean(),
        (rest * piece.side)[near].mean(),
        rest[far].var(),
        slope[near].mean(),
        slope[far].mean(),
    )


def _slope(values, ground):
    """The gradient's magnitude, smoothed over the ground alone, so that edges do not leak in."""
    from scipy import ndimage

    def smooth(masked):
        return ndimage.gaussian_filter(masked, _GLOW)

    mask = ground.astype(float)
    return np.hypot(*np.gradient(smooth(values * mask) / np.maximum(smooth(mask), 1e-3)))
