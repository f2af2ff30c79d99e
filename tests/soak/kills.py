"""Kills runs at random moments, lets them go on, and compares their ends with unkilled ones.

python tests/soak/kills.py train 50
python tests/soak/kills.py stylize 50

A process that has imported everything forks a child for each run: that takes seconds less. Every
second kill waits for a half-written file (`.saving-*`), the others for a random moment. Prints a
line a kill, and how many of them struck while something was being written.
"""

import contextlib
import dataclasses
import hashlib
import itertools
import os
import pathlib
import random
import signal
import sys
import tempfile
import time
import traceback

ROOT = pathlib.Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "training")]

import numpy as np  # noqa: E402
from PIL import Image  # noqa: E402

NUM_PICTURES = 20


def fork(function, *arguments) -> int:
    """Calls a function in a child process; returns its id."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    try:
        with open(os.devnull, "w") as sys.stdout:
            function(*arguments)
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def is_writing(folder) -> bool:
    return any(folder.glob(".saving-*")) or any(folder.glob("*/.saving-*"))


def kill(child, folder, seconds, when_writing) -> bool | None:
    """Kills a child at a random moment, or in the first half-written file after it.

    Returns:
        Whether something was being written; None if the child was done before.
    """
    moment = time.monotonic() + random.uniform(0, 0.8 * seconds)
    while time.monotonic() < moment or (when_writing and not is_writing(folder)):
        if os.waitpid(child, os.WNOHANG)[0]:
            return None
        time.sleep(0.0005)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return is_writing(folder)


def finish(function, *arguments) -> float:
    """Calls a function in a child to its end; returns how long that took."""
    began = time.monotonic()
    _, status = os.waitpid(fork(function, *arguments), 0)
    if status:
        raise AssertionError(f"a run failed with status {status}")
    return time.monotonic() - began


def train(workdir):
    from toy_networks import toy_model

    from stylegan_transfer.training import run
    from stylegan_transfer.training.gan import StyleTransferGAN
    from stylegan_transfer.training.presets import PRESETS

    run.build_model = lambda config: toy_model(StyleTransferGAN, config)
    config = dataclasses.replace(
        PRESETS["smoke"],
        steps=40,
        content_layers=("relu2_1",),
        style_layers=("relu1_1",),
        log_every=20,
        image_every=1_000,
        checkpoint_every=1,
    )
    run.train(config, workdir, verbose=0)


def weights(workdir):
    """The newest state, and the generator, as lists of arrays: files hold times of writing."""
    import tensorflow as tf

    reader = tf.train.load_checkpoint(tf.train.latest_checkpoint(str(workdir / "checkpoints")))
    names = sorted(n for n in reader.get_variable_to_shape_map() if n.startswith("variables/"))
    return [reader.get_tensor(name) for name in names]


def write_weights(workdir, path):
    np.savez(path, *weights(workdir))


def prepare_pictures(folder):
    from stylegan_transfer.networks.generator import StyleGenerator
    from stylegan_transfer.networks.saving import save_generator

    save_generator(StyleGenerator(width=2, num_blocks=0, code_size=8), folder / "toy.keras")
    colors = np.random.default_rng(0)
    (folder / "photos").mkdir()
    for name in ["s", *(f"photos/{i}" for i in range(NUM_PICTURES))]:
        image = Image.fromarray(colors.integers(0, 256, (40, 48, 3), dtype=np.uint8))
        image.save(folder / f"{name}.png")


def stylize(folder, output):
    from stylegan_transfer.commands import stylize as command
    from stylegan_transfer.commands.stylization.options import StylizeOptions

    options = StylizeOptions(
        content=(str(folder / "photos"),),
        style=(str(folder / "s.png"),),
        output=str(output),
        generator=str(folder / "toy.keras"),
        style_size=32,
        batch_size=1,
        resume=True,
    )
    if command.stylize(options):
        raise AssertionError("pictures failed")


def digests(folder):
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.png")
    }


def soak_train(folder, count):
    import stylegan_transfer.training.run  # noqa: F401

    expected, ends = folder / "expected", folder / "ends.npz"
    seconds = finish(train, expected)

    def ends_as_expected(workdir):
        for source in (expected, workdir):
            finish(write_weights, source, ends)
            with np.load(ends) as arrays:
                states = [arrays[name] for name in arrays]
            if source is expected:
                reference = states
        close = (np.allclose(a, b, 1e-4, 1e-6) for a, b in zip(reference, states, strict=True))
        return all(close), all(np.array_equal(*p) for p in zip(reference, states, strict=True))

    return soak(folder, count, seconds, train, ends_as_expected)


def soak_stylize(folder, count):
    import stylegan_transfer.commands.stylization.paint
    import stylegan_transfer.networks.saving  # noqa: F401

    finish(prepare_pictures, folder)
    seconds = finish(stylize, folder, folder / "expected")
    expected = digests(folder / "expected")

    def ends_as_expected(output):
        return (digests(output) == expected,) * 2

    def run(output):
        stylize(folder, output)

    return soak(folder, count, seconds, run, ends_as_expected)


def soak(folder, count, seconds, run, ends_as_expected):
    """Kills `count` runs, each up to three times before it may end; returns the number of ends
    that were not as expected."""
    killed = in_writing = wrong = identical = 0
    for number in itertools.count():
        if killed >= count:
            break
        target = folder / f"run{number}"
        for _ in range(min(3, count - killed)):
            target.mkdir(exist_ok=True)
            struck = kill(fork(run, target), target, seconds, when_writing=killed % 2)
            if struck is None:
                break
            killed, in_writing = killed + 1, in_writing + struck
        finish(run, target)
        right, same = ends_as_expected(target)
        wrong, identical = wrong + (not right), identical + same
        leftovers = is_writing(target)
        print(f"{killed} kills: {'as expected' if right else 'WRONG'}", flush=True)
        wrong += leftovers
    print(f"{killed} kills, {in_writing} of them while writing; {identical} ends bit-identical")
    print(f"{wrong} ends wrong", flush=True)
    return wrong


def main(kind, count) -> int:
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(KeyboardInterrupt):
        soaks = {"train": soak_train, "stylize": soak_stylize}
        return min(1, soaks[kind](pathlib.Path(folder), int(count)))
    return 130


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
