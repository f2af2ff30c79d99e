import numpy as np
import pytest

from stylegan_transfer import samples

SIZE = 64
PICTURES = [(samples.draw_content, name) for name in samples.CONTENT_NAMES]
PICTURES += [(samples.draw_style, name) for name in samples.STYLE_NAMES]
every_picture = pytest.mark.parametrize("draw, name", PICTURES, ids=[name for _, name in PICTURES])


@pytest.fixture(scope="module")
def drawn():
    return {name: draw(name, SIZE) for draw, name in PICTURES}


def block_means(image, blocks):
    side = image.shape[0] // blocks
    return image.reshape(blocks, side, blocks, side, 3).mean((1, 3))


def palette(image):
    """Share of the pixels in each of 4 x 4 x 4 colours."""
    index = np.minimum((image * 4).astype(int), 3) @ [16, 4, 1]
    return np.bincount(index.ravel(), minlength=64) / index.size


def test_there_are_enough_samples_and_no_name_twice():
    assert len(samples.CONTENT_NAMES) >= 5 and len(samples.STYLE_NAMES) >= 6
    assert len({name for _, name in PICTURES}) == len(PICTURES)


@every_picture
def test_a_picture_is_a_float_image_in_unit_range(drawn, draw, name):
    image = drawn[name]
    assert image.shape == (SIZE, SIZE, 3) and image.dtype == np.float32
    assert image.min() >= 0 and image.max() <= 1


@every_picture
def test_a_picture_is_the_same_every_time(drawn, draw, name):
    np.random.seed(5)  # the global generator has no say
    np.testing.assert_array_equal(draw(name, SIZE), drawn[name])


@every_picture
def test_a_picture_uses_light_and_dark_and_several_colours(drawn, draw, name):
    grey = drawn[name].mean(-1)
    assert np.percentile(grey, 98) - np.percentile(grey, 2) > 0.3
    assert (palette(drawn[name]) > 0.01).sum() >= 4


@every_picture
def test_a_picture_looks_alike_at_twice_the_size(drawn, draw, name):
    large, small = block_means(draw(name, 2 * SIZE), 8), block_means(drawn[name], 8)
    assert np.abs(large - small).mean() < 0.03


def test_pictures_differ_from_each_other(drawn):
    names = list(drawn)
    for i, first in enumerate(names):
        for second in names[:i]:
            assert np.abs(drawn[first] - drawn[second]).mean() > 0.08, (first, second)


def test_styles_have_different_palettes(drawn):
    for i, first in enumerate(samples.STYLE_NAMES):
        for second in samples.STYLE_NAMES[:i]:
            distance = 0.5 * np.abs(palette(drawn[first]) - palette(drawn[second])).sum()
            assert distance > 0.25, (first, second, distance)


@pytest.mark.parametrize("size", [16, 33, 100])
def test_odd_sizes_work(size):
    assert samples.draw_content("hills", size).shape == (size, size, 3)
    assert samples.draw_style("swirls", size).shape == (size, size, 3)


@pytest.mark.parametrize("draw", [samples.draw_content, samples.draw_style])
def test_unknown_names_and_tiny_sizes_are_refused(draw):
    with pytest.raises(ValueError, match="Expected a name in .*Received: name='nothing'"):
        draw("nothing")
    with pytest.raises(ValueError, match="Expected a size of at least 16. Received: size=15"):
        draw("hills" if draw is samples.draw_content else "waves", 15)
