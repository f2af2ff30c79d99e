"""The noise of paintings."""

import numpy as np

from stylegan_transfer.stylizing import noise
from stylegan_transfer.stylizing.noise import cut_noise, draw_noise


def test_each_layer_has_noise_of_its_own_size_for_the_padded_picture():
    maps = draw_noise([8, 8, 2], 33, 50, seed=0)
    assert [m.shape for m in maps] == [(1, 5, 7, 1)] * 2 + [(1, 20, 28, 1)]
    assert {m.dtype for m in maps} == {np.dtype("float32")}
    assert not np.array_equal(maps[0], maps[1])


def test_noise_is_standard_normal_and_a_function_of_the_seed():
    first, other, again = (draw_noise([2], 400, 400, seed=seed)[0] for seed in (3, -3, 3))
    np.testing.assert_array_equal(first, again)
    assert abs(np.corrcoef(first.ravel(), other.ravel())[0, 1]) < 0.02
    assert abs(first.mean()) < 0.02
    assert abs(first.std() - 1) < 0.02


def test_a_tile_gets_its_part():
    maps = draw_noise([8, 2], 64, 64, seed=0)
    coarse, fine = cut_noise(maps, [8, 2], (slice(16, 41), slice(0, 64)))
    np.testing.assert_array_equal(coarse, maps[0][:, 2:6])
    np.testing.assert_array_equal(fine, maps[1][:, 8:24])
    assert cut_noise(None, [8, 2], (slice(0, 8), slice(0, 8))) is None


def test_the_last_noise_is_kept_unless_it_is_large(monkeypatch):
    first = draw_noise([8, 2], 64, 64, seed=0)
    assert draw_noise([8, 2], 64, 64, seed=0)[1] is first[1]
    other = draw_noise([8, 2], 64, 64, seed=1)
    assert np.abs(other[1] - first[1]).max() > 0
    monkeypatch.setattr(noise, "_MAX_KEPT", 64 * 64 - 1)
    again = draw_noise([8, 2], 64, 64, seed=1)
    assert again[1] is not other[1]
    np.testing.assert_array_equal(again[1], other[1])
