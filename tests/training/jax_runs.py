"""Trains toys under JAX on two devices, without TensorFlow; `test_jax` starts it, and does so too.

python tests/training/jax_runs.py FOLDER
"""

import dataclasses
import pathlib
import sys

NUM_STEPS, ADVERSARIAL_START, BATCH = 10, 3, 4


class NoTensorFlow:
    """Makes TensorFlow and its data sets impossible to import."""

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("tensorflow", "tensorflow_datasets"):
            raise ImportError(f"{name} is blocked")


def toys_with(folder):
    """The training model whose weights lie in a folder, without noise."""
    import keras
    import numpy as np
    from toy_networks import ToyDiscriminator, toy_features, toy_generator

    from stylegan_transfer.training.gan import StyleTransferGAN

    networks = toy_generator(), ToyDiscriminator(), toy_features()
    weights = [w for network in networks for w in network.weights]
    with np.load(folder / "weights.npz") as file:
        for weight, value in zip(weights, file.values(), strict=True):
            weight.assign(value)
    model = StyleTransferGAN(
        *networks,
        content_layers=("relu2_1",),
        style_layers=("relu1_1", "relu2_1"),
        feature_scales=(1, 2),
        adversarial_ramp=3,
    )
    optimizers = (keras.optimizers.Adam(1e-2, global_clipnorm=1.0) for _ in range(2))
    eagerly = keras.backend.backend() == "tensorflow"  # for few steps quicker than to trace them
    model.compile(*optimizers, jit_compile=False, run_eagerly=eagerly)
    return model


def take_steps(model, folder):
    """Trains on the batches in a folder; returns the logs and the last weights, all by name."""
    import keras
    import numpy as np

    from stylegan_transfer.training.callbacks import AdversarialStart

    rows = []

    class Record(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            rows.append({name: float(value) for name, value in logs.items()})

    def batches():
        with np.load(folder / "batches.npz") as file:
            yield from zip(file["content"], file["style"], file["painting"], strict=True)

    callbacks = [AdversarialStart(ADVERSARIAL_START), Record()]
    options = {"steps_per_epoch": NUM_STEPS, "shuffle": False, "verbose": 0}
    model.fit(batches(), callbacks=callbacks, **options)
    logs = {f"{i} {name}": value for i, row in enumerate(rows) for name, value in row.items()}
    averages = {f"average {i}": w for i, w in enumerate(model.ema_generator.get_weights())}
    return logs | averages


def run_and_resume(folder):
    """A run, and one that is interrupted and goes on."""
    import keras
    from toy_networks import toy_model

    from stylegan_transfer.training import run
    from stylegan_transfer.training.gan import StyleTransferGAN
    from stylegan_transfer.training.presets import PRESETS

    run._VALIDATION_BATCHES = 1
    run.build_model = lambda config, *scope: toy_model(StyleTransferGAN, config, run_eagerly=False)
    config = dataclasses.replace(
        PRESETS["smoke"],
        steps=6,
        checkpoint_every=2,
        image_every=6,
        adversarial_start=0,
        content_layers=("relu2_1",),
        style_layers=("relu1_1",),
        validation_content="samples",
        validation_style="samples",
        evaluate_every=6,
    )
    seldom = dataclasses.replace(config, evaluate_every=100)  # leaves the weights as they are

    class Interrupt(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 2:
                raise KeyboardInterrupt

    run.train(config, folder / "whole", verbose=0)
    try:
        run.train(seldom, folder / "resumed", 0, [Interrupt()])
    except KeyboardInterrupt:
        run.train(seldom, folder / "resumed", verbose=0)


def main(folder):
    import jax
    import numpy as np

    from stylegan_transfer.training.devices import on_all_devices

    assert jax.device_count() == 2
    with on_all_devices(BATCH):
        model = toys_with(folder)
        assert model.jit_compile  # always, whatever was said
        results = take_steps(model, folder)
        assert len(model.generator.weights[0].value.sharding.device_set) == 2
    np.savez(folder / "jax.npz", **results)
    run_and_resume(folder)
    assert "tensorflow" not in sys.modules


if __name__ == "__main__":
    sys.meta_path.insert(0, NoTensorFlow())
    main(pathlib.Path(sys.argv[1]))
