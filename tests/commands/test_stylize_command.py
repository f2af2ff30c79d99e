"""The command `stylize`: what it paints, writes, says and refuses."""

import json
import pathlib
import sys

import av
import numpy as np
import pytest
from PIL import Image

from stylegan_transfer.commands import stylize
from stylegan_transfer.commands.stylization import paint, styles
from stylegan_transfer.networks import saving
from stylegan_transfer.pictures import contact_sheet
from stylegan_transfer.stylizing import codes, contents
from stylegan_transfer.stylizing import stylize as stylizing
from stylegan_transfer.stylizing.qualities import QUALITIES, Refinement


def read(path):
    with Image.open(path) as image:
        return np.asarray(image)


def test_every_content_is_painted_in_every_style_beside_a_contact_sheet(
    run_stylize, save_picture, tmp_path
):
    save_picture("photos/a.png", (48, 40), seed=1)
    save_picture("photos/deep/b.jpg", (36, 60), seed=2)
    style = save_picture("x.png", (50, 50), seed=3), save_picture("y.png", (32, 70), seed=4)
    output = tmp_path / "out"
    process = run_stylize(
        f"--content={tmp_path / 'photos'}", *(f"--style={s}" for s in style), output=output
    )
    assert process.returncode == 0, process.stderr
    assert "Wrote 4 of 4 pictures" in process.stdout
    sizes = {path.name: read(path).shape[1::-1] for path in output.glob("*.png")}
    gap, cell = 256 // 32, 256
    assert sizes == {
        "a_x.png": (40, 48),
        "a_y.png": (40, 48),
        "b_x.png": (60, 36),
        "b_y.png": (60, 36),
        "contact_sheet.png": (3 * cell + 4 * gap, 3 * cell + 4 * gap),
    }
    assert np.any(read(output / "a_x.png") != read(output / "a_y.png"))


def test_one_pair_is_written_to_the_file_that_is_named(run_stylize, save_picture, tmp_path):
    content, style = save_picture("content.png"), save_picture("style.png", seed=1)
    output = tmp_path / "new" / "result.png"
    process = run_stylize(f"--content={content}", f"--style={style}", "--strength=0", output=output)
    assert process.returncode == 0, process.stderr
    assert [path.name for path in output.parent.iterdir()] == ["result.png"]
    np.testing.assert_array_equal(read(output), read(content))  # strength 0


def test_unreadable_files_are_named_and_the_others_painted(run_stylize, save_picture, tmp_path):
    for name in ("photos/good.png", "photos/last.png", "styles/style.png"):
        save_picture(name)
    (tmp_path / "photos" / "broken.png").write_text("no picture")
    (tmp_path / "styles" / "empty.png").touch()
    save_picture("photos/narrow.png", (20, 64))
    output = tmp_path / "out"
    process = run_stylize(
        f"--content={tmp_path / 'photos'}", f"--style={tmp_path / 'styles'}", output=output
    )
    assert process.returncode == 1
    assert "Wrote 2 of 8 pictures" in process.stdout
    assert "Traceback" not in process.stderr
    errors = [line for line in process.stderr.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 3
    for word in ("broken.png", "empty.png", "32"):  # the least side
        assert any(word in error for error in errors), word
    written = {path.name for path in output.glob("*.png")}
    assert written == {"good_style.png", "last_style.png", "contact_sheet.png"}


def test_pairs_never_share_an_output_file(run_stylize, save_picture, tmp_path):
    contents = [
        save_picture(name, size)
        for name, size in (
            ("1/a.png", (32, 33)),
            ("2/a.png", (32, 34)),
            ("a_b.png", (32, 35)),
            ("contact.png", (32, 36)),
        )
    ]
    styles = [save_picture(name) for name in ("c.png", "b_c.png", "sheet.png")]
    output = tmp_path / "out"
    process = run_stylize(
        *(f"--content={path}" for path in contents),
        *(f"--style={path}" for path in styles),
        output=output,
    )
    assert process.returncode == 0, process.stderr
    widths = sorted(read(path).shape[1] for path in output.glob("*.png"))
    assert widths == [33] * 3 + [34] * 3 + [35] * 3 + [36] * 3 + [4 * 256 + 5 * 8]


def test_several_pairs_do_not_go_into_one_file(run_stylize, save_picture, tmp_path):
    contents = save_picture("a.png"), save_picture("b.png")
    process = run_stylize(
        *(f"--content={path}" for path in contents),
        f"--style={contents[0]}",
        output=tmp_path / "out.png",
    )
    assert process.returncode == 1
    assert "Expected a folder as --output" in process.stderr
    assert "out.png" in process.stderr
    assert "Traceback" not in process.stderr
    assert not (tmp_path / "out.png").exists()


def test_missing_inputs_are_named(run_command, run_stylize, save_picture, tmp_path):
    style = f"--style={save_picture('style.png')}"
    process = run_stylize("--content=no_such_photo.png", style, output=tmp_path / "out.png")
    assert process.returncode == 1
    assert process.stderr.startswith("Error: ")
    assert "no_such_photo.png" in process.stderr
    generator = "--generator=none.keras"
    process = run_command(stylize, f"--content={tmp_path}", style, "--output=out.png", generator)
    assert process.returncode == 1
    assert "Error: " in process.stderr
    assert "none.keras" in process.stderr


def test_all_controls_work_together(run_stylize, save_picture, tmp_path):
    """Two weighted styles, a third one's fine layers, colours, seed and tiles; then again."""
    content = save_picture("content.png", (160, 96))
    styles = [save_picture(f"{name}.png", seed=i) for i, name in enumerate("abc")]
    flags = [
        f"--content={content}",
        f"--style={styles[0]}:0.7",
        f"--style={styles[1]}:0.3",
        f"--fine_style={styles[2]}",
        "--num_coarse_layers=2",
        "--strength=0.8",
        "--preserve_color=match",
        "--seed=5",
        "--tile_size=64",
    ]
    outputs = [tmp_path / "1.png", tmp_path / "2.png"]
    for output in outputs:
        process = run_stylize(*flags, output=output)
        assert process.returncode == 0, process.stderr
    results = [read(output) for output in outputs]
    np.testing.assert_array_equal(*results)
    assert results[0].shape == (160, 96, 3)
    assert np.abs(results[0].astype(int) - read(content)).mean() > 1


def test_a_folder_is_refined_as_stylize_does_it(
    run_stylize, save_picture, toy_generator, tmp_path, monkeypatch
):
    monkeypatch.setitem(QUALITIES, "fine", Refinement(num_steps=2))
    contents = [save_picture(f"contents/{name}.png", seed=i) for i, name in enumerate("ab")]
    style = save_picture("style.png", seed=5)
    flags = [f"--content={tmp_path / 'contents'}", f"--style={style}"]
    process = run_stylize(*flags, "--quality=fine", output=tmp_path / "out")
    assert process.returncode == 0, process.stderr
    generator = saving.load_generator(toy_generator)
    for content in contents:
        options = {"style_size": 32}
        fast, fine = (
            np.rint(255 * stylizing.stylize(generator, content, style, quality=quality, **options))
            for quality in ("fast", "fine")
        )
        refined = read(tmp_path / "out" / f"{content.stem}_style.png").astype(int)
        assert np.abs(refined - fine).max() <= 1
        assert np.abs(refined - fast).mean() > 1


def test_masks_and_a_collection(run_stylize, save_picture, tmp_path):
    content = save_picture("content.png", (64, 96))
    styles = [save_picture(f"styles/{name}.png", seed=i) for i, name in enumerate("ab")]
    for name, columns in (("left", slice(0, 32)), ("right", slice(64, 96))):
        mask = np.zeros((64, 96), np.uint8)
        mask[:, columns] = 255
        Image.fromarray(mask).save(tmp_path / f"{name}.png")
    masks = [f"--mask={tmp_path / name}.png" for name in ("left", "right")]
    flags = [f"--content={content}", *(f"--style={style}" for style in styles), *masks]
    process = run_stylize(*flags, output=tmp_path / "out.png")
    assert process.returncode == 0, process.stderr
    painted = read(tmp_path / "out.png").astype(int) - read(content)
    assert np.abs(painted[:, 32:64]).max() == 0
    assert np.abs(painted[:, :32]).mean() > 1
    collection = f"--style_collection={tmp_path / 'styles'}"
    process = run_stylize(f"--content={content}", collection, output=tmp_path / "both.png")
    assert process.returncode == 0, process.stderr
    assert read(tmp_path / "both.png").shape == (64, 96, 3)


def test_depth_grey_and_transparency_come_out_as_they_went_in(run_stylize, save_picture, tmp_path):
    rng = np.random.default_rng(0)
    folder = tmp_path / "photos"
    folder.mkdir()
    grey = rng.integers(0, 2**16, (40, 48), np.uint16)
    Image.fromarray(grey).save(folder / "deep.png")
    sprite = rng.integers(0, 256, (40, 48, 4), np.uint8)
    Image.fromarray(sprite).save(folder / "sprite.png")
    style = f"--style={save_picture('s.png')}"
    output = tmp_path / "out"
    process = run_stylize(f"--content={folder}", style, output=output)
    assert process.returncode == 0, process.stderr
    deep = read(output / "deep_s.png")
    assert deep.shape == (40, 48)
    assert len(np.unique(deep)) > 256
    np.testing.assert_array_equal(read(output / "sprite_s.png")[..., 3], sprite[..., 3])
    process = run_stylize(
        f"--content={folder / 'deep.png'}", style, "--nokeep_depth", output=tmp_path / "flat.png"
    )
    assert process.returncode == 0, process.stderr
    assert read(tmp_path / "flat.png").shape == (40, 48, 3)
    assert read(tmp_path / "flat.png").dtype == np.uint8


def test_results_are_not_overwritten_unasked_and_a_run_goes_on_where_it_stopped(
    run_stylize, save_picture, tmp_path
):
    for i in range(2):
        save_picture(f"photos/{i}.png", seed=i)
    output = tmp_path / "out"
    flags = [f"--content={tmp_path / 'photos'}", f"--style={save_picture('s.png', seed=9)}"]
    flags += ["--report", "--batch_size=1"]  # a network's last digits depend on the batch
    assert run_stylize(*flags, output=output).returncode == 0
    before = {path.name: path.read_bytes() for path in output.iterdir()}

    process = run_stylize(*flags, output=output)
    assert process.returncode == 1
    assert "Expected --overwrite or --resume for results that exist" in process.stderr
    assert "0_s.png and 1 more" in process.stderr

    (output / "1_s.png").unlink()
    (output / "0_s.png").write_bytes(b"kept")
    process = run_stylize(*flags, "--resume", output=output)
    assert (output / "0_s.png").read_bytes() == b"kept"
    for name in ("1_s.png", "originality.json"):  # the kept pictures' rows, too
        assert (output / name).read_bytes() == before[name]

    process = run_stylize(*flags, "--overwrite", output=output)
    assert process.returncode == 0, process.stderr
    assert {path.name: path.read_bytes() for path in output.iterdir()} == before
    record = json.loads(before["stylize.json"])["results"]
    assert {name: entry["made_of"]["strength"] for name, entry in record.items()} == {
        f"{i}_s.png": 1.0 for i in range(2)
    }


def test_the_report_calls_an_untouched_photograph_so(run_stylize, save_picture, tmp_path):
    content, style = save_picture("content.png", (96, 96)), save_picture("style.png", (96, 96), 4)
    flags = [f"--content={content}", f"--style={style}", "--strength=0", "--report"]
    process = run_stylize(*flags, output=tmp_path / "out.png")
    assert process.returncode == 0, process.stderr
    assert "Hardly changed." in process.stdout
    (report,) = json.loads((tmp_path / "out.json").read_text()).values()
    assert report["verdict"] == "hardly changed"


def test_a_report_replaces_a_file_only_if_asked(run_stylize, save_picture, tmp_path):
    picture, precious = save_picture("content.png"), tmp_path / "out.json"
    precious.write_text("precious")
    flags = [f"--content={picture}", f"--style={picture}", "--strength=0", "--report"]
    for flag in ([], ["--resume"]):
        process = run_stylize(*flags, *flag, output=tmp_path / "out.png")
        assert process.returncode == 1
        assert process.stderr.startswith("Error: Expected --overwrite for a report that exists.")
        assert len(process.stderr.splitlines()) == 1
        assert str(precious) in process.stderr
        assert precious.read_text() == "precious"
        assert not (tmp_path / "out.png").exists()
    process = run_stylize(*flags, "--overwrite", output=tmp_path / "out.png")
    assert process.returncode == 0, process.stderr
    assert str(tmp_path / "out.png") in json.loads(precious.read_text())


def write_sprite(path, hidden, size=(64, 64)):
    """A disc of smooth colours, with another colour stored under the transparent rest."""
    height, width = size
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    alpha = np.clip(4 - 5 * np.hypot(x, y), 0, 1)
    colors = np.stack([0.5 + 0.4 * x, 0.5 + 0.4 * y, 0.5 + 0.2 * x * y], axis=-1)
    colors[alpha == 0] = hidden
    pixels = np.dstack([colors, alpha])
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.rint(255 * pixels).astype(np.uint8)).save(path)
    return path


@pytest.mark.parametrize("flag", ["--preserve_color=match", "--content_size=32"])
def test_colours_hidden_under_transparency_do_not_show(run_stylize, save_picture, tmp_path, flag):
    visible = []
    for name, hidden in (("black", (0, 0, 0)), ("magenta", (1, 0, 1))):
        content = write_sprite(tmp_path / f"{name}.png", hidden)
        flags = [f"--content={content}", f"--style={save_picture('s.png')}", flag]
        process = run_stylize(*flags, output=tmp_path / "out" / f"{name}.png")
        assert process.returncode == 0, process.stderr
        result = read(tmp_path / "out" / f"{name}.png").astype(float)
        visible.append(np.where(result[..., 3:] > 0, result, 0))
    assert visible[0][..., 3].max() == 255
    np.testing.assert_allclose(*visible, atol=1)


def test_a_smaller_content_keeps_its_transparency_and_is_no_halo(
    run_stylize, save_picture, tmp_path
):
    """At strength 0 the result is the content, resized as it would be over any background."""
    content = write_sprite(tmp_path / "a.png", (1, 0, 1))
    flags = [f"--content={content}", f"--style={save_picture('s.png')}", "--strength=0"]
    process = run_stylize(*flags, "--content_size=32", output=tmp_path / "out.png")
    assert process.returncode == 0, process.stderr
    result = read(tmp_path / "out.png") / 255
    background = Image.new("RGBA", (64, 64), (0, 255, 0, 255))
    with Image.open(content) as sprite:
        composed = Image.alpha_composite(background, sprite).convert("RGB")
    expected = np.asarray(composed.resize((32, 32), Image.Resampling.LANCZOS)) / 255
    alpha = result[..., 3:]
    np.testing.assert_allclose(
        alpha * result[..., :3] + (1 - alpha) * [0, 1, 0], expected, atol=0.02
    )


def test_a_content_is_repainted_once_for_all_styles(
    run_stylize, save_picture, tmp_path, toy_generator, load_once, monkeypatch
):
    repainted = []

    def repaint(generator, content, **options):
        repainted.append(content)
        return contents.repaint(generator, content, **options)

    monkeypatch.setattr(paint, "repaint", repaint)
    photos = [save_picture(f"photos/{name}.png", seed=i) for i, name in enumerate("ab")]
    styles = [save_picture(f"styles/{name}.png", seed=5 + i) for i, name in enumerate("xyz")]
    flags = [f"--content={tmp_path / 'photos'}", f"--style={tmp_path / 'styles'}"]
    process = run_stylize(*flags, "--strength=0.6", output=tmp_path / "out")
    assert process.returncode == 0, process.stderr
    assert len(repainted) == len(photos)
    for photo in photos:
        for style in styles:
            expected = stylizing.stylize(
                load_once(toy_generator), photo, style, strength=0.6, style_size=32
            )
            result = read(tmp_path / "out" / f"{photo.stem}_{style.stem}.png")
            np.testing.assert_allclose(result, 255 * expected, atol=0.51)


def test_a_clip_without_pyav_is_named_and_the_pictures_are_painted(
    run_stylize, save_picture, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, "av", None)
    save_picture("photos/a.png")
    (tmp_path / "clip.mp4").write_bytes(b"no matter what")
    process = run_stylize(
        f"--content={tmp_path / 'clip.mp4'}",
        f"--content={tmp_path / 'photos'}",
        f"--style={save_picture('s.png')}",
        output=tmp_path / "out",
    )
    assert process.returncode == 1
    assert "Wrote 1 of 2 pictures" in process.stdout
    assert (tmp_path / "out" / "a_s.png").exists()
    assert "Traceback" not in process.stderr
    (error,) = process.stderr.splitlines()
    assert error.startswith("Error: Expected PyAV for video: pip install")


def test_a_clip_takes_the_controls_of_pictures_and_a_clip_as_a_mask(
    run_stylize, save_picture, tmp_path
):
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (3, 48, 64, 3), dtype=np.uint8).repeat(2, axis=2)[:, :, :64]
    masks = np.zeros((3, 48, 64, 3), np.uint8)
    masks[:, :, 32:] = 255
    for name, images in (("a", frames), ("mask", masks)):
        with av.open(tmp_path / f"{name}.mkv", "w") as clip:
            stream = clip.add_stream("ffv1", rate=25)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "bgr0"
            for image in images:
                clip.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
            clip.mux(stream.encode(None))
    process = run_stylize(
        f"--content={tmp_path / 'a.mkv'}",
        f"--style={save_picture('s.png')}",
        f"--mask={tmp_path / 'mask.mkv'}",
        "--preserve_color=match",
        "--strength=0.8",
        "--seed=3",
        output=tmp_path / "b.mkv",
    )
    assert process.returncode == 0, process.stderr
    with av.open(tmp_path / "b.mkv") as clip:
        painted = [frame.to_ndarray(format="rgb24") for frame in clip.decode(video=0)]
    changes = np.abs(np.subtract(painted, frames, dtype="float64")).mean(axis=(0, 1, 3))
    assert len(painted) == 3
    assert changes[:24].mean() < 0.8 * changes[40:].mean()


def test_what_has_no_effect_or_is_left_out_is_said(
    run_stylize, save_picture, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, "av", None)
    save_picture("photos/a.png")
    for name in ("photos/clip.mp4", "photos/deep/b.heic", "photos/.hidden", "other.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    photos, style = f"--content={tmp_path / 'photos'}", f"--style={save_picture('s.png')}"
    process = run_stylize(photos, style, "--nosteady", output=tmp_path / "out")
    assert process.returncode == 0, process.stderr
    (skipped,) = [line for line in process.stdout.splitlines() if "Skipped" in line]
    assert "clip.mp4" in skipped and "b.heic" in skipped and "hidden" not in skipped
    assert "Without effect on pictures: --nosteady" in process.stdout
    clip = f"--content={tmp_path / 'other.mp4'}"
    process = run_stylize(
        photos, clip, style, "--report", "--content_size=32", output=tmp_path / "both"
    )
    for name in ("report", "content_size"):
        assert f"Without effect on clips: --{name}" in process.stdout


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--num_coarse_layers=2"], ["num_coarse_layers", "none without --fine_style"]),
        (["--style=s.png:2", "--mask=s.png"], ["either --mask or weights"]),
        (["--mask=s.png", "--mask=s.png"], ["one --mask for each of 1 styles", "2"]),
        (["--mask=none.png"], ["none.png, not found"]),
        (["--fine_style=none.png"], ["none.png, not found"]),
        (["--resume", "--overwrite"], ["resume", "either"]),
        (["--strength=nan"], ["strength", "nan"]),
        (["--strength=2"], ["strength", "2"]),
        (["--style_size=8"], ["style_size", "8"]),
        (["--style_size=10000000"], ["style_size", "at most 16384"]),
        (["--tile_size=100"], ["tile_size", "a multiple of 8"]),
        (["--output="], ["output", "not empty"]),
        (["--output=o.gif"], [".png", ".webp", "--output=o.gif"]),
        (["--output=o.mp4"], [".png", "--output=o.mp4"]),
        (["--output=s.png/"], ["--output", "s.png"]),
        (["--content_size=many"], ["--content_size", "a whole number", "many"]),
        (["--format=gif"], ["format", "webp", "gif"]),
        (["s.png"], ["flags only", "s.png"]),
    ],
)
def test_wrong_flags_are_found_before_anything_is_loaded(
    run_stylize, assert_user_error, save_picture, tmp_path, monkeypatch, flags, words
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(saving, "load_generator", None)
    style = [] if any(flag.startswith("--style=") for flag in flags) else ["--style=s.png"]
    save_picture("s.png")
    process = run_stylize("--content=s.png", *style, *flags, output="out.png")
    assert_user_error(process, *words)
    assert len(process.stderr.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["s.png"]


@pytest.mark.parametrize("name", ["content", "output"])
def test_a_missing_flag_is_one_plain_line(run_command, name):
    given = {"content": "--content=a", "output": "--output=b"}
    flags = [flag for key, flag in given.items() if key != name]
    process = run_command(stylize, *flags, "--style=c")
    assert process.returncode == 1
    assert process.stderr.startswith(f"Error: Expected --{name}: ")
    assert process.stderr.endswith("Received: none\n")
    assert len(process.stderr.splitlines()) == 1


def test_two_pictures_that_are_too_small_are_two_lines_with_their_names(
    run_stylize, save_picture, tmp_path
):
    for name in "ab":
        save_picture(f"photos/{name}.png", (20, 64))
    style = f"--style={save_picture('s.png')}"
    process = run_stylize(f"--content={tmp_path / 'photos'}", style, output=tmp_path / "out")
    assert process.returncode == 1
    lines = process.stderr.splitlines()
    assert len(lines) == 2
    for name, line in zip("ab", lines, strict=True):
        assert line.startswith(f"Error: {tmp_path / 'photos' / name}.png: Expected")


def test_a_full_disk_names_the_file_and_leaves_the_others(
    run_stylize, save_picture, tmp_path, monkeypatch
):
    def save(picture, path, quality):
        if path.name == "b_s.png":
            raise OSError(28, "No space left on device")
        save_picture_file(picture, path, quality)

    save_picture_file = paint.save_picture
    monkeypatch.setattr(paint, "save_picture", save)
    for name in "abc":
        save_picture(f"photos/{name}.png")
    style = f"--style={save_picture('s.png')}"
    process = run_stylize(f"--content={tmp_path / 'photos'}", style, output=tmp_path / "out")
    assert process.returncode == 1
    assert "Wrote 2 of 3 pictures" in process.stdout
    (line,) = process.stderr.splitlines()
    assert str(tmp_path / "out" / "b_s.png") in line and "No space left" in line


def test_a_failing_contact_sheet_does_not_hide_the_summary(
    run_stylize, save_picture, tmp_path, monkeypatch
):
    def fail(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(contact_sheet, "make_contact_sheet", fail)
    for name in "ab":
        save_picture(f"photos/{name}.png")
    style = f"--style={save_picture('s.png')}"
    process = run_stylize(f"--content={tmp_path / 'photos'}", style, output=tmp_path / "out")
    assert process.returncode == 1
    assert "Wrote 2 of 2 pictures" in process.stdout
    assert "contact_sheet.png: " in process.stderr


def test_the_compression_quality_reaches_the_file(run_stylize, save_picture, tmp_path):
    flags = [f"--content={save_picture('a.png')}", f"--style={save_picture('s.png')}"]
    sizes = []
    for quality in (20, 95):
        output = tmp_path / f"{quality}.jpg"
        run_stylize(*flags, f"--compression_quality={quality}", output=output)
        sizes.append(output.stat().st_size)
    assert sizes[0] < 0.8 * sizes[1]


def test_verbose_says_where_the_time_went(run_stylize, save_picture, tmp_path):
    flags = [f"--content={save_picture('a.png')}", f"--style={save_picture('s.png')}"]
    process = run_stylize(*flags, "--verbose", output=tmp_path / "out.png")
    for part in ("loading the generator", "encoding styles", "painting", "writing", "in all"):
        assert f"{part}: " in process.stdout


@pytest.mark.parametrize(
    "num_styles, flags, shown",
    [
        (1, [], ""),
        (1, ["--tile_size=64"], "part 1 of 2"),
        (2, [], "2/2 "),
    ],
)
def test_a_terminal_shows_what_one_waits_for(
    run_stylize, save_picture, tmp_path, monkeypatch, num_styles, flags, shown
):
    content = save_picture("a.png", (64, 200))
    styles = [save_picture(f"{name}.png") for name in "st"[:num_styles]]
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    process = run_stylize(
        f"--content={content}",
        *(f"--style={style}" for style in styles),
        *flags,
        output=tmp_path / "out" / ("a.png" if num_styles == 1 else ""),
    )
    assert process.returncode == 0
    assert shown in process.stderr
    assert bool(shown) == bool(process.stderr)


def test_a_large_collection_is_encoded_once_for_all_runs(
    run_stylize, save_picture, tmp_path, monkeypatch
):
    monkeypatch.setattr(pathlib.Path, "home", lambda: tmp_path / "home")
    content = f"--content={save_picture('a.png')}"
    for i in range(10):
        save_picture(f"art/{i}.png", (32, 32), seed=i)
    encoded = []

    def encode_style(generator, style, **options):
        encoded.append(len(style))
        return codes.encode_style(generator, style, **options)

    monkeypatch.setattr(styles, "encode_style", encode_style)
    results = []
    for name in ("1.png", "2.png", "3.png"):
        flags = [content, f"--style_collection={tmp_path / 'art'}"]
        process = run_stylize(*flags, output=tmp_path / name)
        assert process.returncode == 0, process.stderr
        results.append(read(tmp_path / name))
        (kept,) = (tmp_path / "home").rglob("*.npy")
        if name == "2.png":
            kept.write_bytes(b"damaged")
    assert encoded == [10, 10]
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])
