"""Contents, styles and the files of their results."""

import pathlib

import pytest

from stylegan_transfer.commands import pairs
from stylegan_transfer.commands.pairs import Style, plan_jobs, read_contents, read_styles
from stylegan_transfer.pictures.clip_streams import CODECS


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
    assert pairs.split_weight(source) == expected


def test_a_file_of_that_very_name_is_a_path(tmp_path):
    source = str(tmp_path / "at 12:30")
    assert pairs.split_weight(source) == (str(tmp_path / "at 12"), 30.0)
    (tmp_path / "at 12:30").touch()
    assert pairs.split_weight(source) == (source, None)


@pytest.mark.parametrize("weight", ["-1", "nan"])
def test_wrong_weights_are_named(weight):
    with pytest.raises(ValueError, match=f"Received: --style=a.jpg:{weight}"):
        pairs.split_weight(f"a.jpg:{weight}")


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
    suffixes = {*pairs.CLIP_SUFFIXES}
    kept = {suffix for suffix in suffixes if plan([f"a{suffix}"], ["s"]) == [f"a_s{suffix}"]}
    assert kept == CODECS.keys()


def test_planning_does_not_load_tensorflow(run_python, save_picture):
    path = save_picture("a.png")
    code = f"""
import sys
from stylegan_transfer.commands.stylization.options import StylizeOptions
from stylegan_transfer.commands.stylization.plan import make_plan
from stylegan_transfer.commands.stylization.record import Makings
options = StylizeOptions(content=({str(path)!r},), style=({str(path)!r},), output="no_such_folder")
assert len(make_plan(options, Makings(options)).todo) == 1
print(*{{"tensorflow", "keras"}} & set(sys.modules))
"""
    process = run_python("-c", code)
    assert process.returncode == 0, process.stderr
    assert process.stdout.split() == []


def test_one_pair_goes_into_the_named_file_and_several_do_not():
    assert plan(["a.jpg"], ["s"], output="x/result.tif") == ["result.tif"]
    with pytest.raises(ValueError, match="a folder as --output for 2 contents and 1 styles"):
        plan(["a.jpg", "b.jpg"], ["s"], output="x/result.tif")


@pytest.mark.parametrize("output", ["o.gif", "o.avif", "x/o.jpgg", ""])
def test_an_output_that_cannot_be_written_is_an_error_that_lists_the_formats(output):
    words = r"\.png, .*\.mp4" if output else "a file or a folder"
    with pytest.raises(ValueError, match=f"{words}.* Received: --output={output}$"):
        plan(["a.jpg"], ["s"], output=output)


def test_a_folder_may_have_a_suffix_if_it_exists_or_ends_in_a_slash(tmp_path):
    assert plan(["a.jpg"], ["s"], output="x/o.gif/") == ["a_s.png"]
    (tmp_path / "o.jpg").mkdir()
    assert plan(["a.jpg"], ["s"], output=str(tmp_path / "o.jpg")) == ["a_s.png"]
    assert plan(["a.jpg"], ["s"], output="2024.11") == ["a_s.png"]


def test_a_picture_does_not_go_into_a_clip_nor_a_clip_into_a_picture(tmp_path):
    with pytest.raises(ValueError, match=r"ends in one of \.bmp.* for a\.jpg\. .*--output=o\.mp4"):
        plan(["a.jpg"], ["s"], output="o.mp4")
    with pytest.raises(ValueError, match=r"ends in one of \.mp4.* for a\.mp4\. .*--output=o\.png"):
        plan(["a.mp4"], ["s"], output="o.png")
    (tmp_path / "notes").touch()
    with pytest.raises(NotADirectoryError, match=r"a folder as --output\. .*notes, a file"):
        plan(["a.jpg"], ["s"], output=str(tmp_path / "notes"))


def test_pairs_keep_the_names_that_they_had_and_nobody_else_gets_them():
    first, second = pathlib.Path("a.bmp"), pathlib.Path("a.jpg")
    style = Style("s", (pathlib.Path("s.jpg"),))
    names = {(second, style): "a_s.png"}
    jobs = plan_jobs([first, second], [style], "out", ".png", names)
    assert [job.output.name for job in jobs] == ["a_s-2.png", "a_s.png"]
    jobs = plan_jobs([second], [style], "out", ".jpg", names)  # another format: another file
    assert [job.output.name for job in jobs] == ["a_s.jpg"]


def test_the_output_folder_is_no_source_of_contents(save_picture, tmp_path):
    photo = save_picture("photos/a.png")
    result = save_picture("photos/results/a_s.png")
    folder = tmp_path / "photos"
    for source in (folder, f"{folder}/**/*.png", f"{folder}/*/../*.png"):
        found = read_contents([str(source)], str(folder / "results"))
        assert [path.resolve() for path in found] == [photo]
    assert read_contents([str(result)], str(folder / "results")) == [result]  # named itself
    with pytest.raises(FileNotFoundError, match="outside of the output folder"):
        read_contents([f"{folder}/results/*.png"], str(folder), [result])


def test_results_beside_their_contents_are_left_out_and_contents_below_the_output_are_not(
    save_picture, tmp_path
):
    photo, result = save_picture("photos/a.png"), save_picture("photos/a_s.png")
    folder = tmp_path / "photos"
    assert read_contents([str(folder)], str(folder), [result]) == [photo]
    assert read_contents([str(folder)], str(tmp_path), [result]) == [photo]


def test_a_picture_is_taken_once_by_whatever_way_it_is_found(save_picture, tmp_path):
    photo = save_picture("photos/deep/a.png")
    (tmp_path / "photos" / "alias").symlink_to(tmp_path / "photos" / "deep")
    (tmp_path / "photos" / "loop").symlink_to(tmp_path / "photos")
    sources = [tmp_path / "photos", photo, tmp_path / "photos" / "deep" / ".." / "deep" / "a.png"]
    (found,) = read_contents([str(source) for source in sources])
    assert found.resolve() == photo
    styles = read_styles([str(source) for source in sources], None, one_of_all=False)
    assert [style.name for style in styles] == ["a"]
