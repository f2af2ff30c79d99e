import keras
import numpy as np
import pytest
from truncating import TruncatingInt

from stylegan_transfer.networks.generator_inputs import code_of_layer, draw_noise, reduce_masks


@pytest.mark.parametrize("kind", [np.int64, np.int32, np.uint8])
def test_a_seed_may_be_any_kind_of_integer(kind):
    expected = draw_noise(1, 32, 40, [8, 4], seed=3)
    for maps, same in zip(draw_noise(1, 32, 40, [8, 4], seed=kind(3)), expected, strict=True):
        np.testing.assert_array_equal(maps, same)


def test_a_small_kind_of_integer_does_not_run_over():
    """1000 times 200 fits no byte: the layers' seeds would meet those of another seed."""
    expected = draw_noise(1, 32, 32, [8], seed=200)
    np.testing.assert_array_equal(draw_noise(1, 32, 32, [8], seed=np.uint8(200)), expected)


@pytest.mark.parametrize(("side", "padded"), [(32, 32), (33, 40), (39, 40), (301, 304)])
def test_noise_fits_padded_images_where_remainders_have_the_sign_of_c(side, padded):
    noise = draw_noise(1, TruncatingInt(side), TruncatingInt(side), [8, 2], seed=0)
    sizes = [tuple(map(int, maps.shape[1:3])) for maps in noise]
    assert sizes == [(padded // 8, padded // 8), (padded // 2, padded // 2)]


def test_noise_fits_images_that_are_padded_to_the_largest_stride():
    noise = draw_noise(2, 33, 48, [16, 4], seed=keras.random.SeedGenerator(0))
    assert [maps.shape for maps in noise] == [(2, 3, 3, 1), (2, 12, 12, 1)]


@pytest.mark.parametrize("masks", [None, "some"])
def test_a_layer_hears_its_own_code_or_the_one_code(masks):
    styles = () if masks is None else (3,)
    codes = np.random.default_rng(0).random((2, *styles, 5, 4))
    np.testing.assert_array_equal(code_of_layer(codes, 2, masks), codes[..., 2, :])
    one = codes[..., 0, :]
    np.testing.assert_array_equal(code_of_layer(one, 2, masks), one)


@pytest.mark.parametrize(("stride", "multiple"), [(8, 8), (2, 8), (16, 16)])
def test_reduced_masks_are_the_means_over_squares_of_reflected_masks(stride, multiple):
    masks = np.random.default_rng(0).random((2, 3, 33, 47), dtype="float32")
    padding = [(0, -side % multiple) for side in masks.shape[2:]]
    padded = np.pad(masks, [(0, 0), (0, 0), *padding], mode="reflect")
    height, width = (side // stride for side in padded.shape[2:])
    expected = padded.reshape(2, 3, height, stride, width, stride).mean((3, 5))
    actual = reduce_masks(masks, stride, multiple)
    np.testing.assert_allclose(actual, expected, rtol=1e-5)
    assert reduce_masks(None, stride) is None
