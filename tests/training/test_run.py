"""Whole runs: what they leave behind, and how they go on after an interruption."""

import dataclasses
import json
import signal

import keras
import numpy as np
import pytest
import tensorflow as tf

from stylegan_transfer import losses
from stylegan_transfer.networks.saving import load_generator
from stylegan_transfer.training import run
from stylegan_transfer.training.run import train

TERMS = ("content_loss", "style_loss", "moments_loss", "identity_loss", "total_variation_loss")
DISCRIMINATOR_LOGS = (
    "adversarial_loss",
    "adversarial_scale",
    "discriminator_loss",
    "discriminator_gradient_norm",
    "discriminator_real_accuracy",
    "discriminator_fake_accuracy",
    "discriminator_mismatch_accuracy",
    "learning_rate/discriminator",
)


def read_events(folder):
    """`{tag: {step: array}}` of the event files of a folder, in the order of their writing."""
    events = {}
    for path in sorted(map(str, folder.glob("events.*"))):
        for record in tf.data.TFRecordDataset(path).as_numpy_iterator():
            event = tf.compat.v1.Event.FromString(record)
            for value in event.summary.value:
                events.setdefault(value.tag, {})[event.step] = tf.make_ndarray(value.tensor)
    return events


@pytest.fixture(scope="module")
def events(trained):
    return read_events(trained / "logs")


@pytest.fixture
def plain_config(tiny_config):
    """Without the discriminator and in few steps: fast."""
    return dataclasses.replace(tiny_config, adversarial_weight=0.0, steps=4, checkpoint_every=2)


@pytest.fixture
def eager_steps(monkeypatch):
    """Runs the steps without a graph: for a few of them that is quicker than to trace it."""
    compile_model = run.StyleTransferGAN.compile

    def compile_eagerly(self, *args, **kwargs):
        compile_model(self, *args, **kwargs)
        self.run_eagerly = True

    monkeypatch.setattr(run.StyleTransferGAN, "compile", compile_eagerly)


def weights_in(workdir):
    return load_generator(workdir / "generator.keras").get_weights()


def assert_equal_weights(actual, expected, **tolerance):
    assert len(actual) == len(expected)
    for a, e in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a, e, **tolerance)


def test_run_leaves_its_configuration_checkpoints_logs_and_generator(trained, tiny_config):
    assert {path.name for path in trained.iterdir()} == {
        "config.json",
        "checkpoints",
        "logs",
        "generator.keras",
    }
    written = json.loads((trained / "config.json").read_text())
    assert written == json.loads(json.dumps(dataclasses.asdict(tiny_config)))
    names = {path.name for path in (trained / "checkpoints").glob("*.index")}
    assert names == {"ckpt-6.index", "ckpt-8.index"}
    assert len(list((trained / "logs").iterdir())) == 1


def test_every_loss_rate_norm_and_the_speed_are_in_tensorboard_at_their_steps(events):
    for name in ("loss", *TERMS, "generator_gradient_norm", "learning_rate/generator"):
        values = events[f"training/{name}"]
        assert list(values) == [2, 4, 6, 8], name
        assert all(np.isfinite(value) for value in values.values())
    for name in DISCRIMINATOR_LOGS:
        assert list(events[f"training/{name}"]) == [4, 6, 8], name
    assert all(value > 0 for value in events["training/images_per_second"].values())
    assert "image_size" in str(events["config"][0])


def test_logged_loss_is_the_weighted_sum_of_the_logged_terms(events, tiny_config):
    for step, loss in events["training/loss"].items():
        expected = sum(
            getattr(tiny_config, term.replace("loss", "weight")) * events[f"training/{term}"][step]
            for term in TERMS
        )
        assert loss == pytest.approx(expected, rel=1e-4)


def test_logged_learning_rate_warms_up_and_falls_to_a_twentieth(events, tiny_config):
    rates = events["training/learning_rate/generator"]
    steps, warmup = tiny_config.steps, tiny_config.warmup_steps
    for step, rate in rates.items():
        progress = (step - warmup) / (steps - warmup)
        share = 0.05 + 0.95 * (1 + np.cos(np.pi * progress)) / 2
        assert rate == pytest.approx(share * tiny_config.learning_rate, rel=1e-4)
    for rate in events["training/learning_rate/discriminator"].values():
        assert rate == pytest.approx(tiny_config.discriminator_learning_rate)


def test_logged_adversarial_ramp_starts_from_zero(events):
    scales = events["training/adversarial_scale"]
    assert scales[4] > 0
    assert scales[8] > scales[4]


def test_picture_grid_shows_four_contents_in_four_styles(events, tiny_config):
    assert list(events["stylized"]) == [0, 4, 8]
    width, height, encoded = events["stylized"][8]
    grid = tf.io.decode_png(encoded).numpy()
    cell = tiny_config.image_size
    assert grid.shape == (5 * cell + 6 * (cell // 32), 5 * cell + 6 * (cell // 32), 3)
    assert (int(width), int(height)) == grid.shape[:2]
    assert grid[cell + 2 :, cell + 2 :].std() > 5  # it holds pictures


def test_shipped_weights_are_the_average_and_paint_pictures(trained):
    generator = load_generator(trained / "generator.keras")
    content = np.random.default_rng(0).uniform(size=(1, 40, 33, 3)).astype("float32")
    painted = keras.ops.convert_to_numpy(generator([content, content]))
    assert painted.shape == content.shape
    assert 0 <= painted.min() < painted.max() <= 1


def test_finished_run_called_again_returns_the_same_weights_at_once(
    trained, tiny_config, monkeypatch
):
    monkeypatch.setattr(run, "_fit", lambda *args: pytest.fail("it trains again"))
    generator = train(tiny_config, trained)
    assert_equal_weights(generator.get_weights(), weights_in(trained), rtol=0)


@pytest.mark.slow
def test_killed_run_that_goes_on_equals_an_uninterrupted_one(
    trained, tiny_config, tiny_flags, run_python, tmp_path
):
    # kill -9 after step 5, two steps after the last checkpoint and in the middle of the ramp
    killer = """
import os, runpy, signal, sys
sys.path.insert(0, "experiments")
from stylegan_transfer.training.callbacks import Checkpointer
end = Checkpointer.on_train_batch_end
def on_train_batch_end(self, batch, logs=None):
    end(self, batch, logs)
    if self.step == 5:
        os.kill(os.getpid(), signal.SIGKILL)
Checkpointer.on_train_batch_end = on_train_batch_end
runpy.run_path("experiments/train.py", run_name="__main__")
"""
    workdir = tmp_path / "run"
    process = run_python("-c", killer, "--preset=smoke", f"--workdir={workdir}", *tiny_flags)
    assert process.returncode == -signal.SIGKILL, process.stderr
    assert tf.train.latest_checkpoint(workdir / "checkpoints").endswith("ckpt-3")
    assert not np.allclose(weights_in(workdir)[0], weights_in(trained)[0], atol=1e-5)

    generator = train(tiny_config, workdir, verbose=0)

    assert_equal_weights(weights_in(workdir), weights_in(trained), rtol=1e-5, atol=1e-6)
    assert_equal_weights(generator.get_weights(), weights_in(workdir), rtol=0)
    expected = tf.train.load_checkpoint(tf.train.latest_checkpoint(trained / "checkpoints"))
    actual = tf.train.load_checkpoint(tf.train.latest_checkpoint(workdir / "checkpoints"))
    for name in expected.get_variable_to_shape_map():
        if name.startswith("variables/"):  # both networks, the average and both optimizers
            np.testing.assert_allclose(
                actual.get_tensor(name), expected.get_tensor(name), rtol=1e-4, atol=1e-6
            )


def test_more_callbacks_see_the_training_model_and_the_grid_as_soon_as_it_is_there(
    plain_config, tmp_path, eager_steps
):
    seen = []

    class Watcher(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            assert isinstance(self.model, run.StyleTransferGAN)
            seen.append(sorted(read_events(tmp_path / "logs")["stylized"]))

    config = dataclasses.replace(plain_config, image_every=2)
    train(config, tmp_path, verbose=0, callbacks=[Watcher()])
    assert seen == [[0], [0, 2], [0, 2], [0, 2, 4]]


def test_other_configuration_on_the_same_folder_is_refused_and_only_the_differences_named(
    trained, tiny_config
):
    other = dataclasses.replace(tiny_config, style_weight=9.0, style_layers=("relu2_1",))
    with pytest.raises(ValueError, match="a new workdir") as caught:
        train(other, trained)
    differences = str(caught.value).partition("Received: ")[2].split("; ")
    assert differences == [
        "style_layers: ['relu1_1'] there, ['relu2_1'] here",
        "style_weight: 3.5 there, 9.0 here",
    ]


@pytest.mark.usefixtures("eager_steps")
def test_tensorflow_data_sets_can_be_trained_on(plain_config, tfds_dir, tmp_path):
    source = "tfds:tiny_pictures:train"
    config = dataclasses.replace(
        plain_config, content=source, style=source, data_dir=str(tfds_dir), steps=1
    )
    train(config, tmp_path)
    assert (tmp_path / "generator.keras").exists()


def test_mistake_in_the_first_configuration_does_not_spoil_the_folder(
    plain_config, tmp_path, monkeypatch
):
    def build_model(config):
        raise FileNotFoundError(config.features[0])

    monkeypatch.setattr(run, "build_model", build_model)
    for name in ("no_such_weights.npz", "nor_these.npz"):
        with pytest.raises(FileNotFoundError, match=name):
            train(dataclasses.replace(plain_config, features=(name,)), tmp_path)


@pytest.mark.usefixtures("eager_steps")
def test_non_finite_loss_is_named_and_the_last_good_checkpoint_stays(
    plain_config, tmp_path, monkeypatch
):
    real, calls = losses.moments_loss, []

    def moments_loss(stylized, style, per_sample):
        calls.append(0)
        return real(stylized, style) * (float("nan") if len(calls) == 3 else 1.0)

    monkeypatch.setattr(losses, "moments_loss", moments_loss)
    with pytest.raises(FloatingPointError, match=r"moments_loss=nan at step 3\."):
        train(plain_config, tmp_path, verbose=0)
    assert tf.train.latest_checkpoint(tmp_path / "checkpoints").endswith("ckpt-2")
    assert all(np.all(np.isfinite(weight)) for weight in weights_in(tmp_path))
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


@pytest.mark.usefixtures("eager_steps")
def test_training_starts_from_the_initial_generator_and_validates(trained, plain_config, tmp_path):
    config = dataclasses.replace(
        plain_config,
        initial_generator=str(trained / "generator.keras"),
        learning_rate=1e-12,
        steps=2,
        validation_content="samples",
        validation_style="samples",
        evaluate_every=2,
    )
    generator = train(config, tmp_path, verbose=0)
    assert_equal_weights(generator.get_weights(), weights_in(trained), atol=1e-6)

    events = read_events(tmp_path / "logs")
    results = {tag: v for tag, v in events.items() if tag.startswith("validation/")}
    assert set(results) == {f"validation/{name}" for name in ("loss", *TERMS)}
    assert all(list(values) == [2] for values in results.values())
    loss = sum(
        getattr(config, term.replace("loss", "weight")) * results[f"validation/{term}"][2]
        for term in TERMS
    )
    assert results["validation/loss"][2] == pytest.approx(loss, rel=1e-4)


@pytest.fixture
def keep_dtype_policy():
    yield
    keras.config.set_dtype_policy("float32")


@pytest.mark.slow
@pytest.mark.usefixtures("eager_steps", "keep_dtype_policy")
def test_run_in_mixed_precision_leaves_a_generator_that_loads_in_float32(tiny_config, tmp_path):
    config = dataclasses.replace(tiny_config, precision="mixed_bfloat16", steps=4)
    generator = train(config, tmp_path, verbose=0)
    assert generator.compute_dtype == "bfloat16"

    keras.config.set_dtype_policy("float32")
    loaded = load_generator(tmp_path / "generator.keras")
    assert {layer.compute_dtype for layer in loaded._flatten_layers()} == {"float32"}
    assert {variable.dtype for variable in loaded.trainable_variables} == {"float32"}
    assert_equal_weights(loaded.get_weights(), generator.get_weights(), rtol=0)


@pytest.mark.slow
@pytest.mark.usefixtures("eager_steps")
def test_document_generator_trains(plain_config, tmp_path):
    config = dataclasses.replace(plain_config, generator="document", steps=3, learning_rate=1e-3)
    generator = train(config, tmp_path, verbose=0)
    assert type(generator).__name__ == "DocumentGenerator"
    losses_ = read_events(tmp_path / "logs")["training/loss"]
    assert all(np.isfinite(value) for value in losses_.values())
    loaded = load_generator(tmp_path / "generator.keras")
    assert_equal_weights(loaded.get_weights(), generator.get_weights(), rtol=0)
    initial = run.build_model(config).generator
    moved = [
        not np.array_equal(a, b)
        for a, b in zip(
            loaded.decoder[0].get_weights(), initial.decoder[0].get_weights(), strict=True
        )
    ]
    assert any(moved)
