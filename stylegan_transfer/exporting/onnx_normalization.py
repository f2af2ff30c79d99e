"""Normalizations in an ONNX graph, and the inputs that steer them: codes, masks, moments, noise."""

from collections.abc import Sequence

import numpy as np

from stylegan_transfer.exporting import onnx_layers
from stylegan_transfer.exporting.onnx_graph import Graph


class Normalizer:
    """Adds the normalizations of a decoder one after another.

    Adds these inputs to the graph, so that one graph serves every use of a generator:

    - `codes`: `(batch, styles, layers, code_size)`;
    - `masks_8`, ... for each stride: `(batch, styles, rows, columns)`, the share of each style;
      ones of `(batch, 1, 1, 1)` for a single style, which cost nothing;
    - `noise_8`, ... for each stride: `(batch, layers of that stride, rows, columns)`; zeros of
      `(1, layers, 1, 1)` for none;
    - `moments`: `(batch, n)`, mean and variance of each normalization in turn, and `given`,
      a boolean of one element: whether these count in place of the maps' own.

    Args:
        graph: Gets the nodes.
        channels: Of all normalizations, in the order in which they are called.
        strides: Of the layers that codes modulate.
        code_size: Length of a code.
        smooths_noise: Whether the noise is smoothed first.
    """

    def __init__(
        self,
        graph: Graph,
        channels: Sequence[int],
        strides: Sequence[int],
        code_size: int,
        smooths_noise: bool = False,
    ):
        self._graph, self._strides, self._used = graph, list(strides), []
        shape = ("batch", "styles", len(self._strides), code_size)
        self._codes = graph.input("codes", shape)
        self._masks, self._noise, self._taken = {}, {}, dict.fromkeys(self._strides, 0)
        for stride in sorted(set(self._strides)):
            rows = (f"rows_{stride}_or_1", f"columns_{stride}_or_1")
            noises = ("noise_batch", self._strides.count(stride), *rows)
            self._masks[stride] = graph.input(f"masks_{stride}", ("batch", "styles", *rows))
            noise = graph.input(f"noise_{stride}", noises)
            if smooths_noise:
                noise = onnx_layers.smooth_noise(graph, noise)
            self._noise[stride] = noise
        self._channels, self._layer = channels, 0
        given = graph.input("moments", ("moments_batch", 2 * sum(channels)))
        self._is_given = graph.input("given", (1,), "BOOL")
        sizes = graph.constant([size for size in channels for _ in range(2)])
        parts = graph.add("Split", given, sizes, axis=1, num_outputs=2 * len(channels))
        axes = graph.constant([2, 3])
        self._given = iter([graph.add("Unsqueeze", part, axes) for part in parts])

    def normalize(self, norm, maps: str) -> str:
        """Adds a Keras `InstanceNormalization`."""
        return self._rescale(
            maps,
            *(self._graph.constant(np.asarray(w)[:, None, None]) for w in (norm.scale, norm.shift)),
        )

    def modulate(self, norm, maps: str) -> str:
        """Adds a Keras `ModulatedNormalization`, that of the next layer."""
        graph, stride = self._graph, self._strides[self._layer]
        index = graph.constant(self._layer)
        code = graph.add("Gather", self._codes, index, axis=2)
        affine = self._blend(onnx_layers.dense(graph, code, norm.affine), stride)
        halves = graph.constant([norm.noise_strength.shape[0]] * 2)
        scale, shift = graph.add("Split", affine, halves, axis=1, num_outputs=2)
        scale = graph.add("Add", scale, graph.constant(1.0))
        place = graph.constant([self._taken[stride]])
        noise = graph.add("Gather", self._noise[stride], place, axis=1)
        strength = graph.constant(np.asarray(norm.noise_strength)[:, None, None])
        noise = graph.add("Mul", noise, graph.add("Mul", scale, strength))
        self._layer += 1
        self._taken[stride] += 1
        return graph.add("Add", self._rescale(maps, scale, shift), noise)

    def output_moments(self) -> None:
        """Makes the moments that the normalizations used an output."""
        graph = self._graph
        flat = [graph.add("Flatten", part) for part in self._used]
        joined = graph.add("Concat", *flat, axis=1)
        graph.output("used_moments", joined, ("batch", 2 * sum(self._channels)))

    def masks(self, stride: int) -> str:
        """Returns the input that holds the masks of a stride."""
        return self._masks[stride]

    def _blend(self, affine, stride):
        """The masks' mean of what each style asks for, at each position."""
        graph, masks = self._graph, self._masks[stride]
        shape = graph.add("Shape", masks)
        flat = graph.add("Reshape", masks, graph.constant([0, 0, -1]))
        blended = graph.add("MatMul", graph.add("Transpose", affine, perm=[0, 2, 1]), flat)
        rows = graph.add("Slice", shape, graph.constant([2]), graph.constant([4]))
        target = graph.add("Concat", graph.constant([0, -1]), rows, axis=0)
        return graph.add("Reshape", blended, target)

    def _rescale(self, maps, scale, shift):
        graph = self._graph
        given_mean, given_variance = next(self._given), next(self._given)
        own_mean = onnx_layers.mean_over_positions(graph, maps)
        own_variance = onnx_layers.variance_over_positions(graph, maps, own_mean)
        mean = graph.add("Where", self._is_given, given_mean, own_mean)
        variance = graph.add("Where", self._is_given, given_variance, own_variance)
        self._used += [mean, variance]
        gain = graph.add("Div", scale, onnx_layers.deviation(graph, variance))
        shift = graph.add("Sub", shift, graph.add("Mul", mean, gain))
        return graph.add("Add", graph.add("Mul", maps, gain), shift)
