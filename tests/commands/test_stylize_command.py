"""The command `stylize`: what it paints, writes, says and refuses."""

import json

import numpy as np
from PIL import Image

from stylegan_transfer.commands import stylize


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
    for i in range(3):
        save_picture(f"photos/{i}.png", seed=i)
    output = tmp_path / "out"
    flags = [f"--content={tmp_path / 'photos'}", f"--style={save_picture('s.png', seed=9)}"]
    flags += ["--report", "--batch_size=1"]  # a network's last digits depend on the batch
    assert run_stylize(*flags, output=output).returncode == 0
    before = {path.name: path.read_bytes() for path in output.iterdir()}

    process = run_stylize(*flags, output=output)
    assert process.returncode == 1
    assert "Expected --overwrite or --resume for results that exist" in process.stderr
    assert "0_s.png and 2 more" in process.stderr

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
        f"{i}_s.png": 1.0 for i in range(3)
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
