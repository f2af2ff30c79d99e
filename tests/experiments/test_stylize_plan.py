"""The plan of a stylisation: styles, output files, what is left to do."""

import pathlib

import pytest
import stylize_plan
from stylize_plan import Job, Style, plan_jobs, plan_report, read_styles, remaining, save_settings

from stylegan_transfer.pictures.clips import CODECS


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a.jpg", ("a.jpg", None)),
        ("a.jpg:0.7", ("a.jpg", 0.7)),
        ("C:\\art\\a.jpg", ("C:\\art\\a.jpg", None)),
        ("C:\\art\\a.jpg:2", ("C:\\art\\a.jpg", 2.0)),
        ("12:30.png", ("12:30.png", None)),
        (":7", (":7", None)),
    ],
)
def test_a_number_after_the_last_colon_is_a_weight(source, expected):
    assert stylize_plan.split_weight(source) == expected


def test_a_file_of_that_very_name_is_a_path(tmp_path):
    source = str(tmp_path / "at 12:30")
    assert stylize_plan.split_weight(source) == (str(tmp_path / "at 12"), 30.0)
    (tmp_path / "at 12:30").touch()
    assert stylize_plan.split_weight(source) == (source, None)


@pytest.mark.parametrize("weight", ["-1", "nan"])
def test_wrong_weights_are_named(weight):
    with pytest.raises(ValueError, match=f"Received: --style=a.jpg:{weight}"):
        stylize_plan.split_weight(f"a.jpg:{weight}")


@pytest.fixture
def paintings(save_picture):
    return [save_picture(f"paintings/{name}.png") for name in "abc"]


def test_every_painting_is_a_style_of_its_own_and_once(paintings):
    styles = read_styles([str(paintings[1]), str(paintings[0].parent)], None, one_of_all=False)
    assert styles == [Style(p.stem, (p,)) for p in (paintings[1], paintings[0], paintings[2])]


def test_weights_make_one_style(paintings):
    for weights in ((0.7, 0.3), (0.0, 1.0)):
        sources = [f"{paintings[0]}:{weights[0]}", f"{paintings[1]}:{weights[1]}"]
        assert read_styles(sources, None, one_of_all=False) == [
            Style("a+b", (paintings[0], paintings[1]), weights)
        ]


def test_masks_make_one_style_without_weights(paintings):
    sources = [str(paintings[0]), str(paintings[1])]
    assert read_styles(sources, None, one_of_all=True) == [Style("a+b", tuple(paintings[:2]))]


def test_a_collection_is_one_style_that_is_named_after_its_folder(paintings):
    assert read_styles([], str(paintings[0].parent), one_of_all=False) == [
        Style("paintings", tuple(paintings))
    ]


def test_some_weights_or_no_style_at_all_are_mistakes(paintings):
    with pytest.raises(ValueError, match="a weight for each --style, or for none"):
        read_styles([f"{paintings[0]}:1", str(paintings[1])], None, one_of_all=False)
    with pytest.raises(ValueError, match="neither"):
        read_styles([], None, one_of_all=False)


def plan(contents, styles, suffix=".png", output="out"):
    contents = [pathlib.Path(content) for content in contents]
    styles = [Style(name, (pathlib.Path(f"{name}.jpg"),)) for name in styles]
    return [job.output.name for job in plan_jobs(contents, styles, output, suffix)]


def test_no_two_results_share_a_name_even_where_case_does_not_count():
    assert plan(["1/a.png", "2/a.jpg", "A_b.png", "a.png"], ["c", "B_c"]) == [
        "a_c.png",
        "a_B_c.png",
        "a_c-2.png",
        "a_B_c-2.png",
        "A_b_c-3.png",
        "A_b_B_c.png",
        "a_c-3.png",
        "a_B_c-4.png",
    ]


def test_names_end_as_asked_and_clips_stay_clips():
    contents = ["a.jpg", "b.gif", "c.mp4"]
    assert plan(contents, ["s"], ".webp") == ["a_s.webp", "b_s.webp", "c_s.mp4"]
    assert plan(contents, ["s"], "same") == ["a_s.jpg", "b_s.png", "c_s.mp4"]
    assert plan(["contact.png"], ["sheet"]) == ["contact_sheet-2.png"]


def test_clips_that_cannot_be_written_as_they_are_become_mp4():
    contents = ["a.avi", "a.mp4", "b.M4V", "c.MOV"]
    expected = ["a_s.mp4", "a_s-2.mp4", "b_s.mp4", "c_s.mov"]
    assert plan(contents, ["s"]) == plan(contents, ["s"], "same") == expected


def test_clips_that_can_be_written_are_those_of_the_package():
    suffixes = {*stylize_plan.VIDEO_SUFFIXES}
    kept = {suffix for suffix in suffixes if plan([f"a{suffix}"], ["s"]) == [f"a_s{suffix}"]}
    assert kept == CODECS.keys()


def test_planning_does_not_load_tensorflow(run_python, save_picture):
    path = save_picture("a.png")
    code = f"""
import sys
sys.path.insert(0, "experiments")
import stylize_plan
styles = stylize_plan.read_styles([{str(path)!r}], None, one_of_all=False)
stylize_plan.plan_jobs(stylize_plan.read_contents([{str(path)!r}]), styles, "out", "same")
print(*{{"tensorflow", "keras"}} & set(sys.modules))
"""
    process = run_python("-c", code)
    assert process.returncode == 0, process.stderr
    assert process.stdout.split() == []


def test_one_pair_goes_into_the_named_file_and_several_do_not():
    assert plan(["a.jpg"], ["s"], output="x/result.tif") == ["result.tif"]
    with pytest.raises(ValueError, match="a folder as --output for 2 contents and 1 styles"):
        plan(["a.jpg", "b.jpg"], ["s"], output="x/result.tif")


@pytest.fixture
def jobs(tmp_path):
    style = Style("s", (pathlib.Path("s.jpg"),))
    return [Job(pathlib.Path(f"{n}.jpg"), style, tmp_path / "out" / f"{n}.png") for n in "abc"]


def test_existing_results_are_an_error_unless_the_user_decides(jobs):
    settings = {"strength": 1.0}
    assert remaining(jobs, settings, overwrite=False, resume=False) == jobs
    save_settings(jobs, settings)
    jobs[1].output.touch()
    with pytest.raises(FileExistsError, match=r"--overwrite or --resume.*b\.png"):
        remaining(jobs, settings, overwrite=False, resume=False)
    assert remaining(jobs, settings, overwrite=True, resume=False) == jobs
    assert remaining(jobs, settings, overwrite=False, resume=True) == [jobs[0], jobs[2]]


def test_the_report_lies_in_the_folder_or_beside_the_single_result(jobs):
    folder = jobs[0].output.parent
    assert plan_report(jobs, str(folder), overwrite=False) == folder / "originality.json"
    assert plan_report(jobs[:1], str(folder), overwrite=False) == folder / "originality.json"
    single = str(jobs[0].output)
    assert plan_report(jobs[:1], single, overwrite=False) == folder / "a.json"
    folder.mkdir()
    (folder / "a.json").touch()
    with pytest.raises(FileExistsError, match=r"--overwrite .* Received: .*a\.json"):
        plan_report(jobs[:1], single, overwrite=False)
    assert plan_report(jobs[:1], single, overwrite=True) == folder / "a.json"


def test_a_folder_of_other_settings_is_not_resumed(jobs):
    save_settings(jobs, {"strength": 1.0, "seed": None})
    jobs[0].output.touch()
    with pytest.raises(ValueError, match=r"other --strength"):
        remaining(jobs, {"strength": 0.5, "seed": None}, overwrite=False, resume=True)
