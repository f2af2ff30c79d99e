"""Ghosts at moving edges."""

import numpy as np
import pytest

from stylegan_transfer.measuring.ghosting import GhostingMeter, find_moving_edges

SIZE = (40, 60)


def draw(t):
    """A white bar, which goes 5 pixels a frame to the right, before black."""
    frame = np.zeros((*SIZE, 3), "float32")
    frame[:, 10 + 5 * t : 13 + 5 * t] = 1.0
    return frame


def motion(t, s):
    flow = np.zeros((*SIZE, 2), "float32")
    flow[:, :40, 0] = 5.0 * (s - t)  # and the rest stands still
    return flow, np.ones(SIZE, bool)


def measure(paint, seed_gap=0.1, flow=motion):
    meter = GhostingMeter()
    for t in range(4):
        into_before = flow(t, t - 1) if t else None
        meter.add(draw(t), paint(t), draw(t), draw(t) + np.float32(seed_gap), into_before)
    return meter.measure()


def test_edges_are_steep_and_move():
    frame = draw(2)
    frame[:, 50:] = 1.0  # an edge that stands still
    is_edge = find_moving_edges(frame, motion(1, 0)[0])
    assert is_edge[:, 18:25].all()
    assert not is_edge[:, :12].any()
    assert not is_edge[:, 30:].any()
    assert not find_moving_edges(frame, np.zeros((*SIZE, 2))).any()
    assert not find_moving_edges(np.ones_like(frame), motion(1, 0)[0]).any()  # flat


def test_ghosting_counts_in_differences_of_two_seeds():
    assert measure(draw)[0] == 0.0
    assert measure(lambda t: draw(t) + np.float32(0.1))[0] == pytest.approx(1, rel=1e-5)
    assert measure(lambda t: draw(t) - np.float32(0.3))[0] == pytest.approx(3, rel=1e-5)


def test_what_is_away_from_moving_edges_does_not_count():
    def paint(t):
        painted = draw(t)
        painted[:, 40:] = 0.5
        return painted

    assert measure(paint)[0] == 0.0


def test_ghost_of_a_blend_is_counted():
    def blend(t):
        return 0.5 * draw(t) + 0.5 * draw(max(t - 1, 0))

    num_columns = find_moving_edges(draw(2), motion(2, 1)[0])[0].sum()
    half_off = 3 + 3  # columns of the bar, and of its ghost
    expected = 0.5 * half_off / (0.05 * num_columns)
    assert measure(blend, seed_gap=0.05)[0] == pytest.approx(expected, rel=1e-4)
    assert expected > 3


def test_neighbouring_frames_are_compared_along_the_motion():
    assert measure(draw)[1] == pytest.approx(0, abs=1e-4)

    def still(t, s):
        flow, is_seen = motion(t, s)
        return np.full_like(flow, 0.6), is_seen

    assert measure(draw, flow=still)[1] > 2


def test_where_nothing_moves_or_seeds_are_equal_there_is_no_figure():
    still = np.zeros((*SIZE, 2), "float32"), np.ones(SIZE, bool)
    assert np.isnan(measure(draw, flow=lambda t, s: still)).all()
    assert np.isnan(measure(draw, seed_gap=0.0)).all()
