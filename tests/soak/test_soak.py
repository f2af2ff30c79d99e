"""What only shows in the long run: SOAK=1 in the environment runs it, SOAK=20 20 times as long."""

import os
import pathlib
import resource
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from stylegan_transfer.commands import stylize as command
from stylegan_transfer.commands.stylization import paint
from stylegan_transfer.commands.stylization.options import StylizeOptions
from stylegan_transfer.networks.generator import StyleGenerator
from stylegan_transfer.networks.saving import save_generator

FACTOR = int(os.environ.get("SOAK", "0"))
pytestmark = pytest.mark.skipif(FACTOR == 0, reason="takes minutes: SOAK=1 runs it")
KIB_A_PICTURE = 64


@pytest.mark.parametrize("kind", ["train", "stylize"])
def test_runs_that_are_killed_at_random_moments_end_as_others(kind):
    script = pathlib.Path(__file__).parent / "kills.py"
    process = subprocess.run(
        [sys.executable, script, kind, str(3 * FACTOR)], capture_output=True, text=True
    )
    assert process.returncode == 0, process.stdout + process.stderr
    print(process.stdout)


def test_memory_does_not_grow_with_the_number_of_pictures(tmp_path, monkeypatch, capsys):
    count = 100 * FACTOR
    save_generator(StyleGenerator(width=2, num_blocks=0, code_size=8), tmp_path / "toy.keras")
    (tmp_path / "photos").mkdir()
    for i in range(count):
        pixels = np.random.default_rng(i).integers(0, 256, (32, 32 + 8 * (i % 3), 3))
        Image.fromarray(np.uint8(pixels)).save(tmp_path / "photos" / f"{i:05}.png")
    memory, save = [], paint.save_picture

    def save_and_measure(*arguments):
        save(*arguments)
        memory.append(resident_kib())

    monkeypatch.setattr(paint, "save_picture", save_and_measure)
    style = str(tmp_path / "photos" / "00000.png")
    options = StylizeOptions(
        content=(str(tmp_path / "photos"),),
        style=(style,),
        output=str(tmp_path / "out"),
        generator=str(tmp_path / "toy.keras"),
        style_size=32,
    )
    assert command.stylize(options) == 0
    rest = np.arange(count // 3, count)
    slope = np.polyfit(rest, np.asarray(memory)[rest], 1)[0]
    with capsys.disabled():
        print(f"\n{count} pictures: {slope:.1f} KiB more for each")
    assert slope < KIB_A_PICTURE


def resident_kib():
    statm = pathlib.Path("/proc/self/statm")
    if not statm.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(statm.read_text().split()[1]) * resource.getpagesize() // 1024
