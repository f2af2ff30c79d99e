"""Memory while a long clip is painted."""

import pathlib

import numpy as np
import pytest
from clip_files import make_clip

from stylegan_transfer import samples
from stylegan_transfer.stylizing import video

STATUS = pathlib.Path("/proc/self/status")
SIZE, NUM_FRAMES = 64, 2000


def resident():
    """MiB of this process."""
    (line,) = (line for line in STATUS.read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 2**10


@pytest.mark.slow
@pytest.mark.skipif(not STATUS.exists(), reason="no /proc")
def test_memory_does_not_grow_with_the_clip(generator, code, tmp_path, monkeypatch):
    """A painted frame is 48 KiB: 1,500 that are kept would be 70 MiB."""
    picture = np.round(255 * samples.draw_content("harbour", 2 * SIZE)).astype("uint8")
    shifts = [round(24 + 24 * np.sin(t / 20)) for t in range(NUM_FRAMES)]
    images = [np.ascontiguousarray(picture[s : s + SIZE, s : s + SIZE]) for s in shifts]
    source = make_clip(tmp_path / "a.mp4", images)
    # a painter that takes no time
    monkeypatch.setattr(video, "stylize_with_code", lambda generator, frame, **options: 1.0 - frame)
    memory = []
    frames = video.stylize_video(
        generator,
        source,
        code,
        tmp_path / "b.mp4",
        segments=tmp_path / "segments",
        progress=lambda done, total: memory.append(resident()),
    )
    assert frames == len(memory) == NUM_FRAMES
    assert max(memory) < memory[500] + 20
