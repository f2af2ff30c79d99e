"""Folder runs of `stylize`: what counts as done, what is painted again, and what is said."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
from PIL import Image

from stylegan_transfer.commands import stylize
from stylegan_transfer.commands.stylization import paint
from stylegan_transfer.exporting.export import export
from stylegan_transfer.measuring import originality
from stylegan_transfer.measuring.originality import Closeness, OriginalityReport
from stylegan_transfer.pictures import files

PHOTOS = ("a", "b", "c")


@pytest.fixture
def folder(save_picture, tmp_path):
    """Three photographs and a style."""
    for i, name in enumerate(PHOTOS):
        save_picture(f"photos/{name}.png", (40, 40), seed=i)
    save_picture("s.png", (40, 40), seed=9)
    return tmp_path


@pytest.fixture
def run(run_stylize, folder):
    def run(*flags, contents="photos", styles=("s.png",), output="out"):
        named = [f"--content={folder / contents}", *(f"--style={folder / s}" for s in styles)]
        return run_stylize(*named, "--batch_size=1", *flags, output=folder / output)

    return run


@pytest.fixture
def painted(monkeypatch):
    """The names of the files that are painted, in order."""
    names = []

    def save(picture, path, quality=95):
        names.append(path.name)
        files.save_picture(picture, path, quality)

    monkeypatch.setattr(paint, "save_picture", save)
    return names


@pytest.fixture
def interrupt_after(monkeypatch):
    """Makes Ctrl-C come after so many pictures of the next run."""

    def interrupt(num_pictures):
        count = 0

        def save(picture, path, quality=95):
            nonlocal count
            files.save_picture(picture, path, quality)
            count += 1
            if count == num_pictures:
                monkeypatch.setattr(paint, "save_picture", files.save_picture)
                raise KeyboardInterrupt

        monkeypatch.setattr(paint, "save_picture", save)

    return interrupt


def read(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix == ".png"}


def test_what_an_interrupted_run_has_not_come_to_is_not_done(run, folder, interrupt_after, capsys):
    """A at strength 1, B with --overwrite at 0.5 interrupted, C resumes B."""
    assert run().returncode == 0
    full = read(folder / "out")
    interrupt_after(2)
    process = run("--overwrite", "--strength=0.5")
    assert process.returncode == 130
    assert "1 of 3 pictures are done; the same command with --resume" in process.stderr
    process = run("--resume", "--strength=0.5")
    assert process.returncode == 0, process.stderr
    assert "Not finished, painted again" in process.stdout
    assert "Wrote 3 of 3 pictures, 1 of them before" in process.stdout
    assert run("--strength=0.5", output="expected").returncode == 0
    expected = read(folder / "expected")
    assert read(folder / "out") == expected
    assert all(full[f"{name}_s.png"] != expected[f"{name}_s.png"] for name in PHOTOS)


def test_an_interrupted_run_that_is_resumed_ends_as_an_uninterrupted_one(
    run, folder, interrupt_after, painted
):
    assert run(output="expected").returncode == 0
    interrupt_after(2)
    assert run().returncode == 130
    assert run("--resume").returncode == 0
    assert read(folder / "out") == read(folder / "expected")
    records = [json.loads((folder / o / "stylize.json").read_text()) for o in ("out", "expected")]
    assert records[0] == records[1]


def test_nothing_is_painted_where_all_is_done(run, painted):
    assert run().returncode == 0
    assert len(painted) == 3
    process = run("--resume")
    assert process.returncode == 0, process.stderr
    assert "Wrote 3 of 3 pictures, 3 of them before" in process.stdout
    assert len(painted) == 3


def test_added_files_get_their_own_results_and_never_anothers(run, folder, save_picture, painted):
    assert run().returncode == 0
    before = read(folder / "out")
    save_picture("photos/a.bmp", (48, 40), seed=20)  # sorts before a.png
    painted.clear()
    assert run("--resume").returncode == 0
    assert painted == ["a_s-2.png"]
    after = read(folder / "out")
    del before["contact_sheet.png"]
    assert before.items() <= after.items()
    with Image.open(folder / "out" / "a_s-2.png") as image:
        assert image.size == (40, 48)
    painted.clear()
    assert run("--overwrite").returncode == 0  # as before, in place of swapped names
    assert painted == ["a_s-2.png", "a_s.png", "b_s.png", "c_s.png"]
    assert read(folder / "out") == after


def test_a_changed_photograph_is_painted_again_and_the_run_says_so(
    run, folder, save_picture, painted
):
    assert run().returncode == 0
    before = os.stat(folder / "photos" / "b.png")
    save_picture("photos/b.png", (40, 40), seed=21)
    os.utime(folder / "photos" / "b.png", ns=(before.st_atime_ns, before.st_mtime_ns))
    painted.clear()
    process = run("--resume")
    assert process.returncode == 0, process.stderr
    assert painted == ["b_s.png"]
    output = folder / "out" / "b_s.png"
    assert f"Made of another content, painted again: {output}" in process.stdout


def test_a_changed_style_or_generator_is_painted_again(
    run, folder, save_picture, painted, make_generator
):
    from stylegan_transfer.networks.saving import save_generator

    generator = folder / "own.keras"
    save_generator(make_generator(seed=1), generator)
    own = f"--generator={generator}"
    assert run(own).returncode == 0
    save_picture("s.png", (40, 40), seed=22)
    painted.clear()
    process = run(own, "--resume")
    assert "Made of another style, painted again:" in process.stdout
    assert "and 2 more" in process.stdout
    assert len(painted) == 3
    save_generator(make_generator(seed=2), generator)
    painted.clear()
    assert "Made of another generator, painted again:" in run(own, "--resume").stdout
    assert len(painted) == 3


def test_a_changed_mask_is_painted_again(run, folder, painted):
    mask = folder / "mask.png"
    Image.new("L", (40, 40), 255).save(mask)
    assert run(f"--mask={mask}").returncode == 0
    Image.new("L", (40, 40), 128).save(mask)
    painted.clear()
    assert "Made of another mask, painted again" in run(f"--mask={mask}", "--resume").stdout
    assert len(painted) == 3


def test_other_flags_do_not_resume_a_finished_folder(run, folder):
    assert run().returncode == 0
    before = read(folder / "out")
    process = run("--resume", "--strength=0.5", "--seed=3")
    assert process.returncode == 1
    assert "stylize.json names for --resume" in process.stderr
    assert "other --seed, --strength" in process.stderr
    assert read(folder / "out") == before


def test_the_same_files_under_other_paths_are_the_same(run, folder, painted, monkeypatch):
    assert run().returncode == 0
    painted.clear()
    monkeypatch.chdir(folder / "photos")
    process = run("--resume", contents="out/../photos", styles=())
    assert process.returncode == 1  # no style at all
    for style in ("../s.png", "s.png"):
        relative = os.path.relpath(folder / "s.png") if style == "s.png" else style
        process = run("--resume", f"--style={relative}", styles=())
        assert process.returncode == 0, process.stderr
        assert "3 of them before" in process.stdout
    assert not painted


def test_a_folder_that_has_moved_with_all_its_files_is_still_done(run, folder, painted):
    assert run().returncode == 0
    (folder / "moved").mkdir()
    for name in ("photos", "out", "s.png"):
        (folder / name).rename(folder / "moved" / name)
    painted.clear()
    process = run("--resume", contents="moved/photos", styles=("moved/s.png",), output="moved/out")
    assert process.returncode == 0, process.stderr
    assert not painted


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no JSON",
        "[]",
        '{"strength": 1.0, "format": "png"}',  # of an earlier version
        '{"format": 1}',
        '{"format": 2, "results": {}}',
        '{"format": 1, "results": []}',
        '{"format": 1, "results": {"a_s.png": {}}}',
        '{"format": 1, "results": {"a_s.png": {"pair": "a"}}}',
        '{"format": 1, "results": {"a_s.png": {"pair": ["a", "s", "t"], "made_of": 3}}}',
        '{"format": 1, "results": {"../a.png": {"pair": ["a", "s", "t"]}}}',
    ],
)
def test_a_damaged_record_is_an_error_that_names_it_or_a_full_new_run(run, folder, painted, text):
    (folder / "out").mkdir()
    record = folder / "out" / "stylize.json"
    record.write_text(text)
    process = run("--resume")
    assert process.returncode == 1
    assert process.stderr.startswith("Error: Expected the record of an earlier run")
    assert len(process.stderr.splitlines()) == 1
    assert str(record) in process.stderr
    assert not painted
    if text == "":
        assert run("--overwrite").returncode == 0
        assert len(painted) == 3
        assert len(json.loads(record.read_text())["results"]) == 3


def test_results_without_a_record_are_not_taken_for_done(run, folder, painted):
    assert run().returncode == 0
    (folder / "out" / "stylize.json").unlink()
    painted.clear()
    process = run("--resume")
    assert process.returncode == 1
    assert "a_s.png and 2 more, which it does not" in process.stderr
    assert not painted


def test_a_file_that_is_nobodys_result_is_not_replaced(run, folder, painted):
    assert run(contents="photos/b.png").returncode == 0
    precious = folder / "out" / "a_s.png"
    precious.write_bytes(b"precious")
    process = run("--resume")
    assert process.returncode == 1
    assert str(precious) in process.stderr
    assert precious.read_bytes() == b"precious"


def test_a_single_file_has_no_record_and_is_not_resumed(run, folder):
    output = "result.png"
    assert run(contents="photos/a.png", output=output).returncode == 0
    process = run("--resume", contents="photos/a.png", output=output)
    assert process.returncode == 1
    assert "--resume takes a folder" in process.stderr


@pytest.mark.parametrize("output", ["photos/results", "photos"])
def test_results_among_the_contents_are_not_painted(run, output, painted):
    for _ in range(2):
        process = run("--resume", output=output)
        assert process.returncode == 0, process.stderr
        assert "Wrote 3 of 3 pictures" in process.stdout
    assert painted == ["a_s.png", "b_s.png", "c_s.png"]


def test_a_failing_record_is_named_and_does_not_hide_the_results(run, folder, monkeypatch):
    from stylegan_transfer.commands.stylization.record import Record

    save, count = Record.save, 0

    def fail_at_the_end(record):
        nonlocal count
        count += 1
        if count > 1:
            raise OSError(28, "No space left on device")
        save(record)

    monkeypatch.setattr(Record, "save", fail_at_the_end)
    process = run()
    assert process.returncode == 1
    assert "Wrote 3 of 3 pictures" in process.stdout
    assert f"Error: {folder / 'out' / 'stylize.json'}: " in process.stderr
    assert "No space left on device" in process.stderr


@pytest.fixture(scope="module")
def quick_start(make_generator, tmp_path_factory):
    """The flags of a tiny generator that paints without TensorFlow, whose start takes long."""
    pytest.importorskip("onnxruntime")
    folder = tmp_path_factory.mktemp("exported") / "toy"
    export(make_generator(), folder, format="onnx")
    return f"--generator={folder}", "--runtime=onnx", "--style_size=32", "--batch_size=1"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_run_that_was_killed_ends_as_an_uninterrupted_one(
    run_command, folder, quick_start, number, save_picture
):
    for i in range(7):
        save_picture(f"photos/{i}.png", (120, 120), seed=i)
    flags = [f"--content={folder / 'photos'}", f"--style={folder / 's.png'}", *quick_start]
    assert run_command(stylize, *flags, f"--output={folder / 'expected'}").returncode == 0
    flags.append(f"--output={folder / 'out'}")
    process = subprocess.Popen(
        [sys.executable, "experiments/stylize.py", *flags], stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 120
    while len(list((folder / "out").glob("*.png"))) < 2:
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.001)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == {signal.SIGKILL: -9, signal.SIGTERM: 130}[number]
    assert "Traceback" not in errors
    if number == signal.SIGTERM:
        assert " of 10 pictures are done" in errors
    num_written = len(list((folder / "out").glob("*.png")))
    assert num_written < 10
    for left in (folder / "out").glob(".saving-*"):
        shutil.rmtree(left)
    assert run_command(stylize, *flags, "--resume").returncode == 0
    assert read(folder / "out") == read(folder / "expected")
    assert len(read(folder / "out")) == 11


def test_a_result_that_is_not_as_it_was_written_is_kept_and_said(run, folder, painted):
    assert run().returncode == 0
    result = folder / "out" / "b_s.png"
    result.write_bytes(result.read_bytes()[:200])
    painted.clear()
    process = run("--resume")
    assert painted == []
    assert f"Not as it was written, kept (delete it to have it painted again): {result}" in (
        process.stdout
    )
    result.unlink()
    assert run("--resume").returncode == 0
    assert painted == ["b_s.png"]


def test_reports_of_an_interrupted_run_are_not_lost(run, folder, interrupt_after, monkeypatch):
    unlike = Closeness(ssim=0.0, feature_distance=1.0, patch_correlation=0.0)
    report = OriginalityReport(unlike, unlike, unlike)
    monkeypatch.setattr(originality, "judge_originality", lambda *args: report)
    interrupt_after(2)
    assert run("--report").returncode == 130
    assert run("--report", "--resume").returncode == 0
    rows = json.loads((folder / "out" / "originality.json").read_text())
    assert {*rows} == {str(folder / "out" / f"{name}_s.png") for name in PHOTOS}
