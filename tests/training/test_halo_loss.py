"""The halo loss against what follows from its definition, and against the measure of pictures."""

import numpy as np
import pytest
import tensorflow as tf

from stylegan_transfer.measuring.halos import measure_halo
from stylegan_transfer.training.halos import halo_loss

SIZE = 96
EDGE = SIZE // 2  # columns: dark on the left, light on the right
COLUMNS = np.arange(SIZE)
# The edge, blurred over 3 pixels, lies in cells 11 and 12 of 24; up to 4 cells further it is near.
NEAR = ((COLUMNS >= 28) & (COLUMNS < 44)) | ((COLUMNS >= 52) & (COLUMNS < 68))
SHARE = 8 / 24
STYLE = np.concatenate([np.full((1, 8, 16, 3), v, "float32") for v in (0.2, 0.8)], axis=1)
CONTRAST = np.sqrt(0.3**2 + 1e-3)


def image_of(columns):
    values = np.broadcast_to(columns[None, None, :, None], (1, SIZE, SIZE, 3))
    return values.astype("float32")


CONTENT = image_of(np.where(COLUMNS < EDGE, 0.3, 0.7))


def loss_of(stylized, content=CONTENT, style=STYLE):
    return float(halo_loss(stylized, content, style))


def root(square):
    return np.sqrt(square + 1e-6) - 1e-3


def test_the_content_has_no_halo_nor_has_one_in_other_tones():
    for stylized in (CONTENT, 0.9 - 0.5 * CONTENT, np.full_like(CONTENT, 0.4)):
        assert loss_of(stylized) == pytest.approx(0, abs=2e-4)


@pytest.mark.parametrize("glow", [0.05, -0.1])
def test_a_glow_on_both_sides_counts_by_its_size_its_ground_and_the_styles_contrast(glow):
    stylized = CONTENT + image_of(glow * NEAR)
    expected = SHARE * root(glow**2) / CONTRAST
    assert loss_of(stylized) == pytest.approx(expected, rel=0.01)


def test_an_overshoot_counts_but_for_what_is_linear_in_the_content():
    sides = np.where(COLUMNS < EDGE, -1, 1)
    over = loss_of(CONTENT + image_of(0.05 * sides * NEAR))
    # Part of it is linear in the content: it makes the light side lighter, the dark one darker.
    assert 0.4 < over / loss_of(CONTENT + image_of(0.05 * NEAR)) < 1


def test_a_ripple_without_a_mean_counts_by_how_steep_it_is():
    ripple = image_of(0.05 * NEAR * np.where((COLUMNS // 4) % 2, 1, -1))
    # Of 8 near cells the 3 + 3 with a near one to the right step by .1.
    expected = SHARE * root(2 * 6 / 8 * 0.1**2) / CONTRAST
    assert loss_of(CONTENT + ripple) == pytest.approx(expected, rel=0.05)
    everywhere = image_of(0.05 * np.where((COLUMNS // 4) % 2, 1, -1))
    assert loss_of(CONTENT + everywhere) < 0.1 * loss_of(CONTENT + ripple)


def test_strokes_within_a_cell_do_not_count():
    strokes = image_of(0.2 * NEAR * (-1.0) ** COLUMNS)
    assert loss_of(CONTENT + strokes) == pytest.approx(0, abs=2e-4)


def test_what_is_no_flat_ground_does_not_count():
    rough = CONTENT + np.random.default_rng(0).normal(0, 0.2, CONTENT.shape).astype("float32")
    assert loss_of(rough + image_of(0.1 * NEAR), rough) == 0
    even = np.full_like(CONTENT, 0.5)
    assert loss_of(even + image_of(0.1 * NEAR), even) == 0  # nor where there is no edge


def test_each_image_of_a_batch_counts_alike():
    stylized = CONTENT + image_of(0.05 * NEAR)
    both = [np.concatenate(pair) for pair in ((stylized, CONTENT), (CONTENT,) * 2, (STYLE,) * 2)]
    assert loss_of(*both) == pytest.approx((loss_of(stylized) + loss_of(CONTENT)) / 2, abs=1e-5)


def test_small_images_have_none_and_a_finite_gradient():
    content = np.random.default_rng(1).uniform(size=(2, 32, 40, 3)).astype("float32")
    for images in (content, CONTENT):
        stylized = tf.Variable(images)
        with tf.GradientTape() as tape:
            loss = halo_loss(stylized, images, images)
        assert np.isfinite(tape.gradient(loss, stylized)).all()
    assert loss_of(content[:, ::-1], content, content) == 0


def test_it_falls_and_rises_with_the_halo_that_is_measured():
    losses, measured = [], []
    for glow in (0.02, 0.05, 0.1, 0.15):
        stylized = CONTENT + image_of(glow * NEAR)
        grain = np.random.default_rng(2).normal(0, 0.02, stylized.shape)
        losses.append(loss_of(stylized + grain.astype("float32")))
        measured.append(measure_halo((stylized + grain)[0], CONTENT[0]).luminance)
    assert losses == sorted(losses) and measured == sorted(measured)
