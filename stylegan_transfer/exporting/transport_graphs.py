"""`TransportGenerator` as ONNX graphs: the style encoder, the content encoder, and the decoder.

The matrices that move features need eigenvalues, for which the formats have no operation. So they
are computed between two graphs, by `runtimes.transport`.
"""

import keras
import numpy as np

from stylegan_transfer.exporting import onnx_layers as layers
from stylegan_transfer.exporting.onnx_graph import Graph
from stylegan_transfer.exporting.onnx_normalization import Normalizer
from stylegan_transfer.exporting.style_graphs import (
    add_statistics,
    map_statistics,
    moments_channels,
)
from stylegan_transfer.networks.layers import ReflectionPadding2D
from stylegan_transfer.networks.palette import ELSEWHERE
from stylegan_transfer.networks.transport_generator import LEVEL_STEPS
from stylegan_transfer.networks.vgg19 import LAYERS

_IMAGES = ("batch", "height", "width", 3)
_LEVELS = {16: "relu5_1", 8: "relu4_1", 4: "relu3_1", 2: "relu2_1"}  # by stride, coarse to fine


def build_transport_graphs(generator, half_precision: bool = False) -> dict:
    """Returns the ONNX models of a `TransportGenerator`, by name.

    Args:
        generator: A `TransportGenerator`.
        half_precision: Whether weights are stored as float16.

    Returns:
        - `encode_style`: `style` -> `code`;
        - `analyse`: `content`, whose sides are multiples of 16 -> `maps_16`, `maps_8`, ..., which
          are channels-last, and `statistics`;
        - `synthesize`: the maps, `matrix_16`, `shift_16`, ... for each level, and the inputs of
          `Normalizer` -> `stylized`, whose colours are still the decoder's; `palettes`, mean and
          covariance of the colours of each style's region; and `used_moments`.

    Raises:
        ImportError: The package `onnx` is missing.
    """
    return {
        "encode_style": _build_encoder(generator, half_precision),
        "analyse": _build_analysis(generator, half_precision),
        "synthesize": _build_synthesis(generator, half_precision),
    }


def level_channels(generator) -> tuple[int, ...]:
    """Returns the channels of the levels that are moved, coarse to fine."""
    network = generator.features.network
    return tuple(network.get_layer(LAYERS[name]).filters for name in _LEVELS.values())


def _build_encoder(generator, half_precision):
    graph = Graph("encode_style", half_precision)
    style = graph.add("Transpose", graph.input("style", _IMAGES), perm=[0, 3, 1, 2])
    maps = _extract(graph, generator.features, style, (*_LEVELS.values(), "relu1_1"))
    statistics = add_statistics(graph, _scale(graph, style, 2.0, -1.0))
    for name in (*_LEVELS.values(), "relu1_1"):
        statistics += add_statistics(graph, maps[name])
    code = map_statistics(graph, statistics, generator.mapping)
    parts = [code, *_statistics_of_levels(graph, maps), *_mean_and_covariance(graph, style)]
    graph.output("code", graph.add("Concat", *parts, axis=1), ("batch", "code_size"))
    return graph.model()


def _build_analysis(generator, half_precision):
    graph = Graph("analyse", half_precision)
    content = graph.add("Transpose", graph.input("content", _IMAGES), perm=[0, 3, 1, 2])
    maps = _extract(graph, generator.features, content, tuple(_LEVELS.values()))
    for channels, (stride, name) in zip(level_channels(generator), _LEVELS.items(), strict=True):
        shape = ("batch", f"rows_{stride}", f"columns_{stride}", channels)
        graph.output(f"maps_{stride}", _channels_last(graph, maps[name]), shape)
    statistics = graph.add("Concat", *_statistics_of_levels(graph, maps), axis=1)
    graph.output("statistics", statistics, ("batch", "statistics"))
    return graph.model()


def _build_synthesis(generator, half_precision):
    graph = Graph("synthesize", half_precision)
    channels = moments_channels(generator)
    normalizer = Normalizer(
        graph, channels, generator.strides, generator.code_size, generator.antialiased
    )
    moved = [
        _move(graph, stride, size, normalizer.masks(stride), skip)
        for stride, size, skip in zip(
            _LEVELS, level_channels(generator), (None, *generator.skips), strict=True
        )
    ]
    convs, norms = iter(generator.convs), iter(generator.norms)
    upsample = layers.interpolate if generator.antialiased else layers.upsample

    def modulate(maps):
        return normalizer.modulate(next(norms), layers.convolve(graph, maps, next(convs)))

    def paint(maps):
        return graph.add("Relu", modulate(maps))

    def descend(i, maps):
        larger = upsample(graph, layers.convolve(graph, maps, generator.descents[i]))
        return graph.add("Add", larger, moved[i + 1])

    maps = paint(descend(0, paint(paint(moved[0]))))
    for _ in range(generator.num_blocks):
        maps = graph.add("Add", maps, modulate(paint(maps)))
    for i in (1, 2):
        maps = paint(paint(descend(i, maps)))
    phases = layers.to_phases(graph, layers.convolve(graph, maps, generator.to_pixels))
    images = graph.add("DepthToSpace", phases, blocksize=2, mode="DCR")
    graph.output("stylized", _channels_last(graph, images), _IMAGES)
    palettes = _measure_palettes(graph, phases, normalizer.masks(generator.strides[-1]))
    graph.output("palettes", palettes, ("batch", "styles", 4, 3))
    normalizer.output_moments()
    return graph.model()


def _extract(graph, features, images, names):
    """The named maps of a small VGG19; images in [0, 1], `(batch, 3, height, width)`."""
    source, outputs = features.network.input, features.network.output
    network = keras.Model(source, [outputs[name] for name in names])
    divisors = {id(outputs[name]): float(features.scales[name]) for name in names}
    maps = {id(source): _scale(graph, images, 4.0, -2.0)}
    for layer in network.layers[1:]:
        taken, made = id(layer.input), id(layer.output)
        if isinstance(layer, keras.layers.Conv2D):
            scales = divisors.get(taken, 1.0), divisors.get(made, 1.0)
            padding = "zeros" if layer.padding == "same" else "none"
            conv = layers.convolve(graph, maps[taken], layer, padding, scales=scales)
            maps[made] = graph.add("Relu", conv)
        elif isinstance(layer, keras.layers.MaxPooling2D):
            maps[made] = graph.add("MaxPool", maps[taken], kernel_shape=[2, 2], strides=[2, 2])
            divisors[made] = divisors.get(taken, 1.0)
        elif isinstance(layer, ReflectionPadding2D):
            maps[made] = layers.reflect_pad(graph, maps[taken], layer.margin)
            divisors[made] = divisors.get(taken, 1.0)
    return {name: maps[id(outputs[name])] for name in names}


def _scale(graph, maps, factor, shift):
    product = graph.add("Mul", maps, graph.constant(factor))
    return graph.add("Add", product, graph.constant(shift))


def _statistics_of_levels(graph, maps):
    """Flat: means and variances of the deepest level, means and covariances of the others."""
    deepest, *others = _LEVELS.values()
    mean, variance, _ = layers.mean_and_variance(graph, maps[deepest])
    statistics = [graph.add("Flatten", mean), graph.add("Flatten", variance)]
    for name in others:
        sampled = layers.take_every(graph, maps[name], LEVEL_STEPS[name])
        statistics += _mean_and_covariance(graph, sampled)
    return statistics


def _mean_and_covariance(graph, maps):
    mean = layers.mean_over_positions(graph, maps)
    centred = _channels_last(graph, graph.add("Sub", maps, mean))
    channels = graph.add("Shape", centred, start=3)
    shape = graph.add("Concat", graph.constant([0, -1]), channels, axis=0)
    flat = graph.add("Reshape", centred, shape)
    products = graph.add("MatMul", graph.add("Transpose", flat, perm=[0, 2, 1]), flat)
    count = graph.add("Cast", graph.add("Shape", flat, start=1, end=2), to=1)
    covariance = graph.add("Div", products, count)
    return [graph.add("Flatten", mean), graph.add("Flatten", covariance)]


def _measure_palettes(graph, phases, masks):
    """Mean and covariance of the colours of each region: `(batch, styles, 4, 3)`.

    The four phases of each position, `(batch, 12, rows, columns)`, have one share.
    """
    colors = graph.add("Reshape", phases, graph.constant([0, 1, 4, 3, -1]))
    shares = graph.add("Add", masks, graph.constant(ELSEWHERE))
    mean_share = layers.mean_over_positions(graph, shares)
    shares = graph.add("Div", shares, mean_share)
    shares = graph.add("Reshape", shares, graph.constant([0, 0, 1, 1, -1]))
    axes = graph.constant([2, 4])
    mean = graph.add("ReduceMean", graph.add("Mul", colors, shares), axes)
    centred = graph.add("Sub", colors, mean)
    transposed = graph.add("Transpose", centred, perm=[0, 1, 2, 4, 3])
    products = graph.add("MatMul", graph.add("Mul", centred, shares), transposed)
    products = graph.add("ReduceSum", products, graph.constant([2]), keepdims=0)
    count = graph.add("Cast", graph.add("Shape", transposed, start=3, end=4), to=1)
    covariance = graph.add("Div", products, graph.add("Mul", count, graph.constant(4.0)))
    mean = graph.add("Reshape", mean, graph.constant([0, 0, 1, 3]))
    return graph.add("Concat", mean, covariance, axis=2)


def _channels_last(graph, maps):
    """As products and sums over positions read them, and runtimes keep them anyway."""
    return graph.add("Transpose", maps, perm=[0, 2, 3, 1])


def _move(graph, stride, channels, masks, skip):
    """The maps of a level, moved: the masks' mean of `maps @ matrix + shift` of each style; then
    the 1x1 convolution `skip`, which is part of the matrices.

    One product for all styles: the shares of the maps beside each other, and their matrices below
    each other.
    """
    sizes = (f"rows_{stride}", f"columns_{stride}")
    maps = graph.input(f"maps_{stride}", ("batch", *sizes, channels))
    matrix = graph.input(f"matrix_{stride}", ("batch", "styles", channels, channels))
    shift = graph.input(f"shift_{stride}", ("batch", "styles", channels))
    if skip is not None:
        kernel = graph.weights(np.asarray(skip.kernel)[0, 0])
        matrix, shift = (graph.add("MatMul", factor, kernel) for factor in (matrix, shift))
        channels = skip.filters
    shares = _channels_last(graph, masks)
    last = graph.constant([-1])
    parts = graph.add(
        "Mul",
        graph.add("Unsqueeze", maps, graph.constant([3])),
        graph.add("Unsqueeze", shares, last),
    )
    parts = graph.add("Reshape", parts, graph.constant([0, 0, 0, -1]))
    matrix = graph.add("Reshape", matrix, graph.constant([0, 1, -1, channels]))
    moved = graph.add("MatMul", parts, matrix)
    shift = graph.add("MatMul", shares, graph.add("Unsqueeze", shift, graph.constant([1])))
    return graph.add("Transpose", graph.add("Add", moved, shift), perm=[0, 3, 1, 2])
