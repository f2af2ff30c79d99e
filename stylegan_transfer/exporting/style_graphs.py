"""`StyleGenerator` as ONNX graphs: the style encoder, and the synthesis."""

import numpy as np

from stylegan_transfer.exporting import onnx_layers as layers
from stylegan_transfer.exporting.onnx_graph import Graph
from stylegan_transfer.exporting.onnx_normalization import Normalizer

_IMAGES = ("batch", "height", "width", 3)
_PIXELS = (2.0, -1.0)  # what networks make of [0, 1]


def build_style_graphs(generator, half_precision: bool = False) -> dict:
    """Returns the ONNX models of a `StyleGenerator`, by name.

    Args:
        generator: A `StyleGenerator`.
        half_precision: Whether weights are stored as float16.

    Returns:
        `encode_style`: `style` -> `code`. `synthesize`: `content` and the inputs of
        `Normalizer` -> `stylized`, `used_moments`.

    Raises:
        ImportError: The package `onnx` is missing.
    """
    return {
        "encode_style": _build_encoder(generator, half_precision),
        "synthesize": _build_synthesis(generator, half_precision),
    }


def moments_channels(generator) -> list[int]:
    """Returns the channels of all normalizations of a generator, in their order."""
    encoder = [conv.filters for conv in getattr(generator, "encoder", ())]
    return encoder + [norm.noise_strength.shape[0] for norm in generator.norms]


def _build_encoder(generator, half_precision):
    graph, encoder = Graph("encode_style", half_precision), generator.style_encoder
    style = graph.add("Transpose", graph.input("style", _IMAGES), perm=[0, 3, 1, 2])
    scale, shift = (graph.constant(number) for number in _PIXELS)
    image = graph.add("Add", graph.add("Mul", style, scale), shift)
    statistics, maps = add_statistics(graph, image), style
    for i, conv in enumerate(encoder.convs):
        maps = layers.convolve(graph, maps, conv, pixels=None if i else _PIXELS)
        maps = graph.add("LeakyRelu", maps, alpha=0.2)
        stage, is_last_of_stage = divmod(i, 2)
        if is_last_of_stage:
            statistics += add_statistics(graph, maps)
        if is_last_of_stage and stage:
            projection = encoder.projections[stage - 1]
            statistics.append(_correlations(graph, layers.convolve(graph, maps, projection)))
    add_code(graph, statistics, encoder.mapping)
    return graph.model()


def add_statistics(graph: Graph, maps: str) -> list[str]:
    """Adds each channel's mean and standard deviation, `(batch, channels)` each."""
    mean, variance, _ = layers.mean_and_variance(graph, maps)
    parts = (mean, layers.deviation(graph, variance))
    return [graph.add("Flatten", part) for part in parts]


def map_statistics(graph: Graph, statistics: list[str], mapping) -> str:
    """Adds the mapping network from statistics to a code w."""
    code = graph.add("Concat", *statistics, axis=1)
    for layer in mapping:
        code = graph.add("LeakyRelu", layers.dense(graph, code, layer), alpha=0.2)
    return code


def add_code(graph, statistics, mapping):
    graph.output("code", map_statistics(graph, statistics, mapping), ("batch", mapping[-1].units))


def _correlations(graph, maps):
    """Correlation coefficients of all pairs of the 32 channels."""
    channels = 32
    _, variance, centred = layers.mean_and_variance(graph, maps)
    normalized = graph.add("Div", centred, layers.deviation(graph, variance))
    flat = graph.add("Reshape", normalized, graph.constant([0, 0, -1]))
    products = graph.add("MatMul", flat, graph.add("Transpose", flat, perm=[0, 2, 1]))
    count = graph.add("Cast", graph.add("Shape", flat, start=2, end=3), to=1)
    matrix = graph.add("Flatten", graph.add("Div", products, count))
    rows, columns = np.triu_indices(channels, k=1)
    return graph.add("Gather", matrix, graph.constant(rows * channels + columns), axis=1)


def _build_synthesis(generator, half_precision):
    graph = Graph("synthesize", half_precision)
    content = graph.add("Transpose", graph.input("content", _IMAGES), perm=[0, 3, 1, 2])
    channels = moments_channels(generator)
    normalizer = Normalizer(graph, channels, generator.strides, generator.code_size)
    maps, size = layers.pad_to_multiple(graph, content, 8)
    for i, (conv, norm) in enumerate(zip(generator.encoder, generator.encoder_norms, strict=True)):
        maps = layers.convolve(graph, maps, conv, pixels=None if i else _PIXELS)
        maps = graph.add("Relu", normalizer.normalize(norm, maps))
    norms = iter(generator.norms)

    def modulate(conv, maps, convolve=layers.convolve):
        return normalizer.modulate(next(norms), convolve(graph, maps, conv))

    for i in range(0, 2 * generator.num_blocks, 2):
        residual = graph.add("Relu", modulate(generator.block_convs[i], maps))
        maps = graph.add("Add", maps, modulate(generator.block_convs[i + 1], residual))
    for conv in generator.upsampling_convs:
        maps = graph.add("Relu", modulate(conv, maps, layers.upsample_and_convolve))
    maps = layers.convolve(graph, maps, generator.to_pixels)
    corner, axes = graph.constant([0, 0]), graph.constant([2, 3])
    images = graph.add("DepthToSpace", layers.to_phases(graph, maps), blocksize=2, mode="DCR")
    images = graph.add("Slice", images, corner, size, axes)
    images = graph.add("Transpose", images, perm=[0, 2, 3, 1])
    graph.output("stylized", images, _IMAGES)
    normalizer.output_moments()
    return graph.model()
