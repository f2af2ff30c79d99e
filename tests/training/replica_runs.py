"""Trains toy networks on two devices and in two processes: what `test_strategies` looks at.

    python tests/training/replica_runs.py FOLDER

One process imports TensorFlow, which takes long, and forks before it has used it.
"""

import dataclasses
import json
import os
import pathlib
import signal
import socket
import sys
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import tensorflow as tf
from PIL import Image
from toy_networks import ToyDiscriminator, toy_features, toy_generator, toy_model

from stylegan_transfer.training import run
from stylegan_transfer.training.gan import StyleTransferGAN
from stylegan_transfer.training.presets import PRESETS
from stylegan_transfer.training.strategies import compile_step, open_strategy, share_state

CONFIG = dataclasses.replace(
    PRESETS["smoke"],
    strategy="multi_worker",
    content="pictures",
    style="pictures",
    batch_size=4,
    steps=4,
    adversarial_weight=0.0,  # half the time; `mirror` has it
    checkpoint_every=2,
    image_every=100,
)


def fork(function, *arguments):
    """Calls a function in a child; returns its process id. The child's output goes to a file."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        function(*arguments)
        code = 0
    except Exception as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
    finally:
        sys.stderr.flush()
        os._exit(code)


def step_on(strategy, batches, path, **kwargs):
    """Steps without noise, as a graph: writes the weights and the last logs."""
    scope = tf.distribute.get_strategy().scope if strategy is None else strategy.scope
    with scope():
        networks = toy_generator(), ToyDiscriminator(), toy_features()
        # SGD, since Adam's step is the same for a gradient that is twice too large
        optimizers = [keras.optimizers.SGD(0.1, global_clipnorm=norm) for norm in (0.5, 1.0)]
    losses = {
        "content_layers": ("relu2_1",),
        "style_layers": ("relu1_1", "relu2_1"),
        "feature_scales": (1,),
        "style_weight": 3.5,
        "moments_weight": 3.5,
    }
    model = StyleTransferGAN(*networks, **losses, num_identity=2, adversarial_ramp=1)
    with scope():
        model.compile(*optimizers)
    model.start_adversarial()
    step = compile_step(model, strategy)
    for batch in batches:
        logs = step(tuple(map(tf.constant, batch)))
    parts = (model.generator, model.ema_generator, model.discriminator)
    weights = [weight for part in parts for weight in part.get_weights()]
    copies = [
        [copy.numpy() for copy in strategy.experimental_local_results(variable.value)]
        for variable in (model.generator.variables if strategy else ())
    ]
    assert all(np.array_equal(*pair) for pair in copies)
    np.savez(path, *weights, **{name: float(value) for name, value in logs.items()})


def mirror(folder):
    """The same steps on one device and on two, and the noise of each of the two."""
    devices = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], devices)
    rng = np.random.default_rng(0)
    batches = [
        (
            rng.uniform(size=(4, 16, 16, 3)).astype("float32"),
            rng.uniform(size=(4, 2, 16, 16, 3)).astype("float32"),
            np.array([1, 1, 2, 1]),  # 0's and 2's other painting is the other device's, 3's is not
        )
        for _ in range(3)
    ]
    strategy = open_strategy("mirrored", batch_size=4)
    step_on(None, batches, folder / "single.npz")
    step_on(strategy, batches, folder / "mirrored.npz")
    with strategy.scope():
        noise = keras.layers.GaussianNoise(1.0, seed=5)
        noise.build((None, 8))
    seeds = noise.seed_generator.state
    share_state(strategy, [seeds], [seeds], fingerprint=0)
    drawn = strategy.run(lambda: noise(tf.zeros((1, 8)), training=True))
    plain = keras.layers.GaussianNoise(1.0, seed=5)(tf.zeros((1, 8)), training=True)
    np.savez(folder / "noise.npz", plain, *strategy.experimental_local_results(drawn))


class Killer(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if batch == 2:
            pathlib.Path("death.json").write_text(json.dumps(time.time()))
            os.kill(os.getpid(), signal.SIGKILL)


def work(index, ports, name, killed):
    """One of two workers; the second one is killed after step 3."""
    cluster = {"worker": [f"127.0.0.1:{port}" for port in ports]}
    task = {"type": "worker", "index": index}
    os.environ["TF_CONFIG"] = json.dumps({"cluster": cluster, "task": task})
    run._GRID_SIZE = 1
    run.build_model = lambda *arguments: toy_model(StyleTransferGAN, *arguments, run_eagerly=False)
    callbacks = [Killer()] if killed and index == 1 else []
    try:
        generator = run.train(CONFIG, name, verbose=0, callbacks=callbacks)
    except ConnectionError as error:
        message = {"error": str(error), "time": time.time()}
        pathlib.Path("lost.json").write_text(json.dumps(message))
        os._exit(75)
    np.savez(f"{name}-{index}.npz", *generator.get_weights())


def work_together(name, killed=False):
    """The exit codes of both workers, negative for a signal, and when both had ended."""
    sockets = [socket.socket() for _ in range(2)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    children = [fork(work, index, ports, name, killed) for index in range(2)]
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    return {"codes": codes, "end": time.time()}


def main(folder):
    os.chdir(folder)
    pathlib.Path("pictures").mkdir()
    for i, picture in enumerate(np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), "uint8")):
        Image.fromarray(picture).save(f"pictures/{i}.png")
    child = fork(mirror, folder)
    ends = {"mirror": {"codes": [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])]}}
    ends["whole"] = work_together("whole")
    ends["killed"] = work_together("killed", killed=True)
    ends["resumed"] = work_together("killed")
    pathlib.Path("ends.json").write_text(json.dumps(ends))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
