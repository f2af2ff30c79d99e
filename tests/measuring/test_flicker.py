"""Flicker, and footage whose motion is known."""

import numpy as np
import pytest

from stylegan_transfer import samples
from stylegan_transfer.measuring.flicker import find_motions, warped_difference
from stylegan_transfer.measuring.footage import MOTIONS, render_footage
from stylegan_transfer.pictures.motion import estimate_flow, move

SIZE = (96, 128)


@pytest.fixture(scope="module")
def footage():
    photograph, other = (samples.draw_content(name, 224) for name in ("harbour", "city"))
    return {kind: render_footage(photograph, kind, SIZE, 6, other) for kind in MOTIONS}


def test_flicker_is_the_difference_along_the_motion():
    rng = np.random.default_rng(0)
    picture = rng.uniform(0, 1, (30, 50, 3)).astype("float32")
    frames = [picture[4 + t : 24 + t, 3 * t : 3 * t + 30] for t in range(4)]

    def motion(t, s):
        flow = np.tile(np.float32([3 * (t - s), t - s]), (20, 30, 1))
        is_seen = np.zeros((20, 30), bool)
        is_seen[: 20 - (t - s), : 30 - 3 * (t - s)] = True
        return flow, is_seen

    assert warped_difference(frames, motion) == 0.0
    brighter = [frame + np.float32(0.1 * t) for t, frame in enumerate(frames)]
    assert warped_difference(brighter, motion) == pytest.approx(0.1, abs=1e-5)
    assert warped_difference(brighter, motion, 2) == pytest.approx(0.2, abs=1e-5)
    # two independent uniform values differ by a third
    independent = [rng.uniform(0, 1, (20, 30, 3)).astype("float32") for _ in range(4)]
    assert warped_difference(independent, motion) == pytest.approx(1 / 3, abs=0.03)
    assert np.isnan(warped_difference(frames, motion, 4))


@pytest.mark.parametrize("kind", sorted({*MOTIONS} - {"exposure"}))
def test_known_motion_leads_from_frame_to_frame(footage, kind):
    clip = footage[kind]
    changes = np.mean(np.abs(np.diff(clip.frames, axis=0)))
    assert changes == 0.0 if kind == "still" else changes > 0.005
    assert warped_difference(clip.frames, clip.motion) <= 0.3 * changes  # resampled twice


def test_cut_hides_everything_and_a_crossing_object_what_is_behind_it(footage):
    assert not footage["cut"].motion(3, 2)[1].any()
    assert footage["cut"].motion(2, 1)[1].mean() > 0.9
    is_seen = footage["crossing"].motion(3, 2)[1]
    area = np.pi * (96 / 5) ** 2 / (96 * 128)
    assert 0 < 1 - is_seen.mean() < area / 2


@pytest.mark.parametrize("kind", ["pan", "zoom", "rotation"])
def test_estimated_flow_is_the_known_one(footage, kind):
    clip = footage[kind]
    flow, is_seen = estimate_flow(clip.frames[3], clip.frames[2])
    known, is_in_sight = clip.motion(3, 2)
    assert np.median(np.linalg.norm(flow - known, axis=-1)[is_seen & is_in_sight]) < 0.3


def test_other_brightness_is_no_motion(footage):
    before, now = footage["exposure"].frames[1:3]
    assert abs(now.mean() / before.mean() - 1) > 0.03
    flow, is_seen = estimate_flow(now, before)
    assert is_seen.all()
    assert np.abs(flow).max() < 0.1
    dark = np.zeros((96, 128, 3), "float32")
    assert not estimate_flow(dark, dark)[0].any()


def test_motions_are_those_into_earlier_frames(footage):
    frames = footage["pan"].frames
    for motion in (None, footage["pan"].motion):
        same, found = zip(*find_motions(iter(frames), motion, (1, 3)), strict=True)
        np.testing.assert_array_equal(same, frames)
        assert [[*motions] for motions in found] == [[], [1], [1], *[[1, 3]] * 3]
        expected = motion(5, 2) if motion else estimate_flow(frames[5], frames[2])
        np.testing.assert_array_equal(found[5][3][0], expected[0])
        np.testing.assert_array_equal(found[5][3][1], expected[1])


def test_what_an_object_uncovers_is_not_seen_before():
    rng = np.random.default_rng(0)
    ground = samples.draw_content("harbour", 128)[:96, :128]
    frames = [ground.copy() for _ in range(2)]
    for t, frame in enumerate(frames):
        frame[32:64, 40 + 6 * t : 72 + 6 * t] = rng.uniform(0, 1, (32, 32, 3)) if t == 0 else 0
    frames[1][32:64, 46:78] = frames[0][32:64, 40:72]
    is_seen = estimate_flow(frames[1], frames[0])[1]
    assert is_seen[70:, 80:].all()
    assert is_seen[34:62, 41:45].mean() < 0.5


def test_picture_moves_by_whole_pixels_exactly():
    image = np.random.default_rng(0).uniform(0, 1, (20, 30, 3)).astype("float32")
    flow = np.tile(np.float32([4, -2]), (20, 30, 1))
    for is_sharp in (False, True):
        moved = move(image, flow, is_sharp=is_sharp)
        np.testing.assert_array_equal(moved[2:, :-4], image[:-2, 4:])
    np.testing.assert_array_equal(moved[:2, :-4], np.broadcast_to(image[:1, 4:], (2, 26, 3)))


def test_other_kinds_and_small_photographs_are_refused():
    picture = np.zeros((96, 128, 3), "float32")
    with pytest.raises(ValueError, match="one of still, pan.*Received: kind='shake'"):
        render_footage(picture, "shake", (32, 32), 2, picture)
    with pytest.raises(ValueError, match="photographs of at least 1.5 times"):
        render_footage(picture, "pan", SIZE, 2, picture)
