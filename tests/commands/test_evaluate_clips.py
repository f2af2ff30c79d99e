"""The command `evaluate` with --clip and --motions: how much painted clips flicker."""

import json
import pathlib
import shutil

import keras
import numpy as np
import pytest

from stylegan_transfer import samples
from stylegan_transfer.commands import evaluate
from stylegan_transfer.commands.evaluation import clips, flicker_report, inputs
from stylegan_transfer.commands.evaluation.options import EvaluateOptions
from stylegan_transfer.measuring import flicker
from stylegan_transfer.measuring.distances import content_distances, gram_distances
from stylegan_transfer.measuring.flicker import warped_difference
from stylegan_transfer.measuring.ghosting import find_moving_edges
from stylegan_transfer.networks.features import build_features
from stylegan_transfer.pictures.clips import read_frames, save_frames
from stylegan_transfer.pictures.files import load_image, save_image
from stylegan_transfer.pictures.inputs import resize_image
from stylegan_transfer.pictures.motion import estimate_flow
from stylegan_transfer.stylizing.codes import encode_style
from stylegan_transfer.stylizing.video import stylize_frames

FLAGS = {
    "features": ("random",),
    "content_layers": ("relu2_1",),
    "style_layers": ("relu1_1", "relu2_1"),
    "paint_size": 128,
    "measure_size": 64,
    "style_size": 32,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two photographs, a style, and a lossless clip of a camera that moves 4 pixels a frame."""
    folder = tmp_path_factory.mktemp("clips")
    for name in ("harbour", "portrait"):
        save_image(samples.draw_content(name, 128), folder / "photos" / f"{name}.png")
    save_image(samples.draw_style("swirls", 64), folder / "swirls.png")
    picture = samples.draw_content("harbour", 128)
    pan = [picture[40:88, 4 * t : 4 * t + 64] for t in range(10)]
    save_frames(pan, folder / "clips" / "pan.mkv")
    (folder / "clips" / "notes.txt").write_text("no clip")
    return folder


@pytest.fixture
def run(run_command, toy_generator, folder, tmp_path):
    def run(*flags, generator=True):
        given = [f"--{name}={','.join(map(str, np.ravel(value)))}" for name, value in FLAGS.items()]
        given += [f"--generator=toy={toy_generator}"] * generator
        given.append(f"--style={folder / 'swirls.png'}")
        return run_command(evaluate, f"--output={tmp_path / 'out'}", *given, *flags)

    return run


def test_figures_of_a_clip_are_those_of_its_frames(run, folder, tmp_path, toy_generator, load_once):
    process = run(f"--clip={folder / 'clips'}")
    assert process.returncode == 0, process.stderr
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    rows = {row["name"]: row["figures"] for row in report["rows"]}
    assert [*rows] == [f"pan.mkv, {how}" for how in ("untouched", "frame by frame", "steady")]

    picture = samples.draw_content("harbour", 128)
    picture = np.round(255 * picture).astype("uint8").astype("float32") / 255
    frames = [picture[40:88, 4 * t : 4 * t + 64] for t in range(10)]
    generator = load_once(toy_generator)
    code = encode_style(generator, folder / "swirls.png", style_size=32)
    keras.utils.set_random_seed(0)
    features = build_features(["random"], ["relu1_1", "relu2_1"])

    def look(image, layers):
        maps = features(resize_image(image, short_side=64)[None])
        return {layer: maps[layer] for layer in layers}

    style = look(load_image(folder / "swirls.png"), FLAGS["style_layers"])
    for steady, name in ((False, "pan.mkv, frame by frame"), (True, "pan.mkv, steady")):
        painted = [*stylize_frames(generator, frames, code, steady=steady, style_size=32)]
        for distance, figure in ((1, "flicker"), (8, "flicker_long")):
            expected = warped_difference(
                painted, lambda t, s: estimate_flow(frames[t], frames[s]), distance
            )
            assert rows[name][figure]["mean"] == pytest.approx(100 * expected, rel=1e-3)
        layers = FLAGS["content_layers"]
        content = [
            content_distances(look(painted[t], layers), look(frames[t], layers))["relu2_1"]
            for t in (0, 4, 8)
        ]
        gram = [
            [*gram_distances(look(painted[t], FLAGS["style_layers"]), style).values()]
            for t in (0, 4, 8)
        ]
        assert rows[name]["content"]["mean"] == pytest.approx(np.mean(content), rel=1e-3)
        assert rows[name]["gram"]["mean"] == pytest.approx(np.mean(gram), rel=1e-3)
    alone, steady, other = (
        [*stylize_frames(generator, frames, code, style_size=32, **options)]
        for options in ({"steady": False}, {}, {"steady": False, "seed": 1})
    )
    ghosts = seeds = 0.0
    for t in range(1, 10):
        is_edge = find_moving_edges(frames[t], estimate_flow(frames[t], frames[t - 1])[0])
        ghosts += np.abs(steady[t] - alone[t])[is_edge].sum()
        seeds += np.abs(other[t] - alone[t])[is_edge].sum()
    figure = rows["pan.mkv, steady"]["ghosting"]["mean"]
    assert figure == pytest.approx(ghosts / seeds, rel=1e-3)
    assert rows["pan.mkv, frame by frame"]["ghosting"]["mean"] > 0
    assert "ghosting" not in rows["pan.mkv, untouched"]
    ratio = rows["pan.mkv, steady"]["flicker_ratio"]["mean"]
    assert 0 < ratio < 1
    means = [rows[f"pan.mkv, {how}"]["flicker"]["mean"] for how in ("steady", "frame by frame")]
    assert ratio == pytest.approx(means[0] / means[1])
    table = (tmp_path / "out" / "report.md").read_text()
    assert f"| pan.mkv, steady | {means[0]:.3f} [" in table.replace("\\", "")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"report.json", "report.md"}


def test_rendered_clips_have_rows_by_motion_and_a_value_for_each_photograph(run, folder, tmp_path):
    process = run(
        f"--content={folder / 'photos'}", "--motions=still,exposure,cut", "--num_frames=4"
    )
    assert process.returncode == 0, process.stderr
    rows = json.loads((tmp_path / "out" / "report.json").read_text())["rows"]
    assert [*dict.fromkeys(row["clip"] for row in rows)] == ["still", "exposure", "cut"]
    figures = {row["name"]: row["figures"] for row in rows}
    assert np.shape(figures["cut, steady"]["flicker"]["values"]) == (2, 1)
    for how in ("untouched", "steady", "frame by frame"):
        assert figures[f"still, {how}"]["flicker"]["mean"] == 0
    assert "flicker_ratio" not in figures["still, steady"]  # of nothing
    assert figures["exposure, untouched"]["flicker"]["mean"] > 0.5  # percent
    assert not any("flicker_long" in row["figures"] for row in rows)  # of four frames


def test_several_generators_have_rows_each(run, folder, toy_generator, tmp_path):
    flags = f"--content={folder / 'photos'}", "--motions=pan", "--num_frames=2"
    assert run(*flags, f"--generator=other={toy_generator}").returncode == 0
    names = [r["name"] for r in json.loads((tmp_path / "out/report.json").read_text())["rows"]]
    assert names[1:] == [
        f"pan, {name}, {how}" for name in ("toy", "other") for how in ("frame by frame", "steady")
    ]


def test_a_single_photograph_is_crossed_and_cut_by_its_mirror_image(folder):
    options = EvaluateOptions(
        content=(str(folder / "photos" / "harbour.png"),),
        **{"style": ("s",), "output": "o", "motions": ("cut",), "num_frames": 4, "paint_size": 128},
    )
    _, groups = clips.list_clips(options)
    frames = [*next(iter(groups["cut"].values()))().read()]
    assert np.abs(frames[2] - frames[1]).mean() > 1.5 * np.abs(frames[1] - frames[0]).mean()
    assert frames[0].shape == (128, 192, 3)


def test_large_clips_are_reduced_and_end_where_they_are_to(folder):
    options = EvaluateOptions(clip=(str(folder / "clips"),), style=("s",), output="o", num_frames=3)
    object.__setattr__(options, "paint_size", 36)  # smaller than flags may say
    (paths, groups) = clips.list_clips(options)
    assert [path.name for path in paths] == ["pan.mkv"]
    frames = [*groups["pan.mkv"][paths[0]]().read()]
    assert [frame.shape for frame in frames] == [(36, 48, 3)] * 3


def test_two_clips_of_one_name_are_told_apart_by_their_paths(folder, tmp_path):
    shutil.copy(folder / "clips" / "pan.mkv", tmp_path / "pan.mkv")
    sources = str(folder / "clips"), str(tmp_path / "pan.mkv")
    _, groups = clips.list_clips(EvaluateOptions(clip=sources, style=("s",), output="o"))
    assert [*groups] == [str(folder / "clips" / "pan.mkv"), str(tmp_path / "pan.mkv")]


def read_rows(folder):
    rows = json.loads((folder / "report.json").read_text())["rows"]
    return {row["name"]: row["figures"] for row in rows}


def test_a_finished_clip_has_the_figures_of_the_same_frames_painted_here(
    run, folder, tmp_path, toy_generator, load_once, monkeypatch
):
    calls = []
    monkeypatch.setattr(
        flicker, "estimate_flow", lambda *frames: calls.append(1) or estimate_flow(*frames)
    )
    source = folder / "clips" / "pan.mkv"
    generator = load_once(toy_generator)
    code = encode_style(generator, folder / "swirls.png", style_size=32)
    painted = stylize_frames(generator, read_frames(source), code, style_size=32)
    save_frames([*painted], tmp_path / "painted.mkv")
    process = run(
        *(f"--clip={source}", f"--results=same={source}"),
        f"--results=theirs={tmp_path / 'painted.mkv'}",
    )
    assert process.returncode == 0, process.stderr
    assert len(calls) == 9 + 2  # neighbours, and those 8 apart
    rows = read_rows(tmp_path / "out")
    assert [*rows][3:] == ["pan.mkv, theirs", "pan.mkv, same"][::-1]
    assert rows["pan.mkv, same"] == rows["pan.mkv, untouched"]
    steady, theirs = rows["pan.mkv, steady"], rows["pan.mkv, theirs"]
    assert [*theirs] == ["flicker", "flicker_long", "content", "gram"]
    for figure in ("flicker", "flicker_long"):  # in 8 bits
        assert theirs[figure]["mean"] == pytest.approx(steady[figure]["mean"], abs=0.1)
    for figure in ("content", "gram"):
        assert theirs[figure]["mean"] == pytest.approx(steady[figure]["mean"], rel=0.02)
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert str(tmp_path / "painted.mkv") in report["sha256"]


def test_every_second_frame_being_brighter_is_flicker_of_that_much(run, tmp_path):
    picture = np.float32(0.8) * samples.draw_content("harbour", 64)
    save_frames([picture] * 10, tmp_path / "clips" / "still.mkv")
    brighter = [picture + np.float32(t % 2 * 0.2) for t in range(10)]
    save_frames(brighter, tmp_path / "theirs" / "still_swirls.mkv")
    flags = f"--clip={tmp_path / 'clips'}", f"--results=theirs={tmp_path / 'theirs'}"
    assert run(*flags, "--nogenerators", generator=False).returncode == 0
    rows = read_rows(tmp_path / "out")
    assert [*rows] == ["still.mkv, untouched", "still.mkv, theirs"]
    assert rows["still.mkv, untouched"]["flicker"]["mean"] == 0
    assert rows["still.mkv, theirs"]["flicker"]["mean"] == pytest.approx(20, abs=0.01)
    assert rows["still.mkv, theirs"]["flicker_long"]["mean"] == 0


def test_rendered_clips_are_kept_for_others_to_paint(run, folder, tmp_path):
    flags = f"--content={folder / 'photos'}", "--motions=pan,cut", "--num_frames=3"
    assert run(*flags, "--nogenerators", "--keep_clips", generator=False).returncode == 0
    kept = sorted((tmp_path / "out" / "clips").iterdir())
    names = "harbour_cut", "harbour_pan", "portrait_cut", "portrait_pan"
    assert [path.name for path in kept] == [f"{name}.mkv" for name in names]
    for path in kept:
        (tmp_path / "theirs").mkdir(exist_ok=True)
        shutil.copy(path, tmp_path / "theirs" / f"{path.stem}_swirls.mkv")
    process = run(*flags, f"--results=theirs={tmp_path / 'theirs'}")
    assert process.returncode == 0, process.stderr
    rows = read_rows(tmp_path / "out")
    for kind in ("pan", "cut"):
        untouched, theirs = (rows[f"{kind}, {name}"] for name in ("untouched", "theirs"))
        for figure in ("flicker", "content", "gram"):
            expected = untouched[figure]["values"]
            np.testing.assert_allclose(theirs[figure]["values"], expected, atol=0.2)
        assert np.shape(theirs["gram"]["values"]) == (2, 1)


def test_rendered_clips_have_even_sides_as_what_is_read_of_files(folder, tmp_path):
    options = EvaluateOptions(
        content=(str(folder / "photos" / "harbour.png"),),
        **{"style": ("s",), "output": str(tmp_path), "motions": ("pan",), "num_frames": 2},
        **{"paint_size": 131, "keep_clips": True},
    )
    _, groups = clips.list_clips(options)
    ((path, open_clip),) = groups["pan"].items()
    frames = [*open_clip().read()]
    assert frames[0].shape == (130, 196, 3)
    np.testing.assert_allclose([*read_frames(path)], frames, atol=0.5 / 255 + 1e-6)


def test_results_of_clips_are_found_by_the_names_that_stylize_gives(tmp_path):
    contents = [pathlib.Path(name) for name in ("a.mkv", "a.mp4", "b.avi", "c.ts")]
    styles = [pathlib.Path("s.png")]
    for name in ("a_s.mkv", "a_s.mp4", "b_s.mov", "c_s.webm", "b_s.png"):
        (tmp_path / name).touch()

    def find():
        results = inputs.find_results(tmp_path, contents, styles, of_clips=True)
        return [results[content, styles[0]].name for content in contents]

    assert find() == ["a_s.mkv", "a_s.mp4", "b_s.mov", "c_s.webm"]
    (tmp_path / "a_s.mp4").unlink()  # that of a.mkv is no result of a.mp4
    with pytest.raises(FileNotFoundError, match="every content in every style.*no .*a_s.mp4"):
        find()
    for result, is_clip in (("b_s.png", False), ("b_s.mov", True)):  # of one pair
        pair, path = (contents[2], styles[0]), tmp_path / result
        assert inputs.find_results(path, contents[2:3], styles, of_clips=is_clip) == {pair: path}


@pytest.mark.parametrize("num_frames", [4, 10])
@pytest.mark.parametrize("size", [(48, 64), (36, 48)])
def test_results_may_be_of_what_is_measured(folder, tmp_path, num_frames, size):
    save_frames(num_frames * [np.zeros((*size, 3), "float32")], tmp_path / "painted.mkv")
    source, result = folder / "clips" / "pan.mkv", tmp_path / "painted.mkv"
    options = EvaluateOptions(
        **{"clip": (str(source),), "style": ("s.png",), "output": "o", "num_frames": 4},
        results=(f"theirs={result}",),
    )
    object.__setattr__(options, "paint_size", 36)  # smaller than flags may say
    pair = source, pathlib.Path("s.png")
    assert clips.list_results(options, [source], [pair[1]]) == {"theirs": {pair: result}}
    assert [frame.shape for frame in clips.read_clip(result, options)] == [(36, 48, 3)] * 4


@pytest.mark.parametrize(
    ("num_frames", "size", "words"),
    [
        (9, (48, 64), "Expected 10 frames of 64x48 pixels, as {clip} has. Received: {result}, 9"),
        (11, (48, 64), "Expected 10 frames of 64x48 pixels, as {clip} has. Received: {result}, 11"),
        (10, (64, 48), "as {clip} has. Received: {result}, 10 of 48x64"),
        (0, (48, 64), "Expected a folder of results, or a result. Received: {result}"),
    ],
)
def test_a_result_that_does_not_fit_is_one_line(run, folder, tmp_path, num_frames, size, words):
    clip, result = folder / "clips" / "pan.mkv", tmp_path / "painted.mkv"
    if num_frames:
        save_frames(num_frames * [np.zeros((*size, 3), "float32")], result)
    process = run(f"--clip={clip}", f"--results=theirs={result}")
    assert process.returncode == 1
    assert words.format(clip=clip, result=result) in process.stderr
    assert process.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_pictures_and_folders_in_place_of_a_clip_are_one_line(run, folder):
    clip, picture = folder / "clips" / "pan.mkv", folder / "swirls.png"
    for flags, words in {
        (f"--clip={picture}",): f"Expected a clip of at least two frames. Received: {picture}",
        (f"--clip={clip}", f"--results=a={picture}"): f"Received: {picture}, 1 of 64x64",
        (f"--clip={clip}", f"--results=a={folder / 'photos'}"): "photos/pan_swirls.mkv",
        (f"--clip={clip}", f"--results=a={clip}", f"--style={folder / 'photos'}"): (
            f"Expected a folder of results for 1 contents and 3 styles. Received: {clip}, a file"
        ),
        (f"--clip={clip}", "--results=a=setup.py"): "Expected a video file that PyAV reads",
    }.items():
        process = run(*flags)
        assert process.returncode == 1
        assert words in process.stderr
        assert process.stderr.count("\n") == 1


def test_description_names_what_was_measured():
    flags = {"clip": (), "num_frames": 5, "paint_size": 240, "measure_size": 99}
    text = flicker_report.describe({"contents": ["a", "b"], "styles": ["c"], "flags": flags})
    assert text.startswith("Photographs, from which clips were rendered: 2. Styles: 1. At most 5 ")


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ([], "Expected content: at least one, or --clip."),
        (["--clip=a.mp4", "--content=photos"], "Expected content: none with --clip"),
        (["--clip=a.mp4", "--motions=pan"], "Expected motions: none with --clip"),
        (["--content=photos", "--motions=shake"], "Expected motions: out of still, pan"),
        (["--content=photos", "--motions=pan", "--num_frames=33"], "num_frames: at most 32 with"),
        (["--clip=a.mp4", "--num_frames=1"], "Expected num_frames: at least 2"),
        (["--clip=a.mp4", "--keep_clips"], "Expected keep_clips: none without --motions"),
        (["--clip=a.mp4", "--pairwise"], "Expected pairwise: none with --clip and --motions"),
        (["--clip=none.mp4"], "Expected a clip or a folder of clips. Received: none.mp4, not"),
        (["--clip=docs"], "Expected a clip or a folder of clips. Received: docs, no clip"),
        (["--clip=README.md"], "Expected a video file that PyAV reads"),
    ],
)
def test_wrong_flags_are_one_line(run, flags, words):
    process = run(*flags)
    assert process.returncode == 1
    assert words in process.stderr
    assert process.stderr.count("\n") == 1
