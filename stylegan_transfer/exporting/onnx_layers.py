"""The layers of generators as nodes of an ONNX graph; maps are `(batch, channels, height, width)`.

What Keras computes step by step is folded here where that is exact: the scaling of pixels and maps
into convolutions, repetition of values into the convolution after it, and `tanh`, brought to
[0, 1], into a sigmoid.
"""

import numpy as np

from stylegan_transfer.exporting.onnx_graph import Graph
from stylegan_transfer.networks.layers import noise_kernel, smoothing_kernel

_EPSILON = 1e-5  # of the variance, as in `networks.normalization`


def convolve(
    graph: Graph, maps: str, conv, padding: str = "reflect", pixels=None, scales=(1.0, 1.0)
) -> str:
    """Adds a Keras convolution.

    Args:
        graph: Of the maps.
        maps: What is convolved.
        conv: The Keras layer; strides are the same in both directions.
        padding: `"reflect"`; `"zeros"`, for strides of 1; or `"none"`.
        pixels: `(a, b)` for a convolution of `a * maps + b`. Default: of the maps.
        scales: What maps and result are divided by.
    """
    kernel = np.transpose(np.asarray(conv.kernel), (3, 2, 0, 1))
    bias = np.asarray(conv.bias) if conv.use_bias else np.zeros(len(kernel), "float32")
    if pixels is not None:
        scale, shift = pixels
        kernel, bias = scale * kernel, bias + shift * kernel.sum(axis=(1, 2, 3))
    before, after = scales
    size, margins = kernel.shape[-1], [0, 0, 0, 0]
    if padding == "reflect" and size > 1:
        maps = reflect_pad(graph, maps, size // 2)
    elif padding == "zeros":
        margins = [size // 2] * 4
    weights = graph.weights(kernel)
    if before != after:  # apart from the weights: products would be rounded again
        weights = graph.add("Mul", weights, graph.constant(before / after))
    bias = graph.constant(bias / after)
    return graph.add("Conv", maps, weights, bias, strides=[conv.strides[0]] * 2, pads=margins)


def reflect_pad(graph: Graph, maps: str, margin: int) -> str:
    """Adds rows and columns on all sides, mirrored at the border."""
    pads = graph.constant([0, 0, margin, margin] * 2)
    return graph.add("Pad", maps, pads, mode="reflect")


def take_every(graph: Graph, maps: str, step: int) -> str:
    """Adds the maps' positions of every so many rows and columns; the maps themselves for 1."""
    if step == 1:
        return maps
    starts, ends, steps = (graph.constant([n] * 2) for n in (0, 2**31, step))
    return graph.add("Slice", maps, starts, ends, graph.constant([2, 3]), steps)


def pad_to_multiple(graph: Graph, maps: str, multiple: int) -> tuple[str, str]:
    """Adds rows and columns below and to the right; returns the maps and the size before."""
    size = graph.add("Shape", maps, start=2, end=4)
    number = graph.constant([multiple])
    missing = graph.add("Sub", number, graph.add("Mod", size, number))
    missing = graph.add("Mod", missing, number)
    pads = graph.add("Concat", graph.constant([0] * 6), missing, axis=0)
    return graph.add("Pad", maps, pads, mode="reflect"), size


def dense(graph: Graph, maps: str, layer) -> str:
    """Adds a Keras dense layer on the last axis."""
    product = graph.add("MatMul", maps, graph.weights(layer.kernel))
    return graph.add("Add", product, graph.constant(layer.bias))


def mean_over_positions(graph: Graph, maps: str) -> str:
    """Adds the mean of each channel, `(batch, channels, 1, 1)`."""
    return graph.add("ReduceMean", maps, graph.constant([2, 3]))


def variance_over_positions(graph: Graph, maps: str, mean: str) -> str:
    """Adds the variance of each channel: the mean square less the square of the mean.

    Runtimes read the maps once for it, where deviations from the mean are maps of their own.
    """
    length = graph.add("ReduceL2", maps, graph.constant([2, 3]))
    count = graph.add("ReduceProd", graph.add("Shape", maps, start=2, end=4))
    square = graph.add("Div", graph.add("Mul", length, length), graph.add("Cast", count, to=1))
    difference = graph.add("Sub", square, graph.add("Mul", mean, mean))
    return graph.add("Max", difference, graph.constant(0.0))


def mean_and_variance(graph: Graph, maps: str) -> tuple[str, str, str]:
    """Adds mean and variance of each channel; returns them and the maps without their mean.

    The variance is exact where the mean is far larger, too.
    """
    mean = mean_over_positions(graph, maps)
    centred = graph.add("Sub", maps, mean)
    return mean, mean_over_positions(graph, graph.add("Mul", centred, centred)), centred


def deviation(graph: Graph, variance: str) -> str:
    """Adds the standard deviation of a variance, as every normalization takes it."""
    return graph.add("Sqrt", graph.add("Add", variance, graph.constant(_EPSILON)))


def upsample(graph: Graph, maps: str) -> str:
    """Doubles height and width, each value repeated."""
    scales = graph.constant([1.0, 1.0, 2.0, 2.0])
    options = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    return graph.add("Resize", maps, "", scales, mode="nearest", **options)


def interpolate(graph: Graph, maps: str) -> str:
    """Doubles height and width, with values in between (bilinear)."""
    scales = graph.constant([1.0, 1.0, 2.0, 2.0])
    return graph.add("Resize", maps, "", scales, mode="linear")


def smooth_noise(graph: Graph, noise: str) -> str:
    """Smooths noise, `(batch, layers, rows, columns)`.

    The binomial filter is four sums of neighbours in each direction: runtimes are slow at
    convolutions of a single channel.
    """
    end = 2**31
    noise = graph.add("Pad", noise, graph.constant([0, 0, 2, 2] * 2))
    for axis in (2, 3):
        for _ in range(4):
            first, second = (
                graph.add("Slice", noise, *(graph.constant([n]) for n in (start, stop, axis)))
                for start, stop in ((0, -1), (1, end))
            )
            noise = graph.add("Add", first, second)
    return graph.add("Mul", noise, graph.constant(noise_kernel()[0, 0]))


def upsample_and_convolve(graph: Graph, maps: str, conv) -> str:
    """Adds `convolve(upsample(maps))` of a 3x3 convolution, with less than half the arithmetic.

    Where each value is repeated, three neighbours hold only two values: each of the four phases of
    the result is a 2x2 convolution of the maps as they are. Of repeated values, reflection at the
    border is the border's own value.
    """
    pads = graph.constant([0, 0, 1, 1] * 2)
    padded = graph.add("Pad", maps, pads, mode="edge")
    kernel = np.transpose(np.asarray(conv.kernel), (3, 2, 0, 1))
    sums = np.array([[[1, 0, 0], [0, 1, 1]], [[1, 1, 0], [0, 0, 1]]])  # phase, value, neighbour
    kernels = np.einsum("pia,qjb,ocab->pqocij", sums, sums, kernel)
    weights = graph.constant(kernels.reshape(-1, *kernels.shape[3:]))  # sums: not rounded again
    bias = graph.constant(np.tile(np.asarray(conv.bias), 4))
    phases = graph.add("Conv", padded, weights, bias, pads=[0] * 4)
    phases = graph.add("Split", phases, graph.constant([conv.filters] * 4), axis=1, num_outputs=4)
    parts = [_cut_phase(graph, phase, *divmod(i, 2)) for i, phase in enumerate(phases)]
    joined = graph.add("Concat", *parts, axis=1)
    return graph.add("DepthToSpace", joined, blocksize=2, mode="DCR")


def _cut_phase(graph, maps, row, column):
    """The maps without their last row, or for `row` 1 the first; columns likewise."""
    end = 2**31
    starts, ends = [row, column], [end if row else -1, end if column else -1]
    return graph.add("Slice", maps, *(graph.constant(v) for v in (starts, ends, [2, 3])))


def to_phases(graph: Graph, maps: str) -> str:
    """Adds what makes the four phases of images in [0, 1], as `DepthToSpace` takes them.

    Args:
        graph: Of the maps.
        maps: `(batch, 12, rows, columns)`.
    """
    kernel = np.transpose(2.0 * smoothing_kernel(3), (3, 2, 0, 1))
    padded = reflect_pad(graph, maps, 1)
    filtered = graph.add("Conv", padded, graph.constant(kernel), pads=[0] * 4)
    return graph.add("Sigmoid", filtered)  # of 2 x: tanh x / 2 + 1 / 2
