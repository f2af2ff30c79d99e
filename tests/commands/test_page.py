"""The page: what it paints, what it refuses, and how it is served."""

import concurrent.futures
import contextlib
import pathlib

import numpy as np
import pytest
from PIL import Image

from stylegan_transfer import samples
from stylegan_transfer.commands.paging.deadlines import Deadline
from stylegan_transfer.commands.paging.failures import describe_failure
from stylegan_transfer.commands.paging.masks import read_mask
from stylegan_transfer.commands.paging.options import PageOptions
from stylegan_transfer.commands.paging.prints import BRUSHED_SIZE, SHOWN_SIZE, make_print
from stylegan_transfer.commands.paging.sample_files import save_samples
from stylegan_transfer.commands.paging.studio import Studio
from stylegan_transfer.commands.paging.wishes import Wish
from stylegan_transfer.pictures.files import load_image, load_picture, save_image, save_picture
from stylegan_transfer.pictures.picture import Picture
from stylegan_transfer.stylizing.qualities import QUALITIES, Refinement
from stylegan_transfer.stylizing.stylize import stylize

gr = pytest.importorskip("gradio")
ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture(scope="module")
def options(toy_generator):
    return PageOptions(generator=str(toy_generator), browser=False, sample_size=0)


@pytest.fixture(scope="module")
def studio(options):
    return Studio(options)


@pytest.fixture(scope="module")
def content():
    return Picture(samples.draw_content("harbour", 64)[:48])


@pytest.fixture(scope="module")
def styles():
    return [Picture(samples.draw_style(name, 64)) for name in ("swirls", "mosaic")]


def draw_layer(path, height, width, *strokes):
    """Writes a transparent layer of a canvas, opaque in the strokes (slices)."""
    pixels = np.zeros((height, width, 4), np.uint8)
    for stroke in strokes:
        pixels[stroke] = 245, 158, 11, 255
    Image.fromarray(pixels).save(path)
    return path


@pytest.mark.parametrize(
    "controls",
    [
        {},
        {"strength": 0.5},
        {"seed": 3},
        {"style_size": 128},
        {"preserve_color": "luminance"},
        {"preserve_color": "match"},
    ],
    ids=str,
)
def test_every_control_does_what_it_does_in_stylize(studio, content, styles, controls):
    wish = {"style_size": 64, **controls}
    painted = studio.paint(content, styles[:1], Wish(**wish))
    expected = stylize(studio._generator, content, styles[0], **wish)
    np.testing.assert_array_equal(painted.image, expected.image)
    if controls:
        plain = studio.paint(content, styles[:1], Wish(style_size=64))
        assert np.abs(painted.image - plain.image).max() > 1e-3


def test_two_paintings_are_mixed(studio, content, styles):
    painted = studio.paint(content, styles, Wish(style_size=64, mixture=0.3))
    expected = stylize(studio._generator, content, styles, weights=[0.7, 0.3], style_size=64)
    np.testing.assert_allclose(painted.image, expected.image, atol=1e-5)


@pytest.mark.parametrize("mixture", [0, 1])
def test_a_mixture_at_its_end_is_one_painting(studio, content, styles, mixture):
    mixed = studio.paint(content, styles, Wish(style_size=64, mixture=mixture))
    alone = studio.paint(content, [styles[mixture]], Wish(style_size=64))
    np.testing.assert_array_equal(mixed.image, alone.image)


def test_only_what_the_mask_covers_is_painted(studio, content, styles):
    mask = np.zeros(content.image.shape[:2], "float32")
    mask[:, 32:] = 1
    painted = studio.paint(content, styles, Wish(style_size=64), mask)
    np.testing.assert_array_equal(painted.image[:, :32], content.image[:, :32])
    assert np.abs(painted.image - content.image)[:, 32:].mean() > 0.01


def test_refinement_is_the_quality_of_stylize(studio, content, styles, monkeypatch):
    monkeypatch.setitem(QUALITIES, "fine", Refinement(num_steps=2))
    told = []
    wish = Wish(style_size=64, quality="fine")
    painted = studio.paint(content, styles[:1], wish, progress=lambda *step: told.append(step))
    expected = stylize(studio._generator, content, styles[0], style_size=64, quality="fine")
    np.testing.assert_allclose(painted.image, expected.image, atol=1e-5)
    assert told[-2:] == [(1, 2), (2, 2)]


def test_visitors_at_the_same_time_get_what_they_would_get_alone(studio, content, styles):
    wishes = [Wish(style_size=64, seed=seed, strength=0.5) for seed in range(4)]

    def paint(wish):
        return studio.paint(content, styles, wish).image

    alone = [paint(wish) for wish in wishes]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        together = list(pool.map(paint, wishes))
    np.testing.assert_array_equal(together, alone)


def test_three_paintings_are_too_many(studio, content, styles):
    with pytest.raises(ValueError, match="Expected one painting or two. Received: paintings=3"):
        studio.paint(content, [*styles, styles[0]], Wish())


@pytest.mark.parametrize(
    ("result", "verdict"),
    [("swirls", "a copy of the style image"), ("harbour", "hardly changed")],
)
def test_verdict(studio, tmp_path, result, verdict):
    pictures = {
        "harbour": samples.draw_content("harbour", 64),
        "swirls": samples.draw_style("swirls", 64),
        "mosaic": samples.draw_style("mosaic", 64),
    }
    files = {name: tmp_path / f"{name}.png" for name in pictures}
    for name, pixels in pictures.items():
        save_image(pixels, files[name])
    originals = files["harbour"], [files["mosaic"], files["swirls"]]
    assert studio.judge(files[result], *originals) == verdict


def test_verdicts_are_given_when_asked_for_or_when_what_they_need_is_loaded():
    assert not Wish().is_judged
    assert Wish(report=True).is_judged
    assert Wish(quality="fine").is_judged


def test_without_tensorflow_the_choice_is_fast(studio, monkeypatch):
    assert studio.qualities == ("fast", "fine", "best")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert studio.qualities == ("fast",)


def test_the_brush_covers_where_any_layer_is_opaque(tmp_path):
    first = draw_layer(tmp_path / "a.png", 20, 30, np.s_[:5])
    second = draw_layer(tmp_path / "b.png", 20, 30, np.s_[:, :6])
    mask = read_mask([first, second])
    expected = np.zeros((20, 30))
    expected[:5], expected[:, :6] = 1, 1
    np.testing.assert_array_equal(mask, expected)


def test_without_a_stroke_there_is_no_mask(tmp_path):
    assert read_mask([]) is None
    assert read_mask([draw_layer(tmp_path / "a.png", 20, 30)]) is None


def test_layers_of_other_sizes_are_refused(tmp_path):
    layers = [draw_layer(tmp_path / f"{side}.png", side, 30) for side in (20, 40)]
    with pytest.raises(ValueError, match="Expected layers of one size"):
        read_mask(layers)


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("broken.png", b"\x89PNG\r\n\x1a\nnothing", "Expected an image file that can be read"),
        ("empty.jpg", b"", "the file is empty"),
        ("page.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n", "none of the formats that are read"),
    ],
)
def test_what_is_no_picture_is_refused_by_its_name(studio, tmp_path, name, data, words):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(ValueError, match=words) as error:
        studio.read(path, "photograph")
    assert f"Received: {name}" in str(error.value)
    assert str(tmp_path) not in str(error.value)


def test_a_picture_of_too_many_pixels_is_refused_by_its_header(
    toy_generator, tmp_path, monkeypatch
):
    options = PageOptions(generator=str(toy_generator), max_megapixels=1)
    path = tmp_path / "huge.png"
    Image.new("L", (1001, 1000)).save(path)
    monkeypatch.setattr(Image.Image, "load", lambda image: pytest.fail("it was decoded"))
    with pytest.raises(ValueError, match="at most 1,000,000 pixels .* huge.png, 1001 x 1000"):
        Studio(options).read(path, "photograph")


def test_what_takes_too_long_is_given_up(toy_generator, content, styles):
    options = PageOptions(generator=str(toy_generator), time_limit=1e-9)
    with pytest.raises(TimeoutError, match="Expected a picture that is painted within 1e-09 s"):
        Studio(options).paint(content, styles, Wish(style_size=64))


def test_a_deadline_is_checked_before_each_step():
    now, told = [100.0], []
    watched = Deadline(5, clock=lambda: now[0]).watch(lambda *step: told.append(step))
    watched(1, 3)
    now[0] = 105.0
    watched(2, 3)
    now[0] = 105.1
    with pytest.raises(TimeoutError):
        watched(3, 3)
    assert told == [(1, 3), (2, 3)]


@pytest.mark.parametrize(
    ("rounds", "stops_at"),
    [
        ([(0.5, 20)], None),  # seconds of a step, number of steps: 10 seconds in all
        ([(0.5, 40)], 2.0),  # 20 in all: known after four steps
        ([(0.5, 28)], 10.5),  # 14 in all: the estimate may be wrong
        ([(2.0, 3), (0.1, 30)], None),  # another round goes faster
    ],
)
def test_what_is_hopeless_at_its_pace_is_given_up_at_once(rounds, stops_at):
    now = [0.0]
    watched = Deadline(10, clock=lambda: now[0]).watch(None)
    with contextlib.nullcontext() if stops_at is None else pytest.raises(TimeoutError):
        for seconds, total in rounds:
            for done in range(1, total + 1):
                now[0] += seconds
                watched(done, total)
    assert stops_at is None or now[0] == stops_at


def test_an_upload_that_has_been_deleted_is_said(studio, tmp_path):
    with pytest.raises(ValueError) as error:
        studio.read(tmp_path / "gone.png", "photograph")
    expected = (
        "Expected a photograph that has not been deleted yet. Received: photograph='gone.png'"
    )
    assert str(error.value) == expected


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"strength": 2}, "Expected strength: at least 0 and at most 1. Received: strength=2"),
        ({"seed": None}, "Expected seed: a whole number, .* Received: seed=None"),
        ({"quality": "superb"}, "Expected quality: one of fast, fine, best"),
        ({"preserve_color": "red"}, "Expected preserve_color: one of luminance, match"),
    ],
)
def test_controls_of_other_values_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        Wish(**wrong)


def test_the_result_has_the_size_and_the_kind_of_the_photograph(studio, styles, tmp_path):
    size = 40, SHOWN_SIZE + 100
    alpha = np.linspace(0, 1, size[0] * size[1], dtype="float32").reshape(size)
    path = tmp_path / "long.png"
    save_picture(Picture(np.full((*size, 3), 0.5, "float32"), alpha, bits=16), path)
    picture = studio.read(path, "photograph")
    painted = studio.paint(picture, styles[:1], Wish(style_size=64))
    made = make_print(painted, picture, path, ["a.png"], tmp_path)
    result = load_picture(made.result)
    assert pathlib.Path(made.result).name == "long_painted.png"
    assert result.image.shape[:2] == size and result.bits == 16
    np.testing.assert_allclose(result.alpha, alpha, atol=1e-4)
    for shown in (made.before, made.after):
        assert load_image(shown).shape[:2] == (round(40 * SHOWN_SIZE / size[1]), SHOWN_SIZE)


def test_samples_are_the_packages_own(tmp_path):
    contents, styles = save_samples(tmp_path, 32)
    assert {pathlib.Path(path).stem for path in contents} < {*samples.CONTENT_NAMES}
    assert {pathlib.Path(path).stem for path in styles} < {*samples.STYLE_NAMES}
    assert load_image(contents[0]).shape == (32, 32, 3)
    assert save_samples(tmp_path, 0) == ([], [])


@pytest.fixture
def handlers(studio, tmp_path):
    from stylegan_transfer.commands.paging.handlers import Handlers

    return Handlers(studio, tmp_path)


@pytest.fixture
def files(tmp_path, content, styles):
    """A photograph and two paintings, as the browser sends them."""
    files = []
    for name, picture in zip(("photo", "one", "two"), (content, *styles), strict=True):
        save_picture(picture, tmp_path / f"{name}.png")
        files.append({"path": str(tmp_path / f"{name}.png")})
    return files


def test_what_the_browser_sends_becomes_a_print(handlers, files, content, tmp_path, monkeypatch):
    monkeypatch.setitem(QUALITIES, "fine", Refinement(num_steps=2))
    layer = draw_layer(tmp_path / "layer.png", 24, 32, np.s_[:, 16:])
    told = []
    made = handlers.paint(
        *files,
        {"layers": [{"path": str(layer)}]},
        {"style_size": 64, "quality": "fine"},
        lambda step, **texts: told.append((step, texts["desc"])),
        "anna",
    )
    assert made.content == files[0]["path"]
    assert made.styles == (files[1]["path"], files[2]["path"])
    result = load_image(made.result)
    np.testing.assert_allclose(result[:, :30], content.image[:, :30], atol=1 / 255)
    assert np.abs(result - content.image)[:, 34:].mean() > 0.01
    assert told == [(0.0, "Getting ready"), ((1, 2), "Refining"), ((2, 2), "Refining")]


@pytest.mark.parametrize(("missing", "what"), [(0, "photograph"), (1, "painting")])
def test_without_a_picture_the_message_says_which(handlers, files, missing, what):
    files[missing] = None
    with pytest.raises(gr.Error) as error:
        handlers.paint(*files[:2], None, None, {}, lambda *args, **texts: None, "anna")
    assert error.value.message == f"Expected a {what}. Received: {what}=None"
    assert not error.value.print_exception


def test_a_visitor_can_stop_what_is_painted_for_them(handlers, files, monkeypatch):
    monkeypatch.setitem(QUALITIES, "fine", Refinement(num_steps=5))
    told = []

    def tell(step, **texts):
        told.append(step)
        handlers.stop("bert" if len(told) == 2 else "anna" if len(told) == 4 else "nobody")

    arguments = *files, None, {"style_size": 64, "quality": "fine"}, tell
    with pytest.raises(gr.Error, match="Stopped"):
        handlers.paint(*arguments, "anna")
    assert told == [0.0, (1, 5), (2, 5), (3, 5)]
    assert handlers.paint(*arguments, "anna")  # the next one is not stopped
    handlers.stop("anna")


def test_a_visitor_can_paint_again_while_what_was_stopped_is_ending(handlers, files):
    painted = []

    def tell(step, **texts):
        if not painted:
            painted.append(None)
            painted.append(handlers.paint(*arguments, lambda *args, **texts: None, "anna"))
            handlers.stop("anna")  # what has ended cannot be stopped

    arguments = *files, None, {"style_size": 64}
    assert handlers.paint(*arguments, tell, "anna").result != painted[1].result


def test_a_broken_file_is_a_message_without_markup(handlers, tmp_path, capsys):
    path = tmp_path / "<b>.png"
    path.write_bytes(b"nothing")
    for handle in (handlers.show_photograph, handlers.check_painting):
        with pytest.raises(gr.Error) as error:
            handle({"path": str(path)})
        assert "Received: &lt;b&gt;.png (" in error.value.message
        assert not error.value.print_exception
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("width", [BRUSHED_SIZE // 4, 2 * BRUSHED_SIZE])
def test_the_brush_gets_photographs_of_one_size(handlers, tmp_path, width):
    Image.new("RGB", (width, width // 10)).save(tmp_path / "long.png")
    shown = handlers.show_photograph({"path": str(tmp_path / "long.png")})
    assert load_image(shown).shape[:2] == (BRUSHED_SIZE // 10, BRUSHED_SIZE)
    assert handlers.show_photograph(None) is None


def test_what_nobody_thought_of_is_one_line_in_the_terminal_too(
    handlers, files, studio, monkeypatch, capsys
):
    monkeypatch.setattr(studio, "read", lambda *args: {}["brush"])
    with pytest.raises(gr.Error, match="Unexpected KeyError"):
        handlers.check_painting(files[1])
    assert capsys.readouterr().err == "Error: Unexpected KeyError: \"'brush'\"\n"


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("Expected\nmore."), "Expected more."),
        (MemoryError(), "Expected more free memory: a smaller picture. Received: none"),
        (TimeoutError("late"), "late"),
    ],
)
def test_failures_are_one_line(error, line):
    assert describe_failure(error) == line
