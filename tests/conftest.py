"""What several test files share: a run of the training script, and pictures as files."""

import contextlib
import io
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
if "PYTEST_XDIST_WORKER" in os.environ:  # several processes share the cores: one thread each
    for _name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ.setdefault(_name, "1")  # read when TensorFlow is imported

ROOT = pathlib.Path(__file__).parents[1]
# Real features, but shallow ones: deep networks take long to trace.
TINY = {
    "features": ("random",),
    "content_layers": ("relu2_1",),
    "style_layers": ("relu1_1",),
    "feature_scales": (1,),
    "width": 4,
    "steps": 8,
    "adversarial_start": 0,  # a later start is another graph to trace
    "adversarial_ramp": 3,
    "log_every": 2,
    "image_every": 4,
    "checkpoint_every": 3,
}


# Fixtures of the session that take long to make: all their tests go to one process.
SHARED = ("trained", "tfds_dir")


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items):
    """Groups the tests for `pytest -n 2 --dist loadgroup`: by shared fixture, else by file.

    A file's fixtures and its traced functions are then made once. Slow tests come first, so that
    no process waits for the other one in the end; pytest-xdist leaves them there when told
    `--no-loadscope-reorder`.
    """
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            shared = [name for name in SHARED if name in getattr(item, "fixturenames", ())]
            item.add_marker(pytest.mark.xdist_group((shared or [item.path.stem])[0]))


def as_flags(overrides):
    for name, value in overrides.items():
        text = ",".join(map(str, value)) if isinstance(value, tuple) else value
        yield f"--{name}={text}"


@pytest.fixture(scope="session")
def run_python():
    """Runs Python in the repository's root, as a user would; returns the finished process."""

    def run(*arguments, timeout=300):
        return subprocess.run(
            [sys.executable, *map(str, arguments)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def tiny_flags():
    """The flags that make `--preset=smoke` the configuration of `tiny_config`."""
    return [*as_flags(TINY)]


@pytest.fixture(scope="session")
def tiny_config():
    import dataclasses

    from stylegan_transfer.training.presets import PRESETS

    return dataclasses.replace(PRESETS["smoke"], **TINY)


@pytest.fixture(scope="session")
def trained(tiny_flags, tmp_path_factory):
    """The folder of a run of the command `train` with the tiny configuration."""
    from stylegan_transfer.commands import launch, train

    workdir = tmp_path_factory.mktemp("trained") / "run"
    flags = ["--preset=smoke", f"--workdir={workdir}", *tiny_flags]
    printed, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(errors):
        assert launch.run(train.main, ["train", *flags]) == 0, errors.getvalue()
    assert "Traceback" not in errors.getvalue()
    assert "Warning:" not in errors.getvalue()
    assert f"Trained generator: {workdir}/generator.keras" in printed.getvalue()
    return workdir


@pytest.fixture
def eager_steps(monkeypatch):
    """Trains without a graph, for a grid of one picture: for few steps quicker than to trace."""
    from stylegan_transfer.training import run
    from stylegan_transfer.training.gan import StyleTransferGAN

    compile_model = StyleTransferGAN.compile

    def compile_eagerly(self, *args, **kwargs):
        compile_model(self, *args, **kwargs)
        self.run_eagerly = True

    monkeypatch.setattr(StyleTransferGAN, "compile", compile_eagerly)
    monkeypatch.setattr(run, "_GRID_SIZE", 1)


@pytest.fixture(scope="session")
def assert_user_error():
    """Checks a finished process: a message that holds the words, no traceback, an exit code."""

    def check(process, *words):
        output = process.stdout + process.stderr
        assert process.returncode not in (0, None)
        assert "Traceback" not in output
        for word in words:
            assert word in output

    return check


@pytest.fixture(scope="session")
def make_generator():
    """Builds a tiny generator whose modulations are as large as after training.

    An untrained one nearly ignores the style.
    """
    import keras

    from stylegan_transfer.networks.generator import StyleGenerator

    def make(**options):
        keras.utils.set_random_seed(3)
        generator = StyleGenerator(width=4, num_blocks=1, **options)
        for norm in generator.norms:
            norm.affine.kernel.assign(10.0 * norm.affine.kernel)
        return generator

    return make


@pytest.fixture(scope="module")
def generator(make_generator):
    """A tiny generator, for tests to which it does not matter which."""
    return make_generator(code_size=8)


@pytest.fixture(scope="module")
def code():
    """The code of a style for this generator."""
    return np.random.default_rng(0).normal(0, 1, (1, 8)).astype("float32")


@pytest.fixture
def save_picture(tmp_path):
    """Writes a picture of smooth random colours; returns its path."""

    def save(name, size=(48, 40), seed=0):
        height, width = size
        rng = np.random.default_rng(seed)
        coarse = Image.fromarray(rng.integers(0, 256, (5, 5, 3), dtype=np.uint8))
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        coarse.resize((width, height), Image.Resampling.BICUBIC).save(path)
        return path

    return save


@pytest.fixture(scope="session")
def tfds_dir(tmp_path_factory):
    """A folder with two real TensorFlow data sets: 8 pictures, and 2 numbers."""
    import tensorflow_datasets as tfds

    class _Builder(tfds.core.GeneratorBasedBuilder, skip_registration=True):
        VERSION = tfds.core.Version("1.0.0")

        def _info(self):
            features = tfds.features.FeaturesDict(self.FEATURES)
            return tfds.core.DatasetInfo(builder=self, features=features)

        def _split_generators(self, dl_manager):
            return {"train": enumerate(self.EXAMPLES)}

        def _generate_examples(self):
            raise NotImplementedError

    class TinyPictures(_Builder, skip_registration=True):
        FEATURES = {"label": np.int64, "picture": tfds.features.Image()}
        EXAMPLES = [
            {"label": i, "picture": np.full((20, 30, 3), (30 * i, 9, 9), np.uint8)}
            for i in range(8)
        ]

    class TinyNumbers(_Builder, skip_registration=True):
        FEATURES = {"label": np.int64}
        EXAMPLES = [{"label": i} for i in range(2)]

    tfds.disable_progress_bar()
    folder = tmp_path_factory.mktemp("tfds")
    for builder in (TinyPictures, TinyNumbers):
        builder(data_dir=folder).download_and_prepare()
    return folder
