"""The figures of results, one picture and one row at a time."""

import collections
import importlib.util
import pathlib
from collections.abc import Callable, Sequence

import keras
import numpy as np
from keras import ops

from stylegan_transfer import losses
from stylegan_transfer.commands.evaluation.inputs import Picture
from stylegan_transfer.commands.evaluation.options import EvaluateOptions
from stylegan_transfer.measuring import originality
from stylegan_transfer.measuring.distances import (
    content_distances,
    lpips_like_distance,
    moments_vectors,
    style_retrieval,
)
from stylegan_transfer.measuring.figures import (
    color_histogram_distance,
    grid_artifact_index,
    patch_correlation,
    ssim,
)
from stylegan_transfer.measuring.halos import find_ground, measure_halo
from stylegan_transfer.measuring.hatching import added_spectrum, hatching, texture_spectrum
from stylegan_transfer.measuring.statistics import bootstrap_interval, kernel_distance
from stylegan_transfer.networks.features import VGG19Features, build_features
from stylegan_transfer.pictures.inputs import resize_image

_HAS_SCIPY = importlib.util.find_spec("scipy") is not None


class Measures:
    """Contents and styles with what the features see in them, and results measured by these.

    Args:
        contents: Files of the photographs.
        styles: Files of the paintings.
        options: Sizes, features, layers and seed.
    """

    def __init__(
        self,
        contents: Sequence[pathlib.Path],
        styles: Sequence[pathlib.Path],
        options: EvaluateOptions,
    ):
        self._options = options
        keras.utils.set_random_seed(options.seed)  # for --features=random
        layers = [*options.content_layers, *options.style_layers]
        self._features = build_features(options.features, layers)
        self._default_features = VGG19Features() if options.originality else None
        self._unrelated = {}  # what a pair has in common, by its paths: measured once
        sizes = options.paint_size, options.measure_size
        self._contents, self._styles = (
            [Picture(path, *sizes) for path in paths] for paths in (contents, styles)
        )
        for content in self._contents:
            content.maps = self._features(content.small[None])
            content.ground = find_ground(content.image) if _HAS_SCIPY else []
        for style in self._styles:  # not their maps: these would fill the memory
            maps = self._features(style.small[None])
            style.grams, style.moments = self._style_statistics(maps)
            style.texture = texture_spectrum(style.image)
        self._moments = _concatenate(style.moments for style in self._styles)

    @property
    def images(self) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Contents and styles in the size of painting."""
        return [c.image for c in self._contents], [s.image for s in self._styles]

    def measure_row(
        self, make_picture: Callable, show: Callable[[int, int, np.ndarray], None]
    ) -> dict[str, dict]:
        """Returns the mean, the interval and the values `[content][style]` of each figure.

        Photographs in which a figure has nothing to look at, such as flat ground, have None there
        and do not count; a figure that no photograph has is left out.

        Args:
            make_picture: Makes the result of a content and a style, both `Picture`s.
            show: Called with the indices of content and style, and the result.
        """
        shape = len(self._contents), len(self._styles)
        values = collections.defaultdict(lambda: np.full(shape, np.nan))
        moments, spectra = [], np.empty(shape, object)
        for i, j in np.ndindex(shape):
            content, style = self._contents[i], self._styles[j]
            picture = make_picture(content, style)
            picture = resize_image(picture, size=content.image.shape[:2])
            figures, of_picture = self._measure(picture, content, style)
            for figure, value in figures.items():
                values[figure][i, j] = round(float(value), 6)
            moments.append(of_picture)
            spectra[i, j] = added_spectrum(picture, content.image)
            show(i, j, picture)
        moments = _concatenate(moments)
        right = np.tile(np.arange(shape[1]), shape[0])
        values["retrieval"] = 1.0 * style_retrieval(moments, self._moments, right).reshape(shape)
        if shape[1] > 1:
            textures = [style.texture for style in self._styles]
            for i in range(shape[0]):
                if spectra[i, 0] is not None:  # there are flat areas
                    values["hatching"][i] = np.round(hatching(spectra[i], textures), 6)
        row = {figure: self._summarize(matrix) for figure, matrix in values.items()}
        row = {figure: summary for figure, summary in row.items() if summary}
        if shape[1] > 1:
            sets = moments_vectors(moments), moments_vectors(self._moments)
            row["kernel"] = {"mean": kernel_distance(*sets)}
        return row

    def _summarize(self, matrix):
        known = matrix[~np.isnan(matrix).any(axis=1)]
        if not len(known):
            return None
        return {
            "mean": float(known.mean()),
            "interval": bootstrap_interval(known, seed=self._options.seed),
            "values": np.where(np.isnan(matrix), None, matrix).tolist(),
        }

    def _measure(self, picture, content, style):
        """Returns the figures of one picture, and its moments by layer."""
        small = resize_image(picture, size=content.small.shape[:2])
        maps = self._features(small[None])
        pair = (
            {layer: m[layer] for layer in self._options.content_layers}
            for m in (maps, content.maps)
        )
        grams, moments = self._style_statistics(maps)
        gram = {
            layer: losses.relative_distance({layer: grams[layer]}, {layer: style.grams[layer]})
            for layer in grams
        }
        figures = {
            **_with_layers("content", content_distances(*pair)),
            **_with_layers("gram", gram),
            "moments": losses.relative_distance(moments, style.moments),
            "ssim": ssim(small, content.small),
            "lpips_like": lpips_like_distance(maps, content.maps)[0],
            "colors": color_histogram_distance(small, style.small),
            "grid": grid_artifact_index(picture),
            "patches": patch_correlation(small, style.small),
        }
        if content.ground:
            halo = measure_halo(picture, content.image, content.ground)
            figures |= {"halo": halo.luminance, "halo_gradient": halo.gradient}
        if self._options.originality:
            report = originality.judge_originality(
                *(small, content.small, style.small),
                self._default_features,
                unrelated=self._unrelated.get((content.path, style.path)),
            )
            self._unrelated[content.path, style.path] = report.unrelated
            figures["own"] = report.verdict == originality.OWN
        return figures, moments

    def _style_statistics(self, maps):
        """Returns Gram matrices and moments by layer."""
        maps = {layer: maps[layer] for layer in self._options.style_layers}
        return tuple(
            {layer: ops.convert_to_numpy(statistic(values)) for layer, values in maps.items()}
            for statistic in (losses.gram_matrix, losses.channel_moments)
        )


def _concatenate(moments):
    """Returns the moments of several pictures in one array a layer."""
    moments = list(moments)
    return {layer: np.concatenate([m[layer] for m in moments]) for layer in moments[0]}


def _with_layers(figure, distances):
    """Returns the mean over layers, and each of them."""
    distances = {layer: float(np.mean(values)) for layer, values in distances.items()}
    mean = sum(distances.values()) / len(distances)
    return {figure: mean, **{f"{figure}/{layer}": value for layer, value in distances.items()}}
