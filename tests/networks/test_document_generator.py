import numpy as np
import pytest
from generator_images import assert_differs, assert_same, make_images, noise_of
from keras import ops

from stylegan_transfer.losses import instance_moments
from stylegan_transfer.networks import layers, normalization
from stylegan_transfer.networks.document_generator import DocumentGenerator
from stylegan_transfer.networks.features import VGG19Features


@pytest.fixture(scope="module")
def document_generator():
    generator = DocumentGenerator(VGG19Features("random", ("relu4_1",)))
    generator.features.scales["relu4_1"] *= 0.1  # random maps hardly vary: give styles weight
    return generator


def test_document_generator_is_adain_of_relu4_1_and_a_decoder(document_generator):
    content, style = make_images(0, 48, 32, 1), make_images(1, 40, 36, 1)
    maps, target = (document_generator.features(i)["relu4_1"] for i in (content, style))
    maps = normalization.adaptive_instance_normalization(maps, instance_moments(target))
    assert maps.shape == (1, 6, 4, 512)
    first, second, third, last = document_generator.decoder
    for conv in (first, second, third):
        maps = layers.upsample(ops.relu(conv(maps)))
    expected = (ops.tanh(last(maps)) + 1) / 2
    assert expected.shape == (1, 48, 32, 3)
    assert_same(document_generator([content, style]), expected)


def test_document_generator_returns_the_contents_size_and_one_result_for_each_pair(
    document_generator,
):
    content, style = make_images(0), make_images(1, 40, 36)
    codes = document_generator.encode_style(style)
    assert codes.shape == (2, 2, 512)
    stylized = np.asarray(document_generator([content, style]))
    assert stylized.shape == content.shape
    assert stylized.min() >= 0
    assert stylized.max() <= 1
    np.testing.assert_array_equal(stylized, document_generator.synthesize(content, codes))
    single = document_generator.synthesize(content[1:], codes[1:])
    assert_same(single, stylized[1:], atol=1e-4)
    noisy, again = (
        document_generator.synthesize(
            content, codes, noise=noise_of(document_generator, content, 1)
        )
        for _ in range(2)
    )
    np.testing.assert_array_equal(noisy, again)
    assert_differs(noisy, stylized, by=1e-3)


def test_document_generator_trains_its_decoder_alone(document_generator):
    decoder = [weight.path for conv in document_generator.decoder for weight in conv.weights]
    assert [w.path for w in document_generator.trainable_variables] == decoder
    assert len(decoder) == 8


def test_document_generator_refuses_small_images(document_generator):
    small = np.zeros((1, 31, 64, 3), "float32")
    with pytest.raises(ValueError, match="Expected style images"):
        document_generator.encode_style(small)
    with pytest.raises(ValueError, match="Expected content images"):
        document_generator.synthesize(small, np.ones((1, 2, 512), "float32"))
