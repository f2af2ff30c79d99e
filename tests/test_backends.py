"""Networks, losses and `stylize` give the same numbers under each backend of Keras."""

import contextlib
import functools
import importlib.util
import os
import pathlib
import subprocess
import sys
from unittest import mock

import keras
import numpy as np
import pytest
from generator_images import make_images

from stylegan_transfer import losses
from stylegan_transfer.networks.discriminator import StyleDiscriminator
from stylegan_transfer.networks.document_generator import DocumentGenerator
from stylegan_transfer.networks.features import VGG19Features
from stylegan_transfer.networks.generator import StyleGenerator
from stylegan_transfer.stylizing.stylize import stylize

ROOT = pathlib.Path(__file__).parents[1]
BACKENDS = ("jax", "torch")
# JAX compiles each operation for each shape, and most of the time goes there.
QUICK_COMPILATION = {"XLA_FLAGS": "--xla_backend_optimization_level=0"}


def if_there(backend):
    is_missing = importlib.util.find_spec(backend) is None
    return pytest.mark.skipif(is_missing, reason=f"{backend} is not installed")


def draws_nothing():
    """JAX compiles the draw of each initializer, and files replace all that they drew."""
    if keras.backend.backend() != "jax":
        return contextlib.nullcontext()
    import jax

    def zeros(key, shape, dtype, **limits):
        return jax.numpy.zeros(shape, dtype)

    draws = ("normal", "uniform", "truncated_normal")
    return mock.patch.multiple(jax.random, **dict.fromkeys(draws, zeros))


def in_one_graph(function):
    """The function as one graph under JAX, which compiles each operation by itself otherwise."""
    if keras.backend.backend() != "jax":
        return function
    import jax

    def without_state(*arrays):
        with keras.StatelessScope():  # what training changes is lost
            return function(*arrays)

    return jax.jit(without_state)


def compute_all(folder):
    """What all networks and losses make of the images in a folder, by name."""
    with np.load(folder / "inputs.npz") as inputs:
        content, style, noise = (inputs[name] for name in ("content", "style", "noise"))
    load = keras.models.load_model
    networks = ("style", "document", "discriminator", "features")
    with draws_nothing():
        generator, document, discriminator, features = (
            load(folder / f"{name}.keras") for name in networks
        )

    @in_one_graph
    def compute(content, style, noise):
        codes = generator.encode_style(style)
        spatial = [noise[:, :: s // 2, :: s // 2] for s in generator.strides]
        masks = keras.ops.stack([content[..., 0], 1 - content[..., 0]], axis=1)
        both = keras.ops.stack([codes, keras.ops.flip(codes, axis=0)], axis=1)
        stylized, moments = generator.synthesize(content, codes, noise=spatial, return_moments=True)
        maps, style_maps = features(stylized), features(style)
        return {
            "codes": codes,
            "stylized": stylized,
            "moments": moments[0],
            "masked": generator.synthesize(content, both, masks=masks, moments=moments),
            "document": document.synthesize(content, document.encode_style(style)),
            "logits": discriminator([content, style]),
            "logits in training": discriminator([content, style], training=True),
            **maps,
            "content_loss": losses.content_loss(maps, features(content)),
            "style_loss": losses.style_loss(maps, style_maps),
            "moments_loss": losses.moments_loss(maps, style_maps, per_sample=False),
            "identity_loss": losses.identity_loss(stylized, content, maps, features(content)),
            "total_variation_loss": losses.total_variation_loss(stylized),
            "adversarial_loss": losses.adversarial_loss(stylized, "cross_entropy"),
            "discriminator_loss": losses.discriminator_loss(stylized, content),
        }

    results = compute(content, style, noise)
    # Masks, a fine style and a strength in between; no multiples of 8.
    options = {"masks": style, "fine_style": style[1], "strength": 0.5, "style_size": 40}
    results["picture"] = stylize(generator, content[0], style, **options)
    # New noise, whose numbers are the backend's own.
    for network, training in ((generator, True), (document, False)):
        call = in_one_graph(functools.partial(network, training=training))
        images = keras.ops.convert_to_numpy(call([content, style]))
        assert images.shape == content.shape and np.isfinite(images).all()
    return {name: keras.ops.convert_to_numpy(value) for name, value in results.items()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Images and saved networks, with weights as different as after training."""
    folder = tmp_path_factory.mktemp("backends")
    random = np.random.default_rng(0)
    networks = {
        "style": StyleGenerator(width=4, num_blocks=1, code_size=8),
        "document": DocumentGenerator(VGG19Features(layers=("relu4_1",)), noise=True),
        "discriminator": StyleDiscriminator(widths=(4, 8, 6)),
        "features": VGG19Features(layers=("relu1_1", "relu3_1")),
    }
    for weight in networks["style"].trainable_variables:
        weight.assign(random.normal(0, 0.2, weight.shape))
    networks["features"](make_images(0))  # builds it
    for name, network in networks.items():
        network.save(folder / f"{name}.keras")
    noise = random.normal(0, 1, (2, 20, 24, 1)).astype("float32")
    np.savez(folder / "inputs.npz", content=make_images(0), style=make_images(1), noise=noise)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("backend", [pytest.param(name, marks=if_there(name)) for name in BACKENDS])
def test_networks_and_losses_give_tensorflows_numbers_under(backend, folder):
    program = f"""
import pathlib, sys, keras, numpy as np, test_backends
assert keras.backend.backend() == {backend!r}
folder = pathlib.Path({os.fspath(folder)!r})
np.savez(folder / "{backend}.npz", **test_backends.compute_all(folder))
assert "tensorflow" not in sys.modules
"""
    paths = os.pathsep.join([os.fspath(ROOT), os.fspath(pathlib.Path(__file__).parent)])
    subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": paths, **QUICK_COMPILATION},
        check=True,
    )
    expected = compute_all(folder)
    with np.load(folder / f"{backend}.npz") as actual:
        for name, values in expected.items():
            np.testing.assert_allclose(actual[name], values, rtol=1e-3, atol=1e-3, err_msg=name)
