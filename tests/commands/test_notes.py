"""What `stylize` says and refuses while planning, before anything is loaded."""

import os
import pathlib
import shutil

import pytest

from stylegan_transfer.commands.stylization.notes import note_skipped, note_without_effect
from stylegan_transfer.commands.stylization.options import StylizeOptions
from stylegan_transfer.commands.stylization.plan import make_plan
from stylegan_transfer.commands.stylization.record import Makings


@pytest.fixture
def plan(save_picture, tmp_path, monkeypatch):
    """Plans a run in a folder with a photograph and a style."""
    monkeypatch.chdir(tmp_path)
    save_picture("photos/a.png")
    save_picture("style.png")

    def plan(**options):
        named = {"content": ("photos/a.png",), "style": ("style.png",), "output": "out.png"}
        options = StylizeOptions(**{**named, **options})
        return make_plan(options, Makings(options))

    return plan


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"content": ("photos",)}, True),
        ({"content": ("photos/*",)}, True),
        ({"style": ("photos",)}, True),
        ({"style": ("photos:1",)}, True),
        ({"style": (), "style_collection": "photos"}, True),
        ({"content": ("photos/a.png",)}, False),
        ({"content": ("photos/*.png",)}, False),
    ],
)
def test_what_lies_beside_pictures_and_is_none_is_said(plan, tmp_path, options, named):
    (tmp_path / "photos" / "b.heic").write_bytes(b"")
    (tmp_path / "photos" / ".hidden").write_bytes(b"")
    notes = plan(**options, **({"output": "out"})).notes
    said = "Skipped what is no picture that can be read: photos/b.heic"
    assert notes == ([said] if named else [])


def test_a_link_to_nowhere_is_said(plan, tmp_path):
    os.symlink("nowhere.png", tmp_path / "photos" / "b.png")
    (note,) = plan(content=("photos",), output="out").notes
    assert "photos/b.png" in note


def test_results_of_earlier_runs_are_not_among_what_is_skipped(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.makedirs("photos/out")
    pathlib.Path("photos/out/stylize.json").touch()
    options = StylizeOptions(content=("photos",), style=("s.png",), output="photos/out")
    assert note_skipped(options, pathlib.Path("photos/out")) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, None),
        ({"steady": False}, "Without effect on pictures: --nosteady"),
        ({"compression_quality": 50}, "Without effect but on JPEG and WebP"),
        ({"compression_quality": 50, "output": "out.jpg"}, None),
        ({"compression_quality": 50, "output": "out", "format": "webp"}, None),
        ({"format": "jpg"}, "Without effect where --output names a file: --format"),
        ({"format": "jpg", "output": "out"}, None),
        ({"keep_depth": False, "batch_size": 1, "tile_size": 64, "content_size": 32}, None),
    ],
)
def test_flags_without_effect_on_pictures_are_said(plan, options, words):
    notes = plan(**options).notes
    assert len(notes) == (words is not None)
    assert words is None or words in notes[0]


def test_flags_without_effect_on_clips_are_said(plan):
    given = {"report": True, "content_size": 32, "batch_size": 1}
    given |= {"keep_depth": False, "compression_quality": 50}
    shutil.copy("photos/a.png", "a.mp4")
    options = StylizeOptions(content=("a.mp4",), style=("style.png",), output="o.mp4", **given)
    notes = note_without_effect(options, make_plan(options, Makings(options)).jobs)
    flags = ("report", "content_size", "batch_size", "nokeep_depth")
    assert notes == [
        f"Without effect on clips: --{name}" for name in (*flags, "compression_quality")
    ]


@pytest.mark.parametrize(
    ("make", "options", "error"),
    [
        (lambda: os.symlink("nowhere", "out.png"), {}, FileExistsError),
        (lambda: os.makedirs("out/a_style.png"), {"output": "out"}, OSError),
        (lambda: os.makedirs("out/stylize.json"), {"output": "out"}, ValueError),
        (lambda: os.makedirs("out/originality.json"), {"output": "out", "report": True}, OSError),
        (lambda: pathlib.Path("file").touch(), {"output": "file/out.png"}, OSError),
        (lambda: pathlib.Path("file").touch(), {"output": "file/folder/"}, OSError),
    ],
)
def test_a_place_that_cannot_be_written_is_found_while_planning(plan, make, options, error):
    make()
    with pytest.raises(error, match="Expected .*Received: "):
        plan(**options)


@pytest.mark.parametrize(
    "record",
    ['{"format": true, "results": {}}', "[" * 100_000]
    + ['{"format": 1, "results": {"a\\u0000": {"pair": ["a", "b", "c"]}}}'],
)
def test_a_record_of_nonsense_is_named(plan, record):
    os.mkdir("out")
    pathlib.Path("out/stylize.json").write_text(record)
    with pytest.raises(ValueError, match=r"Expected the record .*Received: out/stylize\.json"):
        plan(output="out", resume=True)
