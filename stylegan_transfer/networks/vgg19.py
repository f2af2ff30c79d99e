"""VGG19, whole or distilled, and where its weights come from."""

import contextlib
import os
import pathlib
import zipfile

import keras
import numpy as np

from stylegan_transfer import shipped
from stylegan_transfer.checks import expect, shorten
from stylegan_transfer.networks.archive import check_archive
from stylegan_transfer.networks.layers import ReflectionPadding2D

# The papers' names -> Keras' names. Keras' convolutions include the relu.
LAYERS = {
    f"relu{block}_{conv}": f"block{block}_conv{conv}"
    for block, convs in enumerate((2, 2, 4, 4, 4), start=1)
    for conv in range(1, convs + 1)
}

DISTILLED_WIDTHS = (16, 32, 64, 128, 128)

# The slim network between its levels: the first convolution of a block is the level itself.
_SLIM_WIDTHS = {2: (24,), 3: (32, 32, 64), 4: (64, 64, 128)}
_SLIM_LEVELS = tuple(f"relu{block}_1" for block in range(1, 6))

_IMAGENET_FILE = "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5"
_IMAGENET_URL = (
    f"https://storage.googleapis.com/tensorflow/keras-applications/vgg19/{_IMAGENET_FILE}"
)


def build_network(weights: str, layers: tuple[str, ...]) -> keras.Model:
    """Returns a VGG19 with weights.

    Args:
        weights: As in `VGG19Features`.
        layers: Names out of `LAYERS`; the outputs.

    Returns:
        A functional model from images in the network's own scale to a dict of post-relu maps.

    Raises:
        ValueError: The weights do not hold a layer, or the file is no VGG19.
        FileNotFoundError: The weights' file does not exist.
        ConnectionError: The ImageNet weights cannot be downloaded.
    """
    if weights in SMALL_NETWORKS:
        network = SMALL_NETWORKS[weights](layers)
        _load_npz(network, shipped.FEATURES[weights])
        return network
    is_file = weights not in ("imagenet", "random")
    if is_file and not os.path.isfile(weights):
        raise FileNotFoundError(
            'Expected VGG19 weights: "distilled", "slim", "imagenet", "random" or the path of an '
            f".h5, .weights.h5 or .npz file. Received: weights={weights!r} (no such file)"
        )
    vgg19 = _load_keras_vgg19(None if weights == "random" or weights.endswith(".npz") else weights)
    outputs = {layer: vgg19.get_layer(LAYERS[layer]).output for layer in layers}
    network = keras.Model(vgg19.input, outputs)
    if weights.endswith(".npz"):
        expect(zipfile.is_zipfile(weights), "an .npz file of VGG19 weights", weights=weights)
        _load_npz(network, weights)
    return network


def build_distilled_network(layers: tuple[str, ...]) -> keras.Model:
    """Returns VGG19's topology with a quarter of its channels.

    Layers, pooling and zero padding are VGG19's, so that map sizes and receptive fields agree.

    Args:
        layers: Names out of `LAYERS`, up to `relu5_1`; the outputs.

    Returns:
        A functional model from centred images to a dict of post-relu maps.

    Raises:
        ValueError: A layer lies beyond `relu5_1`.
    """
    beyond = [layer for layer in layers if layer.startswith("relu5") and layer != "relu5_1"]
    expect(not beyond, "layers up to relu5_1 for the distilled VGG19", layers=beyond)
    inputs = x = keras.Input((None, None, 3))
    outputs = {}
    for name, keras_name in LAYERS.items():
        block, conv = int(name[4]), int(name[6])
        if block > 1 and conv == 1:
            x = keras.layers.MaxPooling2D(2, name=f"block{block - 1}_pool")(x)
        outputs[name] = x = _convolve(x, DISTILLED_WIDTHS[block - 1], keras_name)
        if name == "relu5_1":
            break
    return keras.Model(inputs, {name: outputs[name] for name in layers})


def build_slim_network(layers: tuple[str, ...]) -> keras.Model:
    """Returns a network with the levels of the distilled one, and half of its work.

    relu2_1 comes from a convolution of stride 2 in place of two in full size and pooling, and the
    convolutions between the levels have half of the channels (bottlenecks, as in He et al., "Deep
    Residual Learning for Image Recognition", CVPR 2016, but of three 3x3 convolutions). The
    levels see as many pixels as VGG19's, at least, and relu1_1 is a branch of its own. Padding is
    by reflection: zeros leave lines along the border of what is made of the maps.

    Args:
        layers: Names out of relu1_1, relu2_1, ..., relu5_1; the outputs.

    Returns:
        A functional model from centred images to a dict of post-relu maps.

    Raises:
        ValueError: A layer is none of these.
    """
    beyond = [layer for layer in layers if layer not in _SLIM_LEVELS]
    expect(not beyond, f"layers out of {', '.join(_SLIM_LEVELS)} for the slim VGG19", layers=beyond)
    inputs = keras.Input((None, None, 3))
    outputs = {"relu1_1": _pad_and_convolve(inputs, DISTILLED_WIDTHS[0], LAYERS["relu1_1"])}
    x = _pad_and_convolve(inputs, 24, "stem", 6, 2)  # an odd row is left out, as pooling does
    for block in range(2, 6):
        outputs[f"relu{block}_1"] = x = _pad_and_convolve(
            x, DISTILLED_WIDTHS[block - 1], f"block{block}_conv1"
        )
        for conv, width in enumerate(_SLIM_WIDTHS.get(block, ()), start=2):
            x = _pad_and_convolve(x, width, f"block{block}_conv{conv}")
        if block < 5:
            x = keras.layers.MaxPooling2D(2, name=f"block{block}_pool")(x)
    return keras.Model(inputs, {name: outputs[name] for name in layers})


def _pad_and_convolve(maps, width, name, size=3, strides=1):
    # Not a `ReflectionConv2D`: saved generators name weights by the kinds of the layers.
    maps = ReflectionPadding2D((size - strides) // 2)(maps)
    return _convolve(maps, width, name, size, strides, padding="valid")


def _convolve(maps, width, name, size=3, strides=1, padding="same"):
    return keras.layers.Conv2D(
        width,
        size,
        strides,
        padding,
        activation="relu",
        kernel_initializer="he_normal",
        name=name,
    )(maps)


SMALL_NETWORKS = {"distilled": build_distilled_network, "slim": build_slim_network}


def holds(weights: str, layer: str) -> bool:
    """Returns whether the weights go as far as this layer.

    Args:
        weights: As in `VGG19Features`. Of a file other than `.npz` it is taken for granted.
        layer: A name, not necessarily out of `LAYERS`.
    """
    if weights == "distilled":
        return layer in LAYERS and layer <= "relu5_1"
    if weights == "slim":
        return layer in _SLIM_LEVELS
    if weights.endswith(".npz") and zipfile.is_zipfile(weights):
        with _open_npz(weights) as arrays:
            return f"{LAYERS.get(layer)}/kernel" in arrays
    return True


def _load_keras_vgg19(weights):
    try:
        return keras.applications.VGG19(include_top=False, weights=weights)
    except Exception as error:  # Keras raises a bare Exception when a download fails
        if weights == "imagenet":
            raise ConnectionError(
                f"The ImageNet weights of VGG19 could not be downloaded ({error}). Expected "
                f"network access, or the file {_IMAGENET_URL} fetched by hand and named by "
                "VGG19Features(weights=PATH) or --features=PATH. Received: weights='imagenet'"
            ) from error
        raise ValueError(
            "Expected a Keras .h5 or .weights.h5 file of VGG19 without its top layers, or an "
            f".npz file. Received: {weights!r} ({shorten(' '.join(str(error).split()))})"
        ) from error


@contextlib.contextmanager
def _open_npz(path):
    """Gives the arrays of a file; every error of the block but a `ValueError` of ours names it."""
    try:
        check_archive(pathlib.Path(path))
        with np.load(path) as arrays:
            yield arrays
    except Exception as error:  # zipfile, zlib, NumPy and Keras each raise their own
        if str(error).startswith("Expected"):
            raise
        raise ValueError(
            f"Expected an .npz file of VGG19 weights. Received: {os.fspath(path)!r} "
            f"({shorten(' '.join(str(error).split()))})"
        ) from error


def _load_npz(network, path):
    with _open_npz(path) as arrays:
        for layer in network.layers:
            if not layer.weights:
                continue
            kernel, bias = f"{layer.name}/kernel", f"{layer.name}/bias"
            if kernel not in arrays or bias not in arrays:
                held = sorted({key.split("/")[0] for key in arrays})
                raise ValueError(
                    "Expected weights that hold every layer up to the deepest one asked for. "
                    f"Received: {os.fspath(path)!r} has no {layer.name}; it holds {', '.join(held)}"
                )
            layer.set_weights([arrays[kernel].astype("float32"), arrays[bias].astype("float32")])
