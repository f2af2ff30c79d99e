"""The command `evaluate` with --clip and --motions: how much painted clips flicker."""

import json
import shutil

import av
import keras
import numpy as np
import pytest

from stylegan_transfer import samples
from stylegan_transfer.commands import evaluate
from stylegan_transfer.commands.evaluation import clips, flicker_report
from stylegan_transfer.commands.evaluation.options import EvaluateOptions
from stylegan_transfer.measuring.distances import content_distances, gram_distances
from stylegan_transfer.measuring.flicker import warped_difference
from stylegan_transfer.measuring.ghosting import find_moving_edges
from stylegan_transfer.networks.features import build_features
from stylegan_transfer.pictures.files import load_image, save_image
from stylegan_transfer.pictures.inputs import resize_image
from stylegan_transfer.pictures.motion import estimate_flow
from stylegan_transfer.stylizing.stylize import encode_style
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
    picture = np.round(255 * samples.draw_content("harbour", 128)).astype("uint8")
    (folder / "clips").mkdir()
    with av.open(folder / "clips" / "pan.mkv", "w") as clip:
        stream = clip.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "bgr0"
        for t in range(10):
            frame = np.ascontiguousarray(picture[40:88, 4 * t : 4 * t + 64])
            clip.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        clip.mux(stream.encode(None))
    (folder / "clips" / "notes.txt").write_text("no clip")
    return folder


@pytest.fixture
def run(run_command, toy_generator, folder, tmp_path):
    def run(*flags, style="swirls.png"):
        given = [f"--{name}={','.join(map(str, np.ravel(value)))}" for name, value in FLAGS.items()]
        given += [f"--generator=toy={toy_generator}", f"--style={folder / style}"]
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
    frames = [*groups["cut"][0]().read()]
    assert np.abs(frames[2] - frames[1]).mean() > 1.5 * np.abs(frames[1] - frames[0]).mean()
    assert frames[0].shape == (128, 192, 3)


def test_large_clips_are_reduced_and_end_where_they_are_to(folder):
    options = EvaluateOptions(clip=(str(folder / "clips"),), style=("s",), output="o", num_frames=3)
    object.__setattr__(options, "paint_size", 36)  # smaller than flags may say
    (paths, groups) = clips.list_clips(options)
    assert [path.name for path in paths] == ["pan.mkv"]
    frames = [*groups["pan.mkv"][0]().read()]
    assert [frame.shape for frame in frames] == [(36, 48, 3)] * 3


def test_two_clips_of_one_name_are_told_apart_by_their_paths(folder, tmp_path):
    shutil.copy(folder / "clips" / "pan.mkv", tmp_path / "pan.mkv")
    sources = str(folder / "clips"), str(tmp_path / "pan.mkv")
    _, groups = clips.list_clips(EvaluateOptions(clip=sources, style=("s",), output="o"))
    assert [*groups] == [str(folder / "clips" / "pan.mkv"), str(tmp_path / "pan.mkv")]


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
