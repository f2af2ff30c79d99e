"""Says whether a result is a picture of its own, or too close to its content or style picture."""

import dataclasses
from collections.abc import Callable

import numpy as np
from keras import ops

from stylegan_transfer.checks import expect
from stylegan_transfer.measuring.distances import lpips_like_distance
from stylegan_transfer.measuring.figures import patch_correlation, ssim

COPY = "a copy of the style image"
UNCHANGED = "hardly changed"
OWN = "its own picture"

_SIZE = 256  # pixels of the short side where pictures are compared place by place
_SEARCH_SIZE = 96  # ... and where patches, of a quarter of it, are looked for
_SCALES = 1.08 ** np.arange(10)  # a copy may show half the original's side or more, within 4 %
_SAME_PLACES = 0.8  # closeness from which a picture counts as the other one, ...
_SAME_PATCHES = 0.6  # ... and as one that has parts of it


@dataclasses.dataclass(frozen=True)
class Closeness:
    """How close a picture is to an original.

    Attributes:
        ssim: Structural similarity at the same size; 1 for equal pictures.
        feature_distance: `lpips_like_distance` at the same size; 0 for equal pictures.
        patch_correlation: `figures.patch_correlation` at its largest over both mirror images and
            all scales at which the picture can be a part of the original; 1 for a copy, also a
            cropped, mirrored, mildly recoloured or compressed one.
    """

    ssim: float
    feature_distance: float
    patch_correlation: float

    def __str__(self):
        return f"{self.ssim:6.3f} {self.feature_distance:18.3f} {self.patch_correlation:19.3f}"


@dataclasses.dataclass(frozen=True)
class OriginalityReport:
    """How close a result is to its content and to its style picture, and what that makes it.

    Attributes:
        content: Closeness to the content picture.
        style: Closeness to the style picture.
        unrelated: The same figures for two pictures that have nothing to do with each other: the
            content upside down against the style.
    """

    content: Closeness
    style: Closeness
    unrelated: Closeness

    @property
    def verdict(self) -> str:
        """One of "hardly changed", "a copy of the style image" and "its own picture".

        All figures are taken relative to the unrelated pictures', as shares of the way from
        there to equality. Hardly changed is a result that agrees with the content place by place
        (mean share of SSIM and feature distance over 0.8); a copy is one that agrees with the
        style in this way or has patches of it (share of the patch correlation over 0.6). The
        content's patches do not count: a painting of it rightly keeps its edges.
        """
        if self._same_places(self.content) > _SAME_PLACES:
            return UNCHANGED
        same_patches = _share(
            self.style.patch_correlation, self.unrelated.patch_correlation, equality=1.0
        )
        if self._same_places(self.style) > _SAME_PLACES or same_patches > _SAME_PATCHES:
            return COPY
        return OWN

    def _same_places(self, closeness):
        unrelated = self.unrelated
        return 0.5 * (
            _share(closeness.ssim, unrelated.ssim, equality=1.0)
            + _share(closeness.feature_distance, unrelated.feature_distance, equality=0.0)
        )

    def __str__(self):
        return "\n".join(
            [
                f"{self.verdict[0].upper()}{self.verdict[1:]}.",
                "                      SSIM   feature distance   patch correlation",
                f"to the content      {self.content}",
                f"to the style        {self.style}",
                f"unrelated pictures  {self.unrelated}",
            ]
        )


def judge_originality(
    result: np.ndarray,
    content: np.ndarray,
    style: np.ndarray,
    features: Callable,
    unrelated: Closeness | None = None,
) -> OriginalityReport:
    """Returns how close a result is to its content and its style picture, and a verdict in words.

    Pictures are compared place by place at a short side of 256 pixels, and by patches of a quarter
    of the short side, which are looked for all over the original. It does not recognise copies of
    less than half of the style's side, turned copies, and motifs not larger than a patch or two.

    Args:
        result: `(height, width, 3)` in [0, 1].
        content: The content picture; its size may differ.
        style: The style picture; its size may differ.
        features: Images `(batch, height, width, 3)` in [0, 1] -> dict of maps, as `VGG19Features`;
            the thresholds were found with its defaults.
        unrelated: What an earlier report of this content and style says under `unrelated`: a
            third of the work, and the same for all their results. Default: measured.

    Returns:
        The report; its `verdict` is "hardly changed", "a copy of the style image" or "its own
        picture", and `str(report)` a small table.

    Raises:
        ValueError: A picture has another shape or range.

    Example:
        >>> import stylegan_transfer
        >>> from stylegan_transfer import samples
        >>> features = stylegan_transfer.VGG19Features()
        >>> content = samples.draw_content("harbour", 64)
        >>> style = samples.draw_style("swirls", 64)
        >>> report = stylegan_transfer.judge_originality(style[:, ::-1], content, style, features)
        >>> report.verdict
        'a copy of the style image'

        Another result of the same pair:

        >>> report = stylegan_transfer.judge_originality(
        ...     content, content, style, features, unrelated=report.unrelated
        ... )
        >>> report.verdict
        'hardly changed'
    """
    result, content, style = (_checked(picture) for picture in (result, content, style))
    return OriginalityReport(
        content=_compare(result, content, features),
        style=_compare(result, style, features),
        unrelated=unrelated or _compare(content[::-1], style, features),
    )


def _compare(picture, original, features):
    same_size = _resize(picture, _size(picture, _SIZE))
    stretched = _resize(original, same_size.shape[:2])
    maps = features(np.stack([same_size, stretched]))
    first, second = ({name: m[i : i + 1] for name, m in maps.items()} for i in range(2))
    return Closeness(
        ssim=ssim(same_size, stretched),
        feature_distance=float(lpips_like_distance(first, second)[0]),
        patch_correlation=_search(picture, original),
    )


def _search(picture, original):
    """The largest patch correlation over mirror images and scales, and for a stretched copy."""
    picture = _resize(picture, _size(picture, _SEARCH_SIZE))
    sizes = [picture.shape[:2], *(_size(original, _SEARCH_SIZE * scale) for scale in _SCALES)]
    return max(
        patch_correlation(mirrored, scaled, patch_size=_SEARCH_SIZE // 4)
        for scaled in (_resize(original, size) for size in sizes)
        for mirrored in (picture, picture[:, ::-1])
    )


def _share(figure, unrelated, equality):
    """How far a figure is on the way from that of unrelated pictures to that of equal ones."""
    return 1.0 - abs(equality - figure) / max(abs(equality - unrelated), 1e-6)


def _checked(picture):
    is_array = hasattr(picture, "dtype") and np.issubdtype(picture.dtype, np.floating)
    fits = is_array and np.ndim(picture) == 3 and picture.shape[-1] == 3 and picture.size > 0
    fits = fits and float(np.min(picture)) >= 0 and float(np.max(picture)) <= 1  # no NaN
    expect(fits, "a picture (height, width, 3) in [0, 1]", picture=picture)
    return np.asarray(picture, "float32")


def _size(picture, short_side):
    height, width, _ = picture.shape
    scale = short_side / min(height, width)
    return round(height * scale), round(width * scale)


def _resize(picture, size):
    return ops.convert_to_numpy(ops.image.resize(picture, size, antialias=True))
