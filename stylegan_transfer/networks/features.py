"""VGG19 feature maps: what the content and style losses, and the document generator, look at."""

import functools
import os
from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from stylegan_transfer.checks import expect, is_path
from stylegan_transfer.networks.vgg19 import LAYERS, SMALL_NETWORKS, build_network, holds

# Mean activation of each layer of the ImageNet VGG19 over 500 photographs and paintings, for its
# own input scale. Photographs and paintings agree within 7 %. Deeper layers are measured when the
# network is built, on `_pink_noise_image`.
MEAN_ACTIVATIONS = {
    "relu1_1": 20.9,
    "relu1_2": 97.3,
    "relu2_1": 120.4,
    "relu2_2": 109.3,
    "relu3_1": 120.9,
    "relu3_2": 157.8,
    "relu3_3": 329.2,
    "relu3_4": 484.7,
}

_IMAGENET_MEAN_BGR = (103.939, 116.779, 123.68)


@keras.saving.register_keras_serializable("stylegan_transfer")
class VGG19Features(keras.Model):
    """Frozen VGG19 feature extractor: images -> a dict of calibrated feature maps.

    Every map is divided by the mean activation of its layer, so that the layers have the same
    scale and loss weights mean the same everywhere (Gatys et al. rescale the weights to the same
    end). Images go in as float32 RGB in [0, 1], shape `(batch, height, width, 3)`; the network's
    own preprocessing happens inside. `relu{b}_{c}` comes out as
    `(batch, height // 2^(b-1), width // 2^(b-1), channels)`, non-negative, mean about 1.

    Args:
        weights: One of
            - `"distilled"` (default): VGG19's topology with a quarter of the channels, trained to
              predict VGG19's maps; it ships with the package and goes up to `relu5_1`;
            - `"slim"`: the first layers of the five blocks of that, predicted with half of its
              work; it ships, too, and is what `TransportGenerator` looks through;
            - `"imagenet"`: the ImageNet VGG19, downloaded by Keras at first use;
            - a path to VGG19 weights: a Keras `.h5` or `.weights.h5` without the top, or an
              `.npz` with keys `block1_conv1/kernel`, `block1_conv1/bias`, ...;
            - `"random"`: an untrained VGG19.
        layers: Names out of `vgg19.LAYERS`. Defaults to relu1_1, relu2_1, relu3_1 and relu4_1.
        scales: Divisor of each layer, by name. Default: the stored constants.

    As with every Keras model, the config describes the architecture alone; weights travel in the
    saved file, so that a model that holds these features loads without their source.

    Raises:
        ValueError: A layer is unknown or not held by the weights, or the file is no VGG19.
        FileNotFoundError: The weights' file does not exist.
        ConnectionError: The ImageNet weights cannot be downloaded.

    Example:
        >>> import numpy as np
        >>> import stylegan_transfer
        >>> features = stylegan_transfer.VGG19Features(layers=("relu1_1", "relu2_1"))
        >>> images = np.random.default_rng(0).random((2, 32, 48, 3), dtype="float32")
        >>> {layer: tuple(maps.shape) for layer, maps in features(images).items()}
        {'relu1_1': (2, 32, 48, 16), 'relu2_1': (2, 16, 24, 32)}

    References:
        - Simonyan & Zisserman, "Very Deep Convolutional Networks for Large-Scale Image
          Recognition", ICLR 2015.
        - Gatys et al., "Image Style Transfer Using Convolutional Neural Networks", CVPR 2016,
          section 2 (normalization of the network).
        - Wang et al., "Collaborative Distillation for Ultra-Resolution Universal Style
          Transfer", CVPR 2020 (a distilled VGG19 as features).
    """

    def __init__(
        self,
        weights: str | os.PathLike = "distilled",
        layers: tuple[str, ...] = ("relu1_1", "relu2_1", "relu3_1", "relu4_1"),
        scales: dict[str, float] | None = None,
        **kwargs,
    ):
        expect(is_path(weights), "weights: a name or a path", weights=weights)
        is_list = isinstance(layers, (tuple, list)) and len(layers) > 0
        fits = is_list and all(isinstance(name, str) and name in LAYERS for name in layers)
        expect(fits, f"`layers` out of {', '.join(LAYERS)}", layers=layers)
        super().__init__(**kwargs)
        self.weights_source = os.fspath(weights)
        self.layer_names = tuple(layers)
        self.network = build_network(self.weights_source, self.layer_names)
        self.scales = dict(scales or self._calibrated_scales())
        self.trainable = False

    def call(self, images):
        maps = self.network(self._preprocess(images))
        return {name: maps[name] / self.scales[name] for name in self.layer_names}

    def _preprocess(self, images):
        """The network's own input: what `keras.applications.vgg19.preprocess_input` makes of
        0..255 images, or centred images for the small networks."""
        if self.weights_source in SMALL_NETWORKS:
            return 4.0 * images - 2.0
        return 255.0 * ops.flip(images, axis=-1) - np.asarray(_IMAGENET_MEAN_BGR, "float32")

    def _calibrated_scales(self):
        if self.weights_source in SMALL_NETWORKS:
            return dict.fromkeys(self.layer_names, 1.0)  # the file's weights are normalized
        missing = [name for name in self.layer_names if name not in MEAN_ACTIVATIONS]
        if self.weights_source != "random" and not missing:
            return {name: MEAN_ACTIVATIONS[name] for name in self.layer_names}
        maps = self.network(self._preprocess(_pink_noise_image()))
        measured = {name: float(ops.mean(maps[name])) or 1.0 for name in self.layer_names}
        if self.weights_source == "random":
            return measured
        return measured | {n: MEAN_ACTIVATIONS[n] for n in self.layer_names if n not in missing}

    def compute_output_shape(self, input_shape):
        return self.network.compute_output_shape(input_shape)

    def get_config(self):
        weights = self.weights_source if self.weights_source in SMALL_NETWORKS else "random"
        return {"weights": weights, "layers": self.layer_names, "scales": self.scales}


class _JointFeatures(keras.Model):
    """Several extractors as one: images -> the maps of all of them."""

    def __init__(self, parts):
        super().__init__(name="joint_features")  # a graph's scope must not begin with "_"
        self.parts = parts
        self.trainable = False

    def call(self, images):
        return {name: m for part in self.parts for name, m in part(images).items()}


def build_features(weights: Sequence[str], layers: Sequence[str]) -> keras.Model:
    """Returns a feature extractor whose every layer comes from the first weights that hold it.

    With `("vgg19_block1to3.npz", "distilled")`, relu1_1 to relu3_4 are the file's, the deeper
    layers the distilled network's.

    Args:
        weights: One or more of what `VGG19Features` takes.
        layers: Names out of `LAYERS`.

    Returns:
        A frozen model: images -> a dict of maps, as `VGG19Features`.

    Raises:
        ValueError: A layer is unknown, or none of the weights holds it.
    """
    missing, parts = list(dict.fromkeys(layers)), []
    for source in weights:
        held = [layer for layer in missing if holds(source, layer)]
        if held:
            parts.append(VGG19Features(source, tuple(held)))
            missing = [layer for layer in missing if layer not in held]
    if missing:  # let the last one say what it lacks
        VGG19Features(weights[-1], tuple(missing))
    return parts[0] if len(parts) == 1 else _JointFeatures(parts)


@functools.cache
def _pink_noise_image():
    """A fixed image with the 1/f spectrum of photographs: calibrates layers without a constant."""
    noise = np.random.default_rng(0).standard_normal((1, 224, 224, 3))
    frequency = np.hypot(np.fft.fftfreq(224)[:, None], np.fft.fftfreq(224))[None, :, :, None]
    spectrum = np.fft.fft2(noise, axes=(1, 2)) / np.maximum(frequency, 1 / 224)
    image = np.fft.ifft2(spectrum, axes=(1, 2)).real
    return np.clip(0.45 + 0.25 * image / image.std(), 0.0, 1.0).astype("float32")
