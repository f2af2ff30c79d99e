import numpy as np
import pytest
import tensorflow as tf
from channel_maps import make_maps

from stylegan_transfer.networks.style_encoder import StyleEncoder, _correlations


@pytest.fixture(scope="module")
def encoder():
    encoder = StyleEncoder(width=4, code_size=8)
    encoder(np.zeros((1, 32, 32, 3), "float32"))
    return encoder


@pytest.mark.parametrize(("height", "width"), [(32, 32), (33, 47), (64, 40)])
def test_style_code_has_its_size_for_images_of_any_size(encoder, height, width):
    style = np.random.default_rng(0).random((2, height, width, 3), dtype="float32")
    code = encoder(style)
    assert code.shape == (2, 8)
    assert np.isfinite(code).all()


def test_style_code_of_a_flat_image_does_not_depend_on_the_images_size(encoder):
    codes = [encoder(np.full((1, size, size + 3, 3), 0.3, "float32")) for size in (32, 61)]
    np.testing.assert_allclose(*codes, rtol=1e-3, atol=1e-4)


def test_style_codes_of_a_batch_are_those_of_its_images(encoder):
    style = np.random.default_rng(0).random((2, 32, 40, 3), dtype="float32")
    singles = np.concatenate([encoder(style[:1]), encoder(style[1:])])
    np.testing.assert_allclose(encoder(style), singles, rtol=1e-4, atol=1e-5)
    assert np.abs(singles[0] - singles[1]).max() > 1e-3


def test_style_code_has_finite_gradients_on_a_flat_image(encoder):
    style = tf.fill((1, 32, 32, 3), 0.5)
    with tf.GradientTape() as tape:
        tape.watch(style)
        code = encoder(style)
    assert np.isfinite(tape.gradient(code, style)).all()


def test_style_code_knows_correlations_of_channels():
    maps = make_maps(0, (2, 6, 7, 4))
    actual = np.asarray(_correlations(maps))
    for sample, values in zip(actual, maps, strict=True):
        matrix = np.corrcoef(values.reshape(-1, 4), rowvar=False)
        np.testing.assert_allclose(sample, matrix[np.triu_indices(4, k=1)], atol=1e-4)


def test_statistics_work_for_sizes_that_a_graph_does_not_know(encoder):
    style = np.random.default_rng(0).random((2, 33, 40, 3), dtype="float32")
    graph = tf.function(encoder, input_signature=[tf.TensorSpec((None, None, None, 3))])
    np.testing.assert_allclose(graph(style), encoder(style), rtol=1e-4, atol=1e-5)
