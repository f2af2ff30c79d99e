"""The command `train`: how flags and presets become one configuration."""

import dataclasses

import pytest

from stylegan_transfer.commands import train
from stylegan_transfer.training import run as training
from stylegan_transfer.training.config import TrainingConfig
from stylegan_transfer.training.presets import PRESETS


@pytest.fixture
def calls(monkeypatch):
    """What `train` would be called with."""
    calls = []

    def note(config, workdir, callbacks):
        calls.append((config, workdir))
        for limit in callbacks:  # the only ones
            limit.stopped_at = int(limit.minutes * 10)

    monkeypatch.setattr(training, "train", note)
    return calls


@pytest.mark.parametrize("preset", PRESETS)
def test_flags_replace_what_the_preset_says(run_command, calls, preset):
    flags = ["--batch_size=3", "--nonoise", "--feature_scales=1,2", "--learning_rate=1e-4"]
    process = run_command(train, f"--preset={preset}", "--workdir=w", *flags)
    assert process.returncode == 0, process.stderr
    assert process.stdout == "Trained generator: w/generator.keras\n"
    given = {"batch_size": 3, "noise": False, "feature_scales": (1, 2), "learning_rate": 1e-4}
    assert calls == [(dataclasses.replace(PRESETS[preset], **given), "w")]


@pytest.mark.parametrize(("minutes", "stopped"), [(0.5, True), (600, False)])
def test_a_run_that_a_time_limit_stopped_says_how_far_it_is(run_command, calls, minutes, stopped):
    process = run_command(train, "--workdir=w", f"--minutes={minutes}", "--steps=6000")
    line = "Stopped at step 5 of 6000; the same command goes on\n"
    assert process.stdout == line * stopped + "Trained generator: w/generator.keras\n"


def test_the_default_preset_is_laptop(run_command, calls):
    run_command(train, "--workdir=w")
    assert calls == [(PRESETS["laptop"], "w")]


def test_help_lists_every_flag_with_its_default_and_every_preset_once(run_command):
    process = run_command(train, "--help")
    assert process.returncode == 0
    presets, _, flags = process.stdout.partition("\nFlags:\n")
    for field in dataclasses.fields(TrainingConfig):
        starts = [line.strip().split("=")[0].split(",")[0] for line in flags.splitlines()]
        assert starts.count(f"--{field.name}") == 1
        default = field.default
        if default is not False and default not in ("", ()):
            text = ",".join(map(str, default)) if isinstance(default, tuple) else default
            description = flags.partition(f"\n  --{field.name}")[2].partition("\n  --")[0]
            assert f"default: {text})" in " ".join(description.split())
    words = presets.split()
    for name, preset in PRESETS.items():
        assert words.count(name) == 1
        for field in dataclasses.fields(TrainingConfig):
            value = getattr(preset, field.name)
            if value != field.default and not isinstance(value, (bool, tuple)):
                assert f"--{field.name}={value}" in words
    assert f"--image_size={TrainingConfig().image_size}" not in words


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ([], ["Error: Expected --workdir: "]),
        (["--workdir="], ["workdir", "not empty"]),
        (["--workdir=w", "--preset=huge"], ["preset", "laptop"]),
        (["--workdir=w", "--steps=many"], ["steps", "many"]),
        (["--workdir=w", "--steps=0"], ["Error: ", "steps=0"]),
        (["--workdir=w", "--content_resize=a,b"], ["Error: ", "content_resize", "=a"]),
        (["--workdir=w", "--content_resize=32,100000000"], ["content_resize", "100000000"]),
        (["--workdir=w", "--discriminator_widths="], ["discriminator_widths=()"]),
        (["--workdir=w", "--learning_rate=inf"], ["learning_rate", "inf"]),
        (["--workdir=w", "--cache_gib=nan"], ["cache_gib", "nan"]),
        (["--workdir=w", "--no_such_flag=1"], ["no_such_flag"]),
    ],
)
def test_wrong_flags_are_one_line_and_nothing_is_trained(
    run_command, assert_user_error, calls, flags, words
):
    process = run_command(train, *flags)
    assert_user_error(process, *words)
    assert len(process.stderr.splitlines()) == 1
    assert not calls
