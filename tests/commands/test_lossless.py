"""Clips without loss, and clips with alpha."""

import av
import numpy as np
import pytest
from clip_files import make_clip, read_clip

from stylegan_transfer import samples
from stylegan_transfer.stylizing.video import stylize_frames, stylize_video


@pytest.fixture(scope="module")
def images():
    """Four frames of a pan."""
    picture = np.round(255 * samples.draw_content("harbour", 128)).astype("uint8")
    return [np.ascontiguousarray(picture[40:88, 4 * t : 4 * t + 64]) for t in range(4)]


@pytest.fixture
def lossless_source(images, tmp_path):
    return make_clip(tmp_path / "a.mkv", images, codec="ffv1", pixels="bgr0")


def make_transparent(path, images, alpha, hidden):
    """A lossless clip; where alpha is 0, its colours are `hidden`."""
    with av.open(path, "w") as clip:
        stream = clip.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "bgra"
        for image in images:
            pixels = np.dstack([np.where(alpha[..., None] > 0, image, np.uint8(hidden)), alpha])
            clip.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgba")))
        clip.mux(stream.encode(None))
    return path


def read_transparent(path):
    with av.open(path) as clip:
        stream = clip.streams.video[0]
        decoder = stream.codec_context
        if decoder.name == "vp9":  # FFmpeg's own decoder drops alpha
            decoder = av.CodecContext.create("libvpx-vp9", "r")
        frames = [frame for packet in clip.demux(stream) for frame in decoder.decode(packet)]
    return [frame.to_ndarray(format="rgba") for frame in frames]


@pytest.fixture
def alpha():
    """Rises from 0, on the left half, to 255."""
    ramp = np.round(255 * np.clip(np.arange(64) / 32 - 1, 0, 1)).astype("uint8")
    return np.tile(ramp, (48, 1))


@pytest.mark.parametrize("strength", [0.0, 1.0])
def test_lossless_clip_holds_the_painting_to_the_bit(
    generator, code, images, lossless_source, tmp_path, strength
):
    output = tmp_path / "b.mkv"
    assert stylize_video(generator, lossless_source, code, output, lossless=True, strength=strength)
    frames = [image.astype("float32") / 255 for image in images]
    painted = stylize_frames(generator, frames, code, strength=strength)
    expected = [np.round(255 * image).astype("uint8") for image in painted]
    np.testing.assert_array_equal(read_clip(output)[0], expected)
    with av.open(output) as clip:
        assert clip.streams.video[0].codec_context.name == "ffv1"


@pytest.mark.parametrize(
    ("suffix", "lossless", "codec", "error"),
    [(".mkv", True, "ffv1", 0), (".mov", False, "prores", 2), (".webm", False, "vp9", 16)],
)
def test_alpha_stays_as_it_is(
    generator, code, images, alpha, tmp_path, suffix, lossless, codec, error
):
    source = make_transparent(tmp_path / "a.mkv", images, alpha, hidden=[0, 0, 0])
    output = tmp_path / f"b{suffix}"
    assert stylize_video(generator, source, code, output, lossless=lossless) == 4
    with av.open(output) as clip:
        assert clip.streams.video[0].codec_context.name == codec
    painted = np.array(read_transparent(output), dtype="int32")
    assert np.abs(painted[..., 3] - alpha).max() <= error
    assert np.abs(painted[..., 32:, :3] - np.array(images)[..., 32:, :]).mean() > 10


def test_colours_under_transparent_parts_do_not_count(generator, code, images, alpha, tmp_path):
    painted = []
    for hidden in ([0, 0, 0], [255, 0, 99]):
        source = make_transparent(tmp_path / "a.mkv", images, alpha, hidden)
        stylize_video(generator, source, code, tmp_path / "b.mkv", lossless=True)
        painted.append(read_transparent(tmp_path / "b.mkv"))
    np.testing.assert_array_equal(*painted)


def test_alpha_beside_the_pictures_of_webm_is_read(generator, code, images, alpha, tmp_path):
    source = make_transparent(tmp_path / "a.mkv", images, alpha, hidden=[0, 0, 0])
    stylize_video(generator, source, code, tmp_path / "b.webm", strength=0.0, crf=0)
    with av.open(tmp_path / "b.webm") as clip:
        assert [frame.format.name for frame in clip.decode(video=0)] == ["yuv420p"] * 4  # dropped
    stylize_video(generator, tmp_path / "b.webm", code, tmp_path / "c.mov", strength=0.0)
    found = np.array(read_transparent(tmp_path / "c.mov"), dtype="int32")
    assert np.abs(found[..., 3] - alpha).max() <= 4
    expected = np.array(images, dtype="int32")[:, :, 34:]
    assert np.abs(found[:, :, 34:, :3] - expected).mean() < 12  # 4:2:0


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_alpha_that_is_dropped_is_said(generator, code, images, alpha, tmp_path, suffix):
    source = make_transparent(tmp_path / "a.mkv", images, alpha, hidden=[0, 0, 0])
    with pytest.warns(UserWarning, match=rf"a\.mkv has alpha, which \{suffix} drops"):
        stylize_video(generator, source, code, tmp_path / f"b{suffix}", strength=0.0)
    assert len(read_clip(tmp_path / f"b{suffix}")[0]) == 4


def test_lossless_clips_of_other_suffixes_are_refused(generator, code, lossless_source, tmp_path):
    with pytest.raises(ValueError, match=r"\.mkv for lossless clips. Received: output=.*b\.mp4"):
        stylize_video(generator, lossless_source, code, tmp_path / "b.mp4", lossless=True)
    with pytest.raises(ValueError, match="lossless: True or False. Received: lossless=1"):
        stylize_video(generator, lossless_source, code, tmp_path / "b.mkv", lossless=1)


def test_the_command_writes_lossless_clips(run_stylize, save_picture, images, tmp_path):
    source = make_clip(tmp_path / "a.mp4", images)
    flags = f"--content={source}", f"--style={save_picture('s.png')}", "--strength=0"
    process = run_stylize(*flags, "--lossless", output=tmp_path / "b.mp4")
    assert process.returncode == 1
    assert "Expected an --output that ends in one of .mkv for" in process.stderr
    assert process.stderr.count("\n") == 1

    process = run_stylize(*flags, "--lossless", output=tmp_path / "out")
    assert process.returncode == 0, process.stderr
    expected = read_clip(source)[0]
    np.testing.assert_array_equal(read_clip(tmp_path / "out" / "a_s.mkv")[0], expected)
    process = run_stylize(*flags, "--resume", output=tmp_path / "out")
    assert process.returncode == 0
    assert "a_s.mp4" in "".join(path.name for path in (tmp_path / "out").iterdir())
