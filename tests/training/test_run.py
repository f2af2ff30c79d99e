"""Whole runs: what they leave behind, and how they go on after an interruption."""

import dataclasses
import json
import pathlib
import shutil
import signal

import keras
import numpy as np
import pytest
import tensorflow as tf
from toy_networks import toy_model

from stylegan_transfer import losses
from stylegan_transfer.networks.saving import load_generator
from stylegan_transfer.training import data, run
from stylegan_transfer.training.building import build_model
from stylegan_transfer.training.config import TrainingConfig
from stylegan_transfer.training.gan import StyleTransferGAN
from stylegan_transfer.training.run import train
from stylegan_transfer.training.sources import ImageStore

TERMS = (
    *("content_loss", "style_loss", "moments_loss", "identity_loss"),
    *("halo_loss", "total_variation_loss"),
)
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
def toys(monkeypatch):
    """Runs train toy networks."""
    monkeypatch.setattr(run, "build_model", lambda config: toy_model(StyleTransferGAN, config))


@pytest.fixture(scope="module")
def toy_config(tiny_config):
    """Of runs that save at the steps 3, 6 and 8; the discriminator comes in after the second."""
    return dataclasses.replace(tiny_config, image_every=100, adversarial_start=2)


def state_in(folder):
    """Everything that the newest checkpoint holds: networks, average, optimizers."""
    reader = tf.train.load_checkpoint(tf.train.latest_checkpoint(folder))
    names = [n for n in reader.get_variable_to_shape_map() if n.startswith("variables/")]
    return {name: reader.get_tensor(name) for name in names}


def assert_equal_states(actual, expected, **tolerance):
    assert actual.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(actual[name], value, err_msg=name, **tolerance)


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
    assert tf.train.latest_checkpoint(trained / "checkpoints").endswith("ckpt-8")
    assert len(list((trained / "logs").iterdir())) == 1


def test_every_loss_rate_norm_and_the_speed_are_in_tensorboard_at_their_steps(events):
    for name in ("loss", *TERMS, "generator_gradient_norm", "learning_rate/generator"):
        values = events[f"training/{name}"]
        assert list(values) == [2, 4, 6, 8], name
        assert all(np.isfinite(value) for value in values.values())
    for name in DISCRIMINATOR_LOGS:
        assert list(events[f"training/{name}"]) == [2, 4, 6, 8], name
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


def test_logged_adversarial_scale_is_positive_once_the_adversarial_part_has_begun(events):
    scales = events["training/adversarial_scale"]
    assert list(scales) == [2, 4, 6, 8]
    assert min(scales.values()) > 0


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


@pytest.mark.usefixtures("toys")
def test_run_of_an_earlier_version_goes_on_as_it_would_have_there(tmp_path):
    """`run` was killed at step 4; `end` is where that version got to without it."""
    earlier = pathlib.Path(__file__).parent / "earlier_version"
    workdir = shutil.copytree(earlier / "run", tmp_path / "run")
    read = json.loads((workdir / "config.json").read_text())
    config = {k: tuple(v) if isinstance(v, list) else v for k, v in read.items()}
    train(TrainingConfig(**config), workdir, verbose=0)
    actual, expected = state_in(workdir / "checkpoints"), {}
    reader = tf.train.load_checkpoint(earlier / "end" / "ckpt-6")
    expected = {name: reader.get_tensor(name) for name in actual}
    unused = "variables/0/.ATTRIBUTES/VARIABLE_VALUE"
    assert expected.pop(unused) == 5 and actual.pop(unused) == 2  # a counter once
    assert_equal_states(actual, expected, rtol=1e-4, atol=1e-6)


@pytest.fixture(scope="module")
def finished_once(toy_config, tmp_path_factory):
    workdir = tmp_path_factory.mktemp("once") / "finished"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "build_model", lambda config: toy_model(StyleTransferGAN, config))
        return workdir, train(toy_config, workdir, verbose=0)


@pytest.fixture
def finished(toys, finished_once, tmp_path):
    """The folder of a run of `toy_config` with toy networks, and the generator that it returned."""
    workdir, generator = finished_once
    return shutil.copytree(workdir, tmp_path / "finished"), generator


KILLED = """
import os, signal, sys
sys.path.insert(0, "tests/training")
import keras
from toy_networks import toy_model
from stylegan_transfer.training import run
from stylegan_transfer.training.config import TrainingConfig
from stylegan_transfer.training.gan import StyleTransferGAN

class Killer(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if batch == 4:
            os.kill(os.getpid(), signal.SIGKILL)

run.build_model = lambda config: toy_model(StyleTransferGAN, config)
run.train(eval(sys.argv[1]), sys.argv[2], 0, [Killer()])
"""


@pytest.mark.slow
def test_killed_run_that_goes_on_equals_an_uninterrupted_one(
    finished, toy_config, run_python, tmp_path
):
    # kill -9 after step 5, two steps after the last checkpoint and in the middle of the ramp
    (whole, expected), killed = finished, tmp_path / "killed"
    process = run_python("-c", KILLED, repr(toy_config), killed)
    assert process.returncode == -signal.SIGKILL, process.stderr
    assert tf.train.latest_checkpoint(killed / "checkpoints").endswith("ckpt-3")

    generator = train(toy_config, killed, verbose=0)

    assert_equal_weights(generator.get_weights(), expected.get_weights(), rtol=1e-5, atol=1e-6)
    actual, expected = (state_in(folder / "checkpoints") for folder in (killed, whole))
    assert_equal_states(actual, expected, rtol=1e-4, atol=1e-6)


def test_finished_run_called_again_returns_the_same_weights_at_once(
    finished, toy_config, monkeypatch
):
    workdir, generator = finished
    monkeypatch.setattr(run, "_fit", lambda *args: pytest.fail("it trains again"))
    again = train(toy_config, workdir)
    assert_equal_weights(again.get_weights(), generator.get_weights(), rtol=0)


def test_damaged_checkpoint_means_to_go_on_from_the_one_before(finished, toy_config):
    workdir, generator = finished
    expected = state_in(workdir / "checkpoints")
    data = workdir / "checkpoints" / "ckpt-8.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:-9])
    (workdir / "checkpoints" / "checkpoint").write_bytes(b"garbage")
    with pytest.warns(UserWarning, match=r"from the checkpoint of step 6\. Damaged: .*ckpt-8 "):
        again = train(toy_config, workdir, verbose=0)
    assert_equal_weights(again.get_weights(), generator.get_weights(), rtol=1e-4, atol=1e-6)
    assert_equal_states(state_in(workdir / "checkpoints"), expected, rtol=1e-4, atol=1e-6)
    train(toy_config, workdir, verbose=0)  # the damaged one has been replaced: no warning


def test_run_never_starts_again_while_there_are_checkpoints(finished, toy_config):
    workdir, _ = finished
    kept = {path.name: path.read_bytes() for path in workdir.iterdir() if path.is_file()}
    (workdir / "checkpoints" / "checkpoint").unlink()
    with pytest.raises(ValueError, match="style_weight: 8.0 there, 9.0 here"):
        train(dataclasses.replace(toy_config, style_weight=9.0), workdir)
    for path in (workdir / "checkpoints").glob("ckpt-*.index"):
        path.write_bytes(b"garbage")
    with pytest.raises(ValueError, match=r"a new workdir\. Received: .*ckpt-8.*ckpt-6"):
        train(toy_config, workdir)
    assert kept == {path.name: path.read_bytes() for path in workdir.iterdir() if path.is_file()}


def test_finished_run_whose_generator_was_deleted_writes_it_again(finished, toy_config):
    workdir, generator = finished
    (workdir / "generator.keras").unlink()
    train(toy_config, workdir, verbose=0)
    loaded = keras.models.load_model(workdir / "generator.keras")
    assert_equal_weights(loaded.get_weights(), generator.get_weights(), rtol=0)


@pytest.mark.parametrize("garbage", [b"", b"{", b"[]", b"\xff\xfe", None])
def test_configuration_file_that_cannot_be_read_is_named(finished, toy_config, garbage):
    path = finished[0] / "config.json"
    path.unlink()
    if garbage is not None:
        path.write_bytes(garbage)
    with pytest.raises(ValueError, match=r"Expected .*finished/config\.json"):
        train(toy_config, finished[0])


def test_what_leaves_the_weights_as_they_are_may_differ(finished, toy_config, tmp_path):
    other = {
        **{"cache_gib": 1.5, "data_dir": str(tmp_path), "log_every": 7, "image_every": 9},
        **{"checkpoint_every": 5, "evaluate_every": 11},
        **{"validation_content": "samples", "validation_style": "samples"},
    }
    train(dataclasses.replace(toy_config, **other), finished[0], verbose=0)
    written = json.loads((finished[0] / "config.json").read_text())
    assert written.items() >= other.items()


def test_field_that_a_run_of_an_earlier_version_lacks_has_its_default(finished, toy_config):
    path = finished[0] / "config.json"
    written = json.loads(path.read_text())
    assert written.pop("conditional") is True
    path.write_text(json.dumps(written))
    train(toy_config, finished[0], verbose=0)
    path.write_text(json.dumps(written))
    with pytest.raises(ValueError, match="conditional: True there, False here"):
        train(dataclasses.replace(toy_config, conditional=False), finished[0])


def test_what_a_killed_run_left_half_written_is_removed(finished, toy_config):
    workdir, _ = finished
    leftovers = [workdir / ".saving-abc", workdir / "checkpoints" / ".saving-def"]
    for folder in leftovers:
        folder.mkdir()
        (folder / "generator.keras").touch()
    train(toy_config, workdir, verbose=0)
    assert not [folder for folder in leftovers if folder.exists()]


@pytest.mark.parametrize("name", ["config.json", "generator.keras", "checkpoints", "logs"])
def test_place_that_a_run_cannot_write_to_is_named_before_it_begins(toy_config, tmp_path, name):
    if "." in name:
        (tmp_path / name).mkdir()
    else:
        (tmp_path / name).touch()
    with pytest.raises(FileExistsError, match=f"Expected .*Received: .*{name}"):
        train(toy_config, tmp_path)


@pytest.mark.parametrize(
    "arguments", [{"config": {}}, {"config": "smoke"}, {"workdir": None}, {"workdir": "a\0b"}]
)
def test_arguments_of_another_type_are_named(toy_config, tmp_path, arguments):
    with pytest.raises(ValueError, match=f"Expected .*Received: {next(iter(arguments))}="):
        train(**{"config": toy_config, "workdir": tmp_path / "run", **arguments})


def test_another_backend_is_refused_before_anything_is_written(toy_config, tmp_path, monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    with pytest.raises(ValueError, match="Expected the backend tensorflow or jax.*'torch'"):
        train(toy_config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_workdir_without_a_name_is_an_error(plain_config):
    with pytest.raises(ValueError, match="workdir=''"):
        train(plain_config, "")


@pytest.mark.usefixtures("toys")
def test_all_pictures_of_a_run_share_one_store(plain_config, tmp_path, monkeypatch):
    stores, make_dataset = [], data.make_dataset

    def watch(**kwargs):
        stores.append(kwargs["store"])
        return make_dataset(**kwargs)

    monkeypatch.setattr(data, "make_dataset", watch)
    config = dataclasses.replace(
        plain_config, steps=1, validation_content="samples", validation_style="samples"
    )
    train(config, tmp_path, verbose=0)
    assert len(stores) == 3 and isinstance(stores[0], ImageStore)
    assert stores[0] is stores[1] is stores[2]


@pytest.mark.usefixtures("toys")
def test_more_callbacks_see_the_training_model_and_the_grid_as_soon_as_it_is_there(
    plain_config, tmp_path
):
    seen = []

    class Watcher(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            assert isinstance(self.model, StyleTransferGAN)
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
        "style_weight: 8.0 there, 9.0 here",
    ]


@pytest.mark.usefixtures("toys")
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


@pytest.mark.usefixtures("toys")
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
    assert all(np.all(np.isfinite(v)) for v in state_in(tmp_path / "checkpoints").values())
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


@pytest.mark.usefixtures("eager_steps")
def test_training_starts_from_the_initial_generator_and_validates(
    trained, plain_config, tmp_path, monkeypatch
):
    monkeypatch.setattr(run, "_VALIDATION_BATCHES", 2)
    config = dataclasses.replace(
        plain_config,
        initial_generator=str(trained / "generator.keras"),
        learning_rate=1e-12,
        steps=1,
        validation_content="samples",
        validation_style="samples",
        evaluate_every=1,
    )
    generator = train(config, tmp_path, verbose=0)
    assert_equal_weights(generator.get_weights(), weights_in(trained), atol=1e-6)

    events = read_events(tmp_path / "logs")
    results = {tag: v for tag, v in events.items() if tag.startswith("validation/")}
    assert set(results) == {f"validation/{name}" for name in ("loss", *TERMS)}
    assert all(list(values) == [1] for values in results.values())
    loss = sum(
        getattr(config, term.replace("loss", "weight")) * results[f"validation/{term}"][1]
        for term in TERMS
    )
    assert results["validation/loss"][1] == pytest.approx(loss, rel=1e-4)


@pytest.mark.parametrize(
    ("changed", "differences"),
    [
        ({"width": 6}, "width: 4 there, 6 here"),
        ({"num_blocks": 2, "noise": False}, "num_blocks: 1 there, 2 here; noise: True there, .*"),
        ({"generator": "document"}, "generator: 'transport' there, 'document' here"),
    ],
)
def test_initial_generator_that_the_configuration_does_not_describe_is_an_error(
    trained, plain_config, changed, differences
):
    path = str(trained / "generator.keras")
    config = dataclasses.replace(plain_config, initial_generator=path, **changed)
    with pytest.raises(ValueError, match=rf"generator\.keras\. Received: {differences}$"):
        build_model(config)


@pytest.mark.usefixtures("toys")
def test_dtype_policy_is_as_before_whether_a_run_ends_well_or_not(plain_config, tmp_path):
    before = keras.config.dtype_policy().name
    config = dataclasses.replace(plain_config, precision="mixed_bfloat16", steps=1)
    train(config, tmp_path / "good", verbose=0)
    assert keras.config.dtype_policy().name == before
    config = dataclasses.replace(config, content="no_such_folder")
    with pytest.raises(FileNotFoundError):
        train(config, tmp_path / "bad", verbose=0)
    assert keras.config.dtype_policy().name == before


@pytest.mark.slow
@pytest.mark.usefixtures("eager_steps")
def test_run_in_mixed_precision_leaves_a_generator_that_loads_in_float32(tiny_config, tmp_path):
    config = dataclasses.replace(
        tiny_config, precision="mixed_bfloat16", steps=1, adversarial_start=0, warmup_steps=0
    )
    generator = train(config, tmp_path, verbose=0)
    assert generator.compute_dtype == "bfloat16"
    loaded = load_generator(tmp_path / "generator.keras")
    assert {layer.compute_dtype for layer in loaded._flatten_layers()} == {"float32"}
    assert {variable.dtype for variable in loaded.trainable_variables} == {"float32"}
    assert_equal_weights(loaded.get_weights(), generator.get_weights(), rtol=0)


@pytest.mark.slow
@pytest.mark.usefixtures("eager_steps")
def test_transport_generator_trains_and_is_saved(plain_config, tmp_path):
    changed = {"generator": "transport", "width": 4, "num_blocks": 1}
    config = dataclasses.replace(plain_config, **changed, steps=1, warmup_steps=0)
    generator = train(config, tmp_path, verbose=0)
    assert type(generator).__name__ == "TransportGenerator"
    loaded = load_generator(tmp_path / "generator.keras")
    assert_equal_weights(loaded.get_weights(), generator.get_weights(), rtol=0)
    before, after = build_model(config).generator, generator
    moved = {
        part: not np.array_equal(a, b)
        for part in ("mapping", "convs", "skips", "descents")
        for a, b in [(getattr(g, part)[0].get_weights()[0] for g in (before, after))]
    }
    assert all(moved.values()), moved
    assert_equal_weights(after.features.get_weights(), before.features.get_weights(), rtol=0)


@pytest.mark.slow
@pytest.mark.usefixtures("eager_steps")
def test_document_generator_trains(plain_config, tmp_path):
    changed = {"generator": "document", "learning_rate": 1e-3, "log_every": 1}
    config = dataclasses.replace(plain_config, **changed, steps=1, warmup_steps=0)
    generator = train(config, tmp_path, verbose=0)
    assert type(generator).__name__ == "DocumentGenerator"
    losses_ = read_events(tmp_path / "logs")["training/loss"]
    assert all(np.isfinite(value) for value in losses_.values())
    loaded = load_generator(tmp_path / "generator.keras")
    assert_equal_weights(loaded.get_weights(), generator.get_weights(), rtol=0)
    initial = build_model(config).generator
    moved = [
        not np.array_equal(a, b)
        for a, b in zip(
            loaded.decoder[0].get_weights(), initial.decoder[0].get_weights(), strict=True
        )
    ]
    assert any(moved)
