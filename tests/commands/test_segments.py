"""Clips that go on after an interruption: segments, and frames equal to an uninterrupted run's."""

import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

import av
import numpy as np
import pytest
from clip_files import make_clip, read_clip

from stylegan_transfer import samples
from stylegan_transfer.commands import stylize
from stylegan_transfer.exporting.export import export
from stylegan_transfer.pictures import segments
from stylegan_transfer.stylizing.carrying import STATE
from stylegan_transfer.stylizing.video import stylize_video

STAMPS = [0, 41, 70, 103, 200, 257, 300, 461]  # in milliseconds


@pytest.fixture(scope="module")
def images():
    """Eight frames of a pan."""
    picture = np.round(255 * samples.draw_content("harbour", 128)).astype("uint8")
    return [picture[40:88, 4 * t : 4 * t + 64] for t in range(8)]


@pytest.fixture
def short_segments(monkeypatch):
    monkeypatch.setattr(segments, "LENGTH", 3)


def stop_after(count):
    def progress(done, total):
        if done == count:
            raise KeyboardInterrupt

    return progress


def break_file(path):
    path.write_bytes(b"PK broken")


def forget_coats(path):
    with np.load(path) as arrays:
        state = dict(arrays)
    assert {*state} == {*STATE}
    del state["coats"]
    np.savez(path, **state)


DAMAGES = [
    ("segment.json", break_file),
    ("state.npz", break_file),
    ("state.npz", pathlib.Path.unlink),
    ("state.npz", forget_coats),
]


def assert_equal_clips(path, other, is_lossless=False):
    """The files may differ: Matroska gives each a random number, and x264 codes the same pictures
    now and then in other ways, which differ by some steps of 255."""
    (frames, *found), (other_frames, *wanted) = read_clip(path), read_clip(other)
    difference = np.abs(np.asarray(frames, "float32") - np.asarray(other_frames, "float32"))
    assert difference.mean() <= (0.0 if is_lossless else 2.0)
    for part, wanted_part in zip(found, wanted, strict=True):
        if wanted_part is not None:  # no sound
            np.testing.assert_array_equal(part, wanted_part)


@pytest.mark.usefixtures("short_segments")
@pytest.mark.parametrize("steady", [True, False])
@pytest.mark.parametrize(
    ("suffix", "lossless"),
    [(".mp4", False), (".mov", False), (".mkv", False), (".webm", False), (".mkv", True)],
)
def test_an_interrupted_clip_goes_on_to_the_frames_of_an_uninterrupted_one(
    generator, code, images, tmp_path, suffix, lossless, steady
):
    source = make_clip(tmp_path / "a.mkv", images, STAMPS, audio_codec="aac")
    expected, output, folder = tmp_path / f"b{suffix}", tmp_path / f"c{suffix}", tmp_path / "parts"
    masks = np.linspace(0.5, 1, 8 * 48 * 64, dtype="float32").reshape(8, 48, 64)

    def paint(output, **options):
        options |= {"masks": [iter(masks)], "steady": steady, "lossless": lossless}
        return stylize_video(generator, source, [code], output, **options)

    assert paint(expected) == 8
    for count in (5, 7):  # the second one of which is in the second segment, again
        with pytest.raises(KeyboardInterrupt):
            paint(output, segments=folder, progress=stop_after(count))
        assert not output.exists()
        assert segments.count_frames(folder) == 3 * (count // 3)
    calls = []
    frames = paint(output, segments=folder, progress=lambda *call: calls.append(call[0]))
    assert frames == 8
    assert calls == [7, 8]
    assert not folder.exists()
    assert_equal_clips(output, expected, lossless)


@pytest.mark.usefixtures("short_segments")
def test_segments_are_joined_as_they_are(generator, code, images, tmp_path):
    source, folder = make_clip(tmp_path / "a.mp4", images), tmp_path / "parts"
    with pytest.raises(KeyboardInterrupt):
        stylize_video(
            generator, source, code, tmp_path / "b.mp4", segments=folder, progress=stop_after(7)
        )
    assert [*folder.glob("*/state.npz")] == [folder / "000001" / "state.npz"]  # of the last
    parts = []
    for number in range(2):
        with av.open(folder / f"{number:06d}" / "pictures.mp4") as clip:
            parts += [bytes(packet) for packet in clip.demux(video=0) if packet.size]
    stylize_video(generator, source, code, tmp_path / "b.mp4", segments=folder)
    with av.open(tmp_path / "b.mp4") as clip:
        joined = [bytes(packet) for packet in clip.demux(video=0) if packet.size]
    assert joined[:6] == parts
    assert len(joined) == 8


@pytest.mark.usefixtures("short_segments")
def test_damaged_segments_are_named(generator, code, images, tmp_path):
    source, folder = make_clip(tmp_path / "a.mp4", images), tmp_path / "parts"
    for name, damage in DAMAGES:
        with pytest.raises(KeyboardInterrupt):
            stylize_video(
                generator, source, code, tmp_path / "b.mp4", segments=folder, progress=stop_after(5)
            )
        damage(folder / "000000" / name)
        with pytest.raises(ValueError, match=f"^Expected whole segments of a clip, .*{name} "):
            stylize_video(generator, source, code, tmp_path / "b.mp4", segments=folder)
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def toy(make_generator, tmp_path_factory):
    """A tiny generator that paints without TensorFlow, whose start takes long."""
    pytest.importorskip("onnxruntime")
    folder = tmp_path_factory.mktemp("exported") / "toy"
    export(make_generator(), folder, format="onnx")
    return folder


@pytest.fixture
def flags(toy, images, tmp_path, save_picture):
    make_clip(tmp_path / "a.mkv", images)
    style = save_picture("s.png", (40, 40), seed=9)
    return [
        *(f"--generator={toy}", "--runtime=onnx", "--style_size=32"),
        *(f"--content={tmp_path / 'a.mkv'}", f"--style={style}"),
    ]


@pytest.fixture
def interrupt(monkeypatch):
    """Makes Ctrl-C come after so many frames of the next run."""
    from stylegan_transfer.commands.stylization import clip

    def interrupt(count):
        def show(bar):
            monkeypatch.undo()
            monkeypatch.setattr(segments, "LENGTH", 3)
            return stop_after(count)

        monkeypatch.setattr(clip, "_show_frames", show)

    return interrupt


@pytest.mark.usefixtures("short_segments")
@pytest.mark.parametrize("output", ["out.mkv", "out"])
def test_the_command_goes_on_and_notices_what_has_changed(
    run_command, flags, images, interrupt, tmp_path, output
):
    def run(*more):
        return run_command(stylize, *flags, f"--output={tmp_path / output}", *more)

    result = tmp_path / output if output.endswith(".mkv") else tmp_path / output / "a_s.mkv"
    folder = result.parent / f".segments-{result.name}"
    assert run_command(stylize, *flags, f"--output={tmp_path / 'expected.mkv'}").returncode == 0

    interrupt(2)
    assert run().returncode == 130
    assert not folder.exists()  # there is nothing in it
    interrupt(5)
    process = run("--overwrite")
    assert process.returncode == 130
    assert "0 of 1 pictures are done; the same command with --resume goes on" in process.stderr

    process = run()
    assert process.returncode == 1
    assert "Expected --resume, or --overwrite to begin anew" in process.stderr
    process = run("--resume", "--strength=0.5")
    assert process.returncode == 1
    assert "begun for --resume, or --overwrite. Received: other --strength" in process.stderr

    process = run("--resume")
    assert process.returncode == 0, process.stderr
    assert f"Goes on after frame 3: {result}" in process.stdout
    assert_equal_clips(result, tmp_path / "expected.mkv")
    assert not folder.exists()

    interrupt(5)
    assert run("--overwrite", "--seed=4").returncode == 130
    result.unlink()
    make_clip(tmp_path / "a.mkv", images[::-1])
    process = run("--resume", "--seed=4")
    assert f"Made of another content, painted again: {result}" in process.stdout
    assert (
        run_command(stylize, *flags, "--seed=4", f"--output={tmp_path / 'other.mkv'}").returncode
        == 0
    )
    assert_equal_clips(result, tmp_path / "other.mkv")


@pytest.mark.usefixtures("short_segments")
@pytest.mark.parametrize(("name", "damage"), DAMAGES)
def test_what_is_damaged_begins_anew(run_command, flags, interrupt, tmp_path, name, damage):
    output = tmp_path / "out.mkv"
    damaged = tmp_path / ".segments-out.mkv" / "000000" / name
    for how in ("--resume", "--overwrite"):
        interrupt(5)
        assert run_command(stylize, *flags, f"--output={output}").returncode == 130
        damage(damaged)
        process = run_command(stylize, *flags, f"--output={output}", how)
        assert process.returncode == 0, process.stderr
        lines = [line for line in process.stdout.splitlines() if str(damaged) in line]
        assert len(lines) == (how == "--resume")
        assert all(line.startswith(f"Painted again: {output}. Expected whole") for line in lines)
        assert "Goes on" not in process.stdout
        assert len(read_clip(output)[0]) == 8
        assert not damaged.parent.parent.exists()
        output.unlink()


@pytest.mark.usefixtures("short_segments")
def test_segments_of_which_nothing_is_known_begin_anew(run_command, flags, interrupt, tmp_path):
    output = tmp_path / "out.mkv"
    interrupt(5)
    assert run_command(stylize, *flags, f"--output={output}").returncode == 130
    (tmp_path / ".segments-out.mkv" / "made_of.json").write_text("damaged")
    process = run_command(stylize, *flags, f"--output={output}", "--resume")
    assert process.returncode == 0, process.stderr
    assert f"Made of something unknown, painted again: {output}\n" in process.stdout


@pytest.mark.usefixtures("short_segments")
def test_frames_painted_alone_go_on_without_a_state(run_command, flags, interrupt, tmp_path):
    flags += ["--steady=false", f"--output={tmp_path / 'out.mkv'}"]
    interrupt(5)
    assert run_command(stylize, *flags).returncode == 130
    assert "Goes on after frame 3" in run_command(stylize, *flags, "--resume").stdout


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_clip_whose_run_was_killed_ends_as_an_uninterrupted_one(
    run_command, flags, images, tmp_path, number, monkeypatch
):
    flags.append("--lossless")
    make_clip(tmp_path / "a.mkv", 12 * images)
    monkeypatch.setattr(segments, "LENGTH", 5)
    assert run_command(stylize, *flags, f"--output={tmp_path / 'expected.mkv'}").returncode == 0
    flags.append(f"--output={tmp_path / 'out.mkv'}")
    program = (
        "import sys; from stylegan_transfer.pictures import segments; segments.LENGTH = 5; "
        "from stylegan_transfer.commands import launch, stylize; "
        "sys.exit(launch.run(stylize.main, ['stylize', *sys.argv[1:]]))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, *flags], stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 120
    while not (tmp_path / ".segments-out.mkv" / "000002").exists():
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.001)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == {signal.SIGKILL: -9, signal.SIGTERM: 130}[number]
    assert "Traceback" not in errors
    process = run_command(stylize, *flags, "--resume")
    assert process.returncode == 0, process.stderr
    assert 15 <= int(re.search(r"Goes on after frame (\d+)", process.stdout)[1]) < 96
    assert_equal_clips(tmp_path / "out.mkv", tmp_path / "expected.mkv", is_lossless=True)
    assert not (tmp_path / ".segments-out.mkv").exists()
