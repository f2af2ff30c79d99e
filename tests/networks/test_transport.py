"""Optimal transport of maps, against SciPy and closed forms."""

import numpy as np
import pytest
import scipy.linalg
from keras import ops

from stylegan_transfer.networks import transport


def draw_maps(seed, channels=6, height=40, width=30):
    """Maps whose channels hang together, each image in its own way."""
    rng = np.random.default_rng(seed)
    mixing = rng.normal(0, 1, (2, 1, channels, channels))
    maps = rng.normal(0, 1, (2, height, width, channels)) @ mixing + rng.normal(0, 1, channels)
    return maps.astype("float32")


def covariance_of(maps):
    return np.stack([np.cov(m.reshape(-1, m.shape[-1]).T, bias=True) for m in np.asarray(maps)])


def test_statistics_are_numpys_mean_and_covariance():
    maps = draw_maps(0)
    statistics = np.asarray(transport.mean_and_covariance(maps))
    np.testing.assert_allclose(statistics[:, 0], maps.mean((1, 2)), atol=1e-5)
    np.testing.assert_allclose(statistics[:, 1:], covariance_of(maps), rtol=1e-3, atol=1e-4)


def test_matrix_is_the_closed_form_of_gaussian_transport(monkeypatch):
    monkeypatch.setattr(transport, "RIDGE", 0.0)
    content, style = covariance_of(draw_maps(0)), covariance_of(draw_maps(1))
    for c, s, matrix in zip(
        content,
        style,
        np.asarray(transport.transport_matrix(np.float32(content), np.float32(style))),
        strict=True,
    ):
        root = scipy.linalg.sqrtm(c).real
        inverse = np.linalg.inv(root)
        expected = inverse @ scipy.linalg.sqrtm(root @ s @ root).real @ inverse
        np.testing.assert_allclose(matrix, expected, rtol=2e-2, atol=2e-3)


def test_channels_that_do_not_hang_together_are_scaled_one_by_one(monkeypatch):
    monkeypatch.setattr(transport, "RIDGE", 0.0)
    content, style = np.diag([1.0, 4.0, 9.0]), np.diag([4.0, 4.0, 1.0])
    matrix = transport.transport_matrix(np.float32(content), np.float32(style))
    np.testing.assert_allclose(matrix, np.diag([2.0, 1.0, 1 / 3]), atol=1e-4)


def test_moved_maps_have_the_styles_mean_and_covariance(monkeypatch):
    monkeypatch.setattr(transport, "RIDGE", 0.0)
    content, style = draw_maps(0), draw_maps(1, width=50)
    own, target = (transport.mean_and_covariance(maps) for maps in (content, style))
    moved = transport.transport(content, own, target)
    np.testing.assert_allclose(transport.mean_and_covariance(moved), target, atol=2e-2)


def test_maps_stay_when_the_style_is_their_own(monkeypatch):
    monkeypatch.setattr(transport, "RIDGE", 0.0)
    maps = draw_maps(0)
    own = transport.mean_and_covariance(maps)
    np.testing.assert_allclose(transport.transport(maps, own, own), maps, atol=1e-3)


def test_ridge_keeps_a_channel_that_hardly_varies_from_being_blown_up():
    content = np.float32(np.diag([1.0, 1e-8]))
    matrix = np.asarray(transport.transport_matrix(content, np.eye(2, dtype="float32")))
    assert 1 / np.sqrt(1e-8) > 1_000  # what the closed form alone would give
    assert matrix[1, 1] == pytest.approx(1 / np.sqrt(0.01), rel=0.01)  # .02 of the mean variance


def test_flat_maps_give_finite_maps():
    flat = np.full((1, 8, 8, 4), 0.5, "float32")
    style = draw_maps(0, channels=4)[:1]
    statistics = [transport.mean_and_covariance(maps) for maps in (flat, style)]
    moved = np.asarray(transport.transport(flat, *statistics))
    np.testing.assert_allclose(moved, np.broadcast_to(style.mean((1, 2)), moved.shape), atol=1e-3)


def test_masks_blend_what_each_style_makes():
    content, first, second = draw_maps(0), draw_maps(1), draw_maps(2)
    own, *targets = (transport.mean_and_covariance(maps) for maps in (content, first, second))
    share = np.random.default_rng(3).random((2, 1, 40, 30), dtype="float32")
    masks = np.concatenate([share, 1 - share], axis=1)
    blended = transport.transport(content, own, ops.stack(targets, axis=1), masks)
    alone = [np.asarray(transport.transport(content, own, target)) for target in targets]
    share = share[:, 0, ..., None]
    np.testing.assert_allclose(blended, share * alone[0] + (1 - share) * alone[1], atol=1e-3)


def test_roots_by_products_give_the_exact_matrix_within_two_thousandths():
    content, style = (
        np.float32(covariance_of(draw_maps(seed, channels=32, height=6, width=4)))
        for seed in (0, 1)  # fewer positions than channels: most eigenvalues of the style are 0
    )
    exact, by_products = (
        np.asarray(transport.transport_matrix(content, style, exact)) for exact in (True, False)
    )
    np.testing.assert_allclose(by_products, exact, atol=2e-3 * np.abs(exact).max())
