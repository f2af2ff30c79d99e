"""Painting of any size: tiles, repeating textures, noise."""

import types

import keras
import numpy as np
import pytest
from generator_images import make_styles_and_noise_matter

from stylegan_transfer.networks import generator_inputs
from stylegan_transfer.networks.generator import StyleGenerator
from stylegan_transfer.networks.transport_generator import TransportGenerator
from stylegan_transfer.stylizing import painting
from stylegan_transfer.stylizing.noise import draw_noise
from stylegan_transfer.stylizing.painting import paint, synthesize, thumbnail_moments

CODE_SIZE = 8


@pytest.fixture(scope="module")
def generator():
    """A tiny generator in which styles and noise matter as they do after training."""
    keras.utils.set_random_seed(0)
    generator = StyleGenerator(width=4, num_blocks=1, code_size=CODE_SIZE)
    return make_styles_and_noise_matter(generator)


@pytest.fixture(scope="module")
def codes():
    return np.random.default_rng(1).normal(0, 1, (1, CODE_SIZE)).astype("float32")


def make_content(height, width, batch=1):
    """Smooth waves and noise."""
    rng = np.random.default_rng(height)
    y, x = np.mgrid[:height, :width] / 20
    waves = 0.5 + 0.3 * np.stack([np.sin(x), np.cos(y), np.sin(x + y)], axis=-1)
    noise = rng.uniform(-0.15, 0.15, (batch, height, width, 3))
    return (waves + noise).astype("float32")


def with_moments_of_the_whole(monkeypatch):
    """Takes the statistics of tiles from the whole picture in place of a thumbnail."""
    monkeypatch.setattr(
        "stylegan_transfer.stylizing.painting.thumbnail_moments",
        lambda generator, contents, codes, masks, **options: synthesize(
            generator, contents, codes, masks, return_moments=True
        )[1],
    )


@pytest.mark.parametrize("options", [{}, {"masks": True}, {"codes_per_layer": True}])
@pytest.mark.parametrize("size", [(328, 136), (131, 203)])
def test_tiles_with_given_statistics_equal_the_whole(generator, codes, monkeypatch, size, options):
    with_moments_of_the_whole(monkeypatch)
    content, masks = make_content(*size, batch=2), None
    codes = np.concatenate([codes, -codes])
    if "codes_per_layer" in options:
        codes = np.stack([codes] * (generator.num_layers - 1) + [-codes], axis=1)
    if "masks" in options:
        codes = np.stack([codes, codes[:, ::-1]], axis=1)
        share = np.tile(np.linspace(0, 1, size[1], dtype="float32"), (size[0], 1))
        masks = np.stack([share, 1 - share])[None]
    whole = paint(generator, content, codes, masks)
    tiled = paint(generator, content, codes, masks, tile_size=64)
    np.testing.assert_allclose(tiled, whole, atol=2e-5)


def test_noise_is_the_same_in_tiles_as_in_the_whole(generator, codes, monkeypatch):
    content = make_content(170, 240)
    noise = draw_noise(generator.strides, 170, 240, seed=4)
    whole, moments = generator.synthesize(content, codes, noise=noise, return_moments=True)
    monkeypatch.setattr(
        "stylegan_transfer.stylizing.painting.thumbnail_moments", lambda *args, **kwargs: moments
    )
    tiled = paint(generator, content, codes, seed=4, tile_size=64)
    np.testing.assert_allclose(tiled, whole, atol=2e-5)
    assert np.abs(tiled - paint(generator, content, codes)).max() > 0.05


def test_statistics_come_from_a_thumbnail_of_so_many_pixels(generator, codes, monkeypatch):
    content = make_content(300, 100)
    seen = []
    real = generator.synthesize
    recorder = types.SimpleNamespace(
        synthesize=lambda images, *args, **kwargs: (
            seen.append(images.shape) or real(images, *args, **kwargs)
        )
    )
    thumbnail_moments(recorder, content, codes, tile_size=64)
    assert seen == [(1, 111, 37, 3)]


def test_tiles_of_a_picture_that_is_alike_everywhere_look_as_the_whole(generator, codes):
    content = make_content(256, 256)
    whole = paint(generator, content, codes)
    tiled = paint(generator, content, codes, tile_size=128)
    assert 0 < np.abs(tiled - whole).mean() < 0.03


def test_a_flat_picture_has_the_same_statistics_in_tiles_as_in_the_whole(generator, codes):
    """There all comes from the noise, and the thumbnail differs from the picture in nothing."""
    content = np.full((1, 256, 256, 3), [0.7, 0.4, 0.2], np.float32)
    noise = draw_noise(generator.strides, 256, 256, seed=5)
    whole, moments = generator.synthesize(content, codes, noise=noise, return_moments=True)
    from_thumbnail = thumbnail_moments(generator, content, codes, seed=5, tile_size=128)
    for expected, actual in zip(moments, from_thumbnail, strict=True):
        deviations = [np.sqrt(np.asarray(m)[..., 1, :] + 1e-5) for m in (expected, actual)]
        np.testing.assert_allclose(deviations[1], deviations[0], rtol=0.2)
    tiled = paint(generator, content, codes, seed=5, tile_size=128)
    np.testing.assert_allclose(tiled.std(axis=(1, 2)), np.std(whole, axis=(1, 2)), rtol=0.1)
    assert np.abs(tiled - whole).mean() < 0.01


def test_progress_counts_the_tiles(generator, codes):
    calls = []
    content = make_content(230, 180)
    paint(generator, content, codes, tile_size=64, progress=lambda *call: calls.append(call))
    assert calls == [(i, 6) for i in range(1, 7)]
    calls.clear()
    paint(generator, content, codes, progress=lambda *call: calls.append(call))
    assert calls == []


@pytest.fixture
def texture():
    """A content that repeats, and two masks that repeat."""
    y, x = np.mgrid[:64, :96] * 2 * np.pi
    waves = [np.sin(x / 96), np.cos(3 * y / 64), np.sin(x / 32 + y / 64)]
    content = (0.5 + 0.4 * np.stack(waves, axis=-1)[None]).astype("float32")
    masks = np.stack([content[0, ..., 0], 1 - content[0, ..., 0]])[None]
    return content, masks


@pytest.mark.parametrize("with_masks", [False, True])
def test_no_place_of_a_tileable_result_is_a_border(
    generator, codes, texture, with_masks, monkeypatch
):
    """Painting the shifted texture gives the shifted painting."""
    content, masks = texture
    if with_masks:
        codes = np.stack([codes, -codes], axis=1)
    moments = generator.synthesize(
        content, codes[:, 0] if with_masks else codes, return_moments=True
    )[1]
    monkeypatch.setattr(
        "stylegan_transfer.stylizing.painting.thumbnail_moments", lambda *args, **kwargs: moments
    )
    painted = []
    for shift in ((0, 0), (24, 40)):
        moved_masks = np.roll(masks, shift, axis=(2, 3)) if with_masks else None
        moved = np.roll(content, shift, axis=(1, 2))
        result = paint(generator, moved, codes, moved_masks, tileable=True, tile_size=64)
        painted.append(np.roll(result, (-shift[0], -shift[1]), axis=(1, 2)))
    assert painted[0].shape == content.shape
    np.testing.assert_allclose(painted[1], painted[0], atol=2e-5)


def test_tileable_results_and_their_noise_continue_across_the_seam(generator, codes, texture):
    painted = paint(generator, texture[0], codes, tileable=True, seed=3)
    for axis in (1, 2):
        steps = np.abs(painted - np.roll(painted, 1, axis)).mean(axis=(0, 3 - axis, 3))
        assert steps[0] < 1.5 * steps[8::8].max()  # the first is the one across the seam
        assert steps[0] > 0.5 * steps[8::8].min()


def test_sides_of_tileable_textures_are_multiples_of_8(generator, codes):
    with pytest.raises(ValueError, match="multiples of 8.* Received: height=64, width=60"):
        paint(generator, make_content(64, 60), codes, tileable=True)


def test_generators_take_pictures_from_the_same_size_on():
    assert painting.MIN_SIZE == generator_inputs.MIN_SIZE
    with pytest.raises(ValueError, match="at least 32 pixels. Received: height=31, width=40"):
        paint(None, make_content(31, 40), None)


def test_a_generator_of_arrays_is_called_as_it_is(codes):
    """A runtime that gives arrays needs no more than `synthesize`."""
    toy = types.SimpleNamespace(noise=False, synthesize=lambda contents, codes: 1 - contents)
    content = make_content(40, 48)
    np.testing.assert_array_equal(paint(toy, content, codes, seed=3), 1 - content)


def test_network_is_compiled_once_for_all_sizes(generator, codes):
    for size in (40, 48, 56, 64):
        synthesize(generator, make_content(size, size), codes)
    count = generator.compiled_synthesize.experimental_get_tracing_count()
    for size in (41, 49, 72):
        synthesize(generator, make_content(size, size + 8), codes)
    assert generator.compiled_synthesize.experimental_get_tracing_count() == count


def test_tiles_keep_to_the_largest_stride_of_the_generator():
    generator = TransportGenerator(width=4, code_size=8)
    content = make_content(100, 90)
    with pytest.raises(ValueError, match=r"tile_size in multiples of 16.* Received: tile_size=72"):
        paint(generator, content, generator.encode_style(content), tile_size=72)


def test_tiles_of_the_transport_generator_equal_the_whole(monkeypatch):
    with_moments_of_the_whole(monkeypatch)
    generator = TransportGenerator(width=4, code_size=8)
    content = make_content(421, 70)
    codes = np.asarray(generator.encode_style(make_content(64, 80)))
    whole = paint(generator, content, codes, seed=None, tile_size=512)
    tiled = paint(generator, content, codes, seed=None, tile_size=64)
    np.testing.assert_allclose(tiled, whole, rtol=0, atol=1e-4)
