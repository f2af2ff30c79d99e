"""Video: frames that do not flicker, clips that keep their time stamps, colours and sound."""

import itertools
import re
import sys
from fractions import Fraction

import av
import keras
import numpy as np
import pytest
from clip_files import LAST, RATE, make_clip, read_clip
from PIL import Image

from stylegan_transfer import samples
from stylegan_transfer.stylizing.carrying import Carrier, follow_motion
from stylegan_transfer.stylizing.video import stylize_frames, stylize_video
from stylegan_transfer.stylizing.with_code import stylize_with_code

VARIABLE = [0, 41, 70, 103, 200, 257, 300, 461]  # time stamps in milliseconds


@pytest.fixture(scope="module")
def pan():
    """Eight frames of 48 x 64; each shows what lies 8 pixels further to the right."""
    picture = samples.draw_content("harbour", 128)
    return [picture[40:88, 8 * t : 8 * t + 64] for t in range(8)]


@pytest.mark.parametrize("strength", [0.4, 1.0])
def test_unsteady_frames_are_painted_by_themselves(generator, code, pan, strength):
    options = {"strength": strength, "style_size": 48, "seed": 3, "preserve_color": "luminance"}
    stylized = [*stylize_frames(generator, pan[:2], code, steady=False, **options)]
    expected = [stylize_with_code(generator, frame, code, **options) for frame in pan[:2]]
    np.testing.assert_array_equal(stylized, expected)
    assert stylized[0].dtype == np.float32


def test_strength_0_gives_the_frames_back(generator, code, pan):
    np.testing.assert_array_equal([*stylize_frames(generator, pan, code, strength=0.0)], pan)


def test_painting_moves_with_the_camera(generator, code):
    picture = samples.draw_content("harbour", 128)
    frames = [picture[16:112, 2 * t : 2 * t + 112] for t in range(4)]
    stylized = [*stylize_frames(generator, frames, code)]
    alone = [*stylize_frames(generator, frames, code, steady=False)]
    np.testing.assert_array_equal(stylized[0], alone[0])

    def flicker(frames):
        pairs = itertools.pairwise(frames)
        return np.mean([np.abs(b[:, :-2] - a[:, 2:]).mean() for a, b in pairs])

    assert flicker(frames) == 0.0
    assert flicker(stylized) < flicker(alone) / 3


def test_what_comes_into_sight_is_painted(pan):
    flow = np.zeros((48, 64, 2), "float32")
    is_seen = np.ones((48, 64), bool)
    flow[..., 0], is_seen[:, -8:] = 8.0, False
    carrier = Carrier(lambda frame, masks: 1.0 - frame if frame is pan[0] else frame)
    carrier(pan[0], None, None)
    painted = carrier(pan[1], flow, is_seen)
    np.testing.assert_array_equal(painted[:, -8:], pan[1][:, -8:])
    np.testing.assert_allclose(painted[:, :-12], 1.0 - pan[1][:, :-12], atol=1e-6)


def test_what_stands_still_stays_equal_to_the_bit(generator, code, pan):
    frames = [pan[0].copy() for _ in range(3)]
    for t, frame in enumerate(frames):
        frame[8:24, 4 * t : 4 * t + 12] = 0.5
    stylized = [*stylize_frames(generator, frames, code)]
    for painted in stylized[1:]:
        np.testing.assert_array_equal(painted[32:], stylized[0][32:])
    alone = [*stylize_frames(generator, frames, code, steady=False)]
    assert np.abs(alone[2][32:] - alone[0][32:]).max() > 1e-4


def test_a_flat_sky_goes_with_the_camera_without_a_tear_at_the_horizon():
    random = np.random.default_rng(0)
    ground = Image.fromarray(random.integers(0, 256, (8, 24, 3), "uint8")).resize((160, 56))
    picture = np.full((96, 160, 3), 0.6, "float32")
    picture[40:] = np.float32(ground) / 255
    before, now = picture[:, :96], picture[:, 3:99]
    (_, first, _), (_, flow, _) = follow_motion([before, now])
    assert first is None
    np.testing.assert_allclose(flow[50:, 20:76, 0].mean(axis=1), 3.0, atol=0.1)
    assert flow[:40, 20:76, 0].min() > 1.0  # though nothing changes there
    assert np.abs(np.diff(flow[30:50, 20:76, 0], axis=0)).max() < 0.5


def test_frames_that_do_not_change_are_not_painted_again(pan):
    calls = []

    def paint(frame, masks):
        calls.append(frame)
        return 1.0 - frame

    carrier = Carrier(paint)
    for motion in follow_motion([pan[0]] * 3):
        np.testing.assert_array_equal(carrier(*motion), 1.0 - pan[0])
    assert len(calls) == 1


def test_what_changes_slowly_is_painted_anew_at_last(pan):
    frames = [pan[0] * (1.0 - 0.04 * t) for t in range(8)]
    carrier = Carrier(lambda frame, masks: frame)  # shows which frame was painted
    last = [carrier(*motion) for motion in follow_motion(frames)][-1]
    assert np.abs(last - frames[-1]).mean() < 0.12 < np.abs(frames[0] - frames[-1]).mean()


def test_what_an_object_has_hidden_is_painted_again_when_that_is_far_away(pan):
    still = np.zeros((48, 64, 2), "float32")
    carrier = Carrier(lambda frame, masks: np.full_like(pan[0], len(painted) / 100))
    painted = []
    for t in range(20):  # what hides it goes 4 pixels a frame to the right
        is_seen = np.ones((48, 64), bool)
        is_seen[:, 4 * t - 4 : 4 * t] = False
        painted.append(carrier(pan[0], still if t else None, is_seen))
    numbers = [100 * image[24, 5, 0] for image in painted]  # of the frame that it was painted in
    gap = [4 * t - 4 - 5 for t in range(20)]  # from the pixel to what is new
    coats = [next(t for t in range(20) if gap[t] > far) for far in (-5, 8, 24)]
    assert [numbers[t] for t in coats] == pytest.approx(coats)
    assert coats[-1] <= numbers[-1] + 1e-3 < coats[-1] + 1.5  # seams are mixed
    assert painted[-1] is painted[-2]  # and then stays


def test_scene_cut_starts_anew(generator, code, pan):
    other = [1.0 - frame for frame in pan[:2]]
    stylized = [*stylize_frames(generator, [*pan[:2], *other], code)]
    np.testing.assert_array_equal(stylized[2:], [*stylize_frames(generator, other, code)])


def test_mask_may_move_and_what_it_leaves_out_is_the_frame(generator, code, pan):
    masks = [np.zeros((48, 64), "float32") for _ in range(2)]
    masks[0][:, :24], masks[1][:, 32:] = 1.0, 1.0
    stylized = [*stylize_frames(generator, [pan[0]] * 3, [code], masks=[iter(masks)])]
    np.testing.assert_array_equal(stylized[0][:, 24:], pan[0][:, 24:])
    for painted in stylized[1:]:  # the last mask serves for the rest
        np.testing.assert_array_equal(painted[:, :32], pan[0][:, :32])
        assert np.abs(painted - pan[0])[:, 36:].mean() > 1e-2


def test_frames_may_have_any_size_and_few_are_taken_ahead(generator, code):
    rng = np.random.default_rng(0)
    taken = []

    def make_frames():
        for t in range(9):
            taken.append(t)
            yield rng.uniform(0, 1, (37, 51, 3)).astype("float32")

    stylized = stylize_frames(generator, make_frames(), code)
    for t in range(3):
        assert next(stylized).shape == (37, 51, 3)
        assert len(taken) <= t + 3
    stylized.close()


def test_error_of_a_thread_is_raised(generator, code, pan):
    def break_off():
        yield pan[0]
        raise OSError("no more")

    with pytest.raises(OSError, match="no more"):
        list(stylize_frames(generator, break_off(), code))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"strength": 1.1}, r"strength in \[0, 1\]. Received: strength=1.1"),
        ({"strength": float("nan")}, "strength=nan"),
        ({"steady": 2}, "steady: True or False. Received: steady=2"),
        ({"style_size": 31}, "style_size=31"),
        ({"preserve_color": "hue"}, "preserve_color='hue'"),
    ],
)
def test_wrong_options_are_refused_at_once(generator, code, pan, options, message):
    with pytest.raises(ValueError, match=message):
        stylize_frames(generator, pan, code, **options)


def test_several_codes_and_what_is_no_generator_are_refused(generator, code, pan):
    with pytest.raises(ValueError, match=r"the code of one style. Received: code=\(2, 8\)"):
        stylize_frames(generator, pan, np.concatenate([code, code]))
    with pytest.raises(ValueError, match="a generator, from load_generator"):
        stylize_frames(keras.layers.Dense(1), pan, code)


@pytest.fixture(scope="module")
def images(pan):
    return [np.round(255 * frame).astype("uint8") for frame in pan]


@pytest.mark.parametrize(
    ("suffix", "audio_codec"),
    [(".mp4", "aac"), (".mov", "pcm_s16le"), (".mkv", "flac"), (".mkv", "pcm_s16le")],
)
def test_clip_keeps_its_time_stamps_its_size_and_its_sound(
    generator, code, images, tmp_path, suffix, audio_codec
):
    source = make_clip(tmp_path / f"a{suffix}", images, VARIABLE, audio_codec=audio_codec)
    output = tmp_path / "folder" / f"b{suffix}"
    assert stylize_video(generator, source, code, output, crf=4) == 8
    expected, times, sound = read_clip(source)
    stylized, new_times, new_sound = read_clip(output)
    np.testing.assert_allclose(new_times, np.divide(VARIABLE, 1000), atol=1e-6)
    assert new_times == times
    np.testing.assert_array_equal(new_sound, sound)
    assert sound.shape[1] >= RATE // 4
    frames = [image.astype("float32") / 255 for image in expected]
    for image, frame in zip(stylized, stylize_frames(generator, frames, code), strict=True):
        assert image.shape == (48, 64, 3)
        # in blocks, because fine coloured patterns do not outlast 4:2:0
        error = (image / 255.0 - frame).reshape(6, 8, 8, 8, 3).mean(axis=(1, 3))
        assert np.abs(error).mean() < 0.02


@pytest.mark.parametrize(
    ("source", "audio_codec", "output", "expected"),
    [("a.mkv", "pcm_s16le", "b.mp4", "aac"), ("a.mp4", "aac", "b.webm", "opus")],
)
def test_sound_that_the_container_cannot_hold_is_encoded_anew(
    generator, code, images, tmp_path, source, audio_codec, output, expected
):
    source = make_clip(tmp_path / source, images, audio_codec=audio_codec)
    output = tmp_path / output
    stylize_video(generator, source, code, output, strength=0.0)
    with av.open(output) as clip:
        assert clip.streams.audio[0].codec_context.name in (expected, f"lib{expected}")
        assert clip.streams.audio[0].rate == 48_000
    sound = read_clip(output)[2][0, 1000:11_000]
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    assert np.argmax(spectrum) * 48_000 / len(sound) == pytest.approx(440, abs=5)
    assert sound.std() == pytest.approx(0.5 / np.sqrt(2), rel=0.05)


def test_durations_aspect_ratio_and_colour_space_stay(generator, code, images, tmp_path):
    tags = {"sample_aspect_ratio": Fraction(4, 3), "color_primaries": 9, "color_trc": 14}
    source = make_clip(tmp_path / "a.mkv", images, VARIABLE, **tags)
    stylize_video(generator, source, code, tmp_path / "b.mkv", strength=0.0)
    with av.open(tmp_path / "b.mkv") as clip:
        frames = [*clip.decode(video=0)]
        assert clip.streams.video[0].sample_aspect_ratio == Fraction(4, 3)
    durations = [float(frame.duration * frame.time_base) for frame in frames]
    np.testing.assert_allclose(durations, [*np.diff(VARIABLE) / 1000, LAST], atol=1e-6)
    assert (frames[0].color_primaries, frames[0].color_trc) == (9, 14)  # BT.2020


@pytest.mark.parametrize("rotation", [90, 180, -90])
def test_rotated_clip_comes_out_upright(generator, code, tmp_path, rotation):
    image = np.zeros((48, 64, 3), np.uint8)
    image[:24, :32] = 255
    source = make_clip(tmp_path / "a.mp4", [image], rotation=rotation)
    assert stylize_video(generator, source, code, tmp_path / "b.mp4", strength=0.0) == 1
    expected = np.rot90(image, rotation // 90)  # both turn counterclockwise
    with av.open(tmp_path / "b.mp4") as clip:
        frame = next(clip.decode(video=0))
    assert frame.rotation == 0
    assert np.abs(frame.to_ndarray(format="rgb24") - expected.astype("float")).mean() < 5


@pytest.mark.parametrize(
    ("matrix", "full_range", "pixels"),
    [
        (("ITU709", 1), False, "yuv420p"),
        (("ITU601", 6), False, "yuv420p"),
        (("ITU601", 5), True, "yuvj420p"),
        (("ITU601", 2), False, "yuv444p"),
    ],
)
@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_flat_colour_stays_whatever_the_clip_is_tagged_as(
    generator, code, tmp_path, matrix, full_range, pixels, suffix
):
    color = np.uint8([200, 30, 90])
    images = [np.tile(color, (48, 64, 1))] * 2
    options = {"matrix": matrix, "full_range": full_range, "pixels": pixels}
    source = make_clip(tmp_path / "a.mp4", images, **options)
    output = tmp_path / f"b{suffix}"
    stylize_video(generator, source, code, output, strength=0.0)
    # YUV rounds twice; a wrong matrix is off by 22, a wrong range by 14
    assert np.abs(read_clip(output)[0][-1] - color.astype("float")).max() <= 4
    with av.open(output) as clip:
        frame = next(clip.decode(video=0))
        assert (frame.colorspace, frame.color_range) == (1, 1)  # BT.709, limited


def test_untagged_clip_of_720_lines_is_read_as_bt709(generator, code, tmp_path):
    color = np.uint8([200, 30, 90])
    image = np.tile(color, (720, 64, 1))
    source = make_clip(tmp_path / "a.mp4", [image], matrix=("ITU709", 2))
    stylize_video(generator, source, code, tmp_path / "b.mp4", strength=0.0)
    assert np.abs(read_clip(tmp_path / "b.mp4")[0][0] - color.astype("float")).max() <= 3


def test_odd_sides_lose_their_last_row_and_column(generator, code, images, tmp_path):
    odd = [image[:47, :61] for image in images[:2]]
    source = make_clip(tmp_path / "a.mkv", odd, pixels="yuv444p")
    stylize_video(generator, source, code, tmp_path / "b.mp4", strength=0.0)
    stylized = read_clip(tmp_path / "b.mp4")[0]
    assert stylized[0].shape == (46, 60, 3)
    assert np.abs(stylized[1] - odd[1][:46, :60].astype("float")).mean() < 6


def test_progress_tells_the_frames_done(generator, code, images, tmp_path):
    calls = []
    options = {"strength": 0.0, "progress": lambda *call: calls.append(call)}
    for suffix in (".mp4", ".mkv"):  # MKV does not tell the number of its frames
        source = make_clip(tmp_path / f"a{suffix}", images[:3])
        stylize_video(generator, source, code, tmp_path / "b.mp4", **options)
    assert calls == [(1, 3), (2, 3), (3, 3), (1, None), (2, None), (3, None)]


def test_interrupted_run_leaves_the_old_file_alone(generator, code, images, tmp_path):
    source = make_clip(tmp_path / "a.mp4", 15 * images)  # more than the encoder holds back
    before = source.read_bytes()

    def interrupt(done, total):
        if done == total:
            raise KeyboardInterrupt

    for output in (source, tmp_path / "b.mp4"):
        with pytest.raises(KeyboardInterrupt):
            stylize_video(generator, source, code, output, strength=0.0, progress=interrupt)
    assert [*tmp_path.iterdir()] == [source]
    assert source.read_bytes() == before


def test_clip_can_be_overwritten_by_its_own_painting(generator, code, images, tmp_path):
    source = make_clip(tmp_path / "a.mp4", images[:3])
    before = read_clip(source)[0]
    assert stylize_video(generator, source, code, source) == 3
    assert np.abs(np.subtract(read_clip(source)[0], before, dtype="float")).mean() > 10


def test_broken_end_is_left_out(generator, code, images, tmp_path):
    source = make_clip(tmp_path / "a.mkv", images, options={"g": "1"})
    data = source.read_bytes()
    source.write_bytes(data[: len(data) * 2 // 3])
    num_frames = stylize_video(generator, source, code, tmp_path / "b.mkv", strength=0.0)
    assert num_frames == len(read_clip(tmp_path / "b.mkv")[0])
    assert 2 <= num_frames < 8


def test_broken_frames_repeat_the_one_before_and_are_counted(generator, code, tmp_path):
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (48, 64, 3), dtype=np.uint8) for _ in range(8)]
    source = make_clip(tmp_path / "a.mov", images, codec="png", pixels="rgb24")
    data = bytearray(source.read_bytes())
    for t in (3, 4):
        start = [match.start() for match in re.finditer(rb"IHDR", data)][t]
        data[start + 4 : start + 4 + 300] = bytes(300)
    source.write_bytes(data)
    with pytest.warns(UserWarning, match=r"a\.mov has 2 broken frames, which repeat"):
        num_frames = stylize_video(generator, source, code, tmp_path / "b.mp4", strength=0.0, crf=4)
    painted, times, _ = read_clip(tmp_path / "b.mp4")
    assert num_frames == 8
    np.testing.assert_allclose(times, 0.04 * np.arange(8), atol=1e-6)
    grey = [image.mean(axis=-1).reshape(12, 4, 16, 4).mean(axis=(1, 3)) for image in images]
    for t, expected in enumerate([0, 1, 2, 2, 2, 5, 6, 7]):
        seen = painted[t].mean(axis=-1).reshape(12, 4, 16, 4).mean(axis=(1, 3))
        assert np.argmin([np.abs(seen - g).mean() for g in grey]) == expected


def test_hdr_is_tone_mapped_and_said(generator, code, tmp_path):
    image = np.tile(np.uint8([148, 148, 148]), (48, 64, 1))  # PQ's diffuse white: 203 cd/m^2
    tags = {"color_primaries": 9, "color_trc": 16, "matrix": ("BT2020", 9)}
    source = make_clip(tmp_path / "a.mkv", [image] * 2, **tags)
    with pytest.warns(UserWarning, match=r"a\.mkv has HDR, which is written as BT\.709"):
        stylize_video(generator, source, code, tmp_path / "b.mkv", strength=0.0)
    with av.open(tmp_path / "b.mkv") as clip:
        frame = next(clip.decode(video=0))
    assert (frame.color_primaries, frame.color_trc) == (1, 1)
    linear = (1 + (203 / 1000) ** 2) / 2  # Reinhard's curve of 1
    expected = 255 * (1.055 * linear ** (1 / 2.4) - 0.055)
    assert np.abs(frame.to_ndarray(format="rgb24") - expected).max() < 4


def write_sound(path, cover=None):
    """Writes a short silence, and a picture as its cover."""
    with av.open(path, "w", format="mp4") as clip:
        sound = clip.add_stream("aac", rate=RATE, layout="mono")
        samples = av.AudioFrame.from_ndarray(np.zeros((1, 4096), "int16"), "s16", "mono")
        samples.sample_rate = RATE
        if cover is not None:
            picture = clip.add_stream("mjpeg")
            picture.height, picture.width = cover.shape[:2]
            picture.pix_fmt = "yuvj420p"
            picture.disposition = av.stream.Disposition.attached_pic
            clip.mux(picture.encode(av.VideoFrame.from_ndarray(cover, format="rgb24")))
            clip.mux(picture.encode(None))
        clip.mux(sound.encode(samples))
        clip.mux(sound.encode(None))
    return path


def test_files_without_moving_pictures_are_refused(generator, code, images, tmp_path):
    broken, cut = tmp_path / "broken.mp4", tmp_path / "cut.mp4"
    broken.write_bytes(b"no clip" * 100)
    cut.write_bytes(make_clip(tmp_path / "a.mp4", images).read_bytes()[:2000])
    sound = write_sound(tmp_path / "sound.m4a")
    song = write_sound(tmp_path / "song.m4a", cover=images[0])
    empty = make_clip(tmp_path / "empty.mov", images[:1], codec="png", pixels="rgb24")
    data = empty.read_bytes()
    empty.write_bytes(data.replace(b"IHDR", b"IHDX"))  # its only frame
    for path in (broken, cut, sound, song, empty):
        with pytest.raises(ValueError, match=f"a video file that PyAV reads.*{path.name}"):
            stylize_video(generator, path, code, tmp_path / "b.mp4")
    with pytest.raises(FileNotFoundError, match=r"missing\.mp4"):
        stylize_video(generator, tmp_path / "missing.mp4", code, tmp_path / "b.mp4")
    assert not (tmp_path / "b.mp4").exists()


def test_other_suffixes_and_quality_out_of_range_are_refused(generator, code, tmp_path):
    with pytest.raises(ValueError, match="crf of 0 to 51. Received: crf=64"):
        stylize_video(generator, tmp_path / "a.mp4", code, tmp_path / "b.mp4", crf=64)
    with pytest.raises(ValueError, match=r"\.mp4.*Received: output='.*b\.avi'"):
        stylize_video(generator, tmp_path / "a.mp4", code, tmp_path / "b.avi")


def test_missing_pyav_is_named_with_its_extra(generator, code, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ImportError, match=r"stylegan_transfer\[video\]"):
        stylize_video(generator, tmp_path / "a.mp4", code, tmp_path / "b.mp4")


def test_the_last_frame_of_a_clip_without_durations_stays_as_long_as_others(
    generator, code, pan, tmp_path
):
    images = [np.round(255 * image).astype("uint8") for image in pan[:3]]
    make_clip(tmp_path / "a.mkv", images)
    for source, output in (("a.mkv", "b.webm"), ("b.webm", "c.mp4")):
        stylize_video(generator, tmp_path / source, code, tmp_path / output, strength=0.0)
    with av.open(tmp_path / "b.webm") as clip:
        assert [frame.duration for frame in clip.decode(video=0)] == [0, 0, 0]
    with av.open(tmp_path / "c.mp4") as clip:
        durations = [frame.duration * frame.time_base for frame in clip.decode(video=0)]
    assert durations == [Fraction(1, 25)] * 3
