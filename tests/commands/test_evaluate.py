"""The command `evaluate`: its figures, the files that it writes, and what it refuses."""

import base64
import contextlib
import hashlib
import html.parser
import io
import itertools
import json
import shutil
import sys
import xml.etree.ElementTree

import keras
import numpy as np
import pytest

from stylegan_transfer import losses, samples
from stylegan_transfer.commands import evaluate, launch
from stylegan_transfer.commands.evaluation import report_files, tables
from stylegan_transfer.commands.evaluation.gallery import Gallery
from stylegan_transfer.measuring import distances, figures, statistics
from stylegan_transfer.measuring.halos import measure_halo
from stylegan_transfer.measuring.hatching import added_spectrum, hatching, texture_spectrum
from stylegan_transfer.networks.features import build_features
from stylegan_transfer.networks.generator import StyleGenerator
from stylegan_transfer.networks.saving import load_generator, save_generator
from stylegan_transfer.pictures.colors import match_colors
from stylegan_transfer.pictures.files import load_image, save_image
from stylegan_transfer.pictures.inputs import resize_image
from stylegan_transfer.stylizing.stylize import stylize

SCRIPT = "experiments/evaluate.py"
SEED, PAINT_SIZE, MEASURE_SIZE = 3, 128, 64
CONTENT_LAYERS, STYLE_LAYERS = ["relu2_1"], ["relu1_1", "relu2_1"]
FLAGS = [
    "--features=random",
    "--content_layers=relu2_1",
    "--style_layers=relu1_1,relu2_1",
    f"--paint_size={PAINT_SIZE}",
    f"--measure_size={MEASURE_SIZE}",
    "--style_size=32",
    f"--seed={SEED}",
]
CONTENTS, STYLES = ("harbour", "portrait"), ("mosaic", "swirls")
BRACKETS = ["untouched photograph", "copy of the style", "colour statistics only", "half blend"]
FILES = {"report.json", "report.html", "report.md", "plot.svg"}
COPIES = "<b>copies</b> | $x_$"  # a name that HTML, Markdown and matplotlib would all misread


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two contents, two styles, one of them tall; a generator; results; a README."""
    folder = tmp_path_factory.mktemp("evaluate")
    for name in CONTENTS:
        save_image(samples.draw_content(name, 64), folder / "photos" / f"{name}.png")
    for name, height in zip(STYLES, (64, 80), strict=True):
        picture = resize_image(samples.draw_style(name, 64), size=(height, 64))
        save_image(picture, folder / "paintings" / f"{name}.png")
    save_generator(StyleGenerator(width=4, num_blocks=1, seed=1), folder / "tiny.keras")
    for content in CONTENTS:  # photographs that call themselves results
        for style, suffix in zip(STYLES, ("png", "bmp"), strict=True):
            picture = load_image(folder / "photos" / f"{content}.png")
            save_image(picture, folder / "copies" / f"{content}_{style}.{suffix}")
    (folder / "README.md").write_text("above\n<!-- results -->\nold\n<!-- /results -->\nbelow\n")
    return folder


@pytest.fixture(scope="module")
def make_flags(folder):
    def make(*flags, output=folder / "out"):
        pictures = f"--content={folder / 'photos'}", f"--style={folder / 'paintings'}"
        return [*pictures, f"--output={output}", *FLAGS, *flags]

    return make


def run(*flags):
    return launch.run(evaluate.main, ["evaluate", *map(str, flags)])


@pytest.fixture(scope="module")
def output(make_flags, folder):
    """The output folder of a run with everything."""
    flags = make_flags(
        f"--generator=tiny={folder / 'tiny.keras'}",
        "--strengths=0,0.5",
        f"--results={COPIES}={folder / 'copies'}",
        f"--update={folder / 'README.md'}",
        f"--plot={folder / 'figures' / 'results.svg'}",
        "--pairwise",
    )
    printed, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(errors):
        assert run(*flags) == 0, errors.getvalue()
    assert "Traceback" not in errors.getvalue()
    for name in (*BRACKETS, "tiny", "tiny, strength 0.5", COPIES):
        assert f"\n{name}: content" in "\n" + printed.getvalue()
    assert f"Wrote {folder / 'out' / 'report.html'}" in printed.getvalue()
    return folder / "out"


@pytest.fixture(scope="module")
def report(output):
    return json.loads((output / "report.json").read_text())


@pytest.fixture(scope="module")
def rows(report):
    return {row["name"]: row for row in report["rows"]}


@pytest.fixture(scope="module")
def pictures(folder):
    """Contents and styles in the size of painting."""

    def load(kind, names):
        images = [load_image(folder / kind / f"{name}.png") for name in names]
        return [resize_image(image, short_side=PAINT_SIZE) for image in images]

    return load("photos", CONTENTS), load("paintings", STYLES)


def values(row, figure):
    return np.array(row["figures"][figure]["values"])


# Figures.


def test_the_untouched_photograph_keeps_all_content(rows):
    row = rows["untouched photograph"]
    for figure in ("content", "content/relu2_1", "lpips_like"):
        np.testing.assert_array_equal(values(row, figure), np.zeros((2, 2)))
    np.testing.assert_array_equal(values(row, "ssim"), np.ones((2, 2)))
    assert np.all(values(row, "gram") > 0.01)


def test_the_copy_of_the_style_has_all_of_its_style(rows):
    row = rows["copy of the style"]
    for figure in ("gram", "gram/relu1_1", "moments", "colors"):
        np.testing.assert_allclose(values(row, figure)[:, 0], 0, atol=1e-6)  # mosaic: same shape
        stretched, untouched = values(row, figure), values(rows["untouched photograph"], figure)
        assert np.all(stretched[:, 1] < 0.5 * untouched[:, 1])
    np.testing.assert_array_equal(values(row, "retrieval"), np.ones((2, 2)))
    np.testing.assert_allclose(values(row, "patches")[:, 0], 1, atol=1e-6)


def moments_vector(maps):
    return distances.moments_vectors({n: losses.channel_moments(m) for n, m in maps.items()})


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("half blend", lambda c, s: (c + resize_image(s, size=c.shape[:2])) / 2),
        ("colour statistics only", match_colors),
    ],
)
def test_all_figures_of_a_row_are_those_of_the_metrics(rows, pictures, name, make):
    keras.utils.set_random_seed(SEED)
    features = build_features(["random"], [*CONTENT_LAYERS, *STYLE_LAYERS])
    contents, styles = pictures
    made = {(i, j): make(contents[i], styles[j]) for i in range(2) for j in range(2)}
    small = {key: resize_image(picture, short_side=MEASURE_SIZE) for key, picture in made.items()}
    contents, styles = (
        [resize_image(picture, short_side=MEASURE_SIZE) for picture in group] for group in pictures
    )
    maps = {key: features(picture[None]) for key, picture in small.items()}
    style_maps = [features(picture[None]) for picture in styles]
    textures = [texture_spectrum(picture) for picture in pictures[1]]
    hatched = [
        hatching([added_spectrum(made[i, j], pictures[0][i]) for j in range(2)], textures)
        for i in range(2)
    ]
    halos = {(i, j): measure_halo(picture, pictures[0][i]) for (i, j), picture in made.items()}
    expected = {}
    for (i, j), picture in small.items():
        content_maps = features(contents[i][None])
        by_content = distances.content_distances(
            {"relu2_1": maps[i, j]["relu2_1"]}, {"relu2_1": content_maps["relu2_1"]}
        )
        gram = distances.gram_distances(maps[i, j], style_maps[j])
        moments = [
            np.mean([*distances.moments_distances(maps[i, j], m).values()]) for m in style_maps
        ]
        expected[i, j] = {
            "content": by_content["relu2_1"],
            "gram": np.mean([*gram.values()]),
            "gram/relu1_1": gram["relu1_1"],
            "gram/relu2_1": gram["relu2_1"],
            "moments": moments[j],
            "retrieval": moments[j] < moments[1 - j],
            "ssim": figures.ssim(picture, contents[i]),
            "lpips_like": distances.lpips_like_distance(maps[i, j], content_maps),
            "colors": figures.color_histogram_distance(picture, styles[j]),
            "patches": figures.patch_correlation(picture, styles[j]),
            "grid": figures.grid_artifact_index(made[i, j]),
            "hatching": hatched[i][j],
            "halo": halos[i, j] and halos[i, j].luminance,
            "halo_gradient": halos[i, j] and halos[i, j].gradient,
        }
    for figure in expected[0, 0]:
        matrix = [[np.squeeze(expected[i, j][figure]) for j in range(2)] for i in range(2)]
        np.testing.assert_allclose(
            values(rows[name], figure), matrix, rtol=1e-4, atol=2e-6, err_msg=figure
        )
    vectors = [
        np.concatenate([moments_vector(m) for m in group]) for group in (maps.values(), style_maps)
    ]
    kernel = rows[name]["figures"]["kernel"]["mean"]
    assert kernel == pytest.approx(statistics.kernel_distance(*vectors), rel=1e-4, abs=1e-6)


def test_means_and_intervals_follow_from_the_values(rows):
    for row in rows.values():
        for figure in row["figures"].values():
            if "values" in figure:
                assert figure["mean"] == pytest.approx(np.mean(figure["values"]))
                interval = statistics.bootstrap_interval(figure["values"], seed=SEED)
                assert figure["interval"] == pytest.approx(interval)


def test_results_are_read_in_any_format_and_measured_as_what_they_show(rows):
    assert rows[COPIES]["figures"] == rows["untouched photograph"]["figures"]


def test_generators_paint_at_the_full_and_at_other_strengths(rows, folder, pictures):
    kinds = {name: (row["kind"], row["generator"], row["strength"]) for name, row in rows.items()}
    assert kinds == {
        **dict.fromkeys(BRACKETS, ("bracket", None, None)),
        "tiny": ("generator", "tiny", 1.0),
        "tiny, strength 0.5": ("strength", "tiny", 0.5),
        "tiny, strength 0": ("strength", "tiny", 0.0),
        COPIES: ("results", None, None),
    }
    assert rows["tiny, strength 0"]["figures"] == rows["untouched photograph"]["figures"]
    generator = load_generator(folder / "tiny.keras")
    contents, styles = pictures
    for name, strength in (("tiny", 1.0), ("tiny, strength 0.5", 0.5)):
        style = load_image(folder / "paintings" / "swirls.png")
        painted = stylize(generator, contents[0], style, strength=strength, style_size=32)
        small = [resize_image(image, short_side=64) for image in (painted, contents[0], styles[1])]
        ssim, colors = (values(rows[name], figure)[0, 1] for figure in ("ssim", "colors"))
        assert ssim == pytest.approx(figures.ssim(*small[:2]), abs=1e-4)
        assert colors == pytest.approx(
            figures.color_histogram_distance(small[0], small[2]), abs=1e-2
        )


# Files.


def test_the_report_names_versions_flags_and_the_checksums_of_all_inputs(report, folder):
    assert report["versions"]["keras"] == keras.__version__
    assert set(report["versions"]) == {
        "python",
        "tensorflow",
        "keras",
        "numpy",
        "stylegan_transfer",
    }
    assert report["seed"] == report["flags"]["seed"] == SEED
    assert report["flags"]["strengths"] == [0.0, 0.5]
    assert (report["contents"], report["styles"]) == ([*CONTENTS], [*STYLES])
    paths = [path for path in folder.glob("[pct]*/*.*")] + [folder / "tiny.keras"]
    assert len(paths) == 9
    assert report["sha256"] == {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths
    }


@pytest.fixture
def pair_flags(folder, tmp_path):
    """Flags for the brackets of a single pair, written to `tmp_path`."""
    content, style = folder / "photos" / "harbour.png", folder / "paintings" / "mosaic.png"
    flags = f"--content={content}", f"--style={style}", f"--output={tmp_path}"
    return [*flags, *FLAGS, "--nogenerators"]


def test_one_seed_gives_one_report(pair_flags, tmp_path):
    reports = []
    for _ in range(2):
        assert run(*pair_flags) == 0
        reports.append({name: (tmp_path / name).read_bytes() for name in FILES})
    assert reports[0] == reports[1]


def test_a_single_pair_has_a_verdict_and_no_kernel_distance(pair_flags, tmp_path):
    assert run(*pair_flags, "--originality") == 0
    report = json.loads((tmp_path / "report.json").read_text())
    rows = {row["name"]: row["figures"] for row in report["rows"]}
    assert [*rows] == BRACKETS
    assert rows["untouched photograph"]["own"]["values"] == [[0.0]]
    assert rows["copy of the style"]["own"]["values"] == [[0.0]]
    assert "kernel" not in rows["half blend"]


class _Page(html.parser.HTMLParser):
    """Collects the cells of the first table, and checks that all elements are closed in order."""

    VOID = {"meta", "img"}
    OPTIONAL = {"dt", "dd"}

    def __init__(self, text):
        super().__init__()
        self.open, self.rows, self.images, self.links = [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.links += [attributes[name] for name in ("src", "href") if name in attributes]
        if tag not in self.VOID | self.OPTIONAL:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])

    def handle_endtag(self, tag):
        assert tag in self.VOID or tag == self.open.pop()

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_data(self, data):
        if "tr" in self.open and data.strip():
            self.rows[-1].append(data)


def test_the_page_holds_every_row_and_figure_and_needs_no_other_file(output, report):
    text = (output / "report.html").read_text(encoding="utf-8")
    page = _Page(text)
    for row in report["rows"]:
        main, layers = (cells for cells in page.rows if cells[:1] == [row["name"]] and cells[1:])
        for figure, cells in (("ssim", main), ("kernel", main), ("gram/relu2_1", layers)):
            assert f"{row['figures'][figure]['mean']:.3f}" in cells
        interval = "[{:.3f}, {:.3f}]".format(*row["figures"]["ssim"]["interval"])
        assert interval in main
    plot, *thumbnails = page.links
    svg = base64.b64decode(plot.removeprefix("data:image/svg+xml;base64,"))
    assert svg == (output / "plot.svg").read_bytes()
    assert len(thumbnails) == 2 + 2 + 2 * 2 * 2  # contents, styles, and both in two rows
    assert all(link.startswith("data:image/jpeg;base64,") for link in thumbnails)
    assert "<b>" not in text
    assert "url(" not in text
    assert "@import" not in text


def test_the_plot_has_a_point_for_each_row_and_a_line_through_the_strengths(output, report):
    copy = output.parent / "figures" / "results.svg"
    assert copy.read_bytes() == (output / "plot.svg").read_bytes()
    svg = "{http://www.w3.org/2000/svg}"
    plot = xml.etree.ElementTree.parse(output / "plot.svg").getroot()
    groups = {group.get("id"): group for group in plot.iter(f"{svg}g")}
    points, names = [], [row["name"] for row in report["rows"]]
    for i in range(len(names)):
        (use,) = groups[f"row-{i}"].iter(f"{svg}use")
        points.append([float(use.get(axis)) for axis in "xy"])
    for axis, key in enumerate(("content", "gram")):  # places are linear in the figures
        means = [row["figures"][key]["mean"] for row in report["rows"]]
        pixels = [point[axis] for point in points]
        assert abs(np.corrcoef(means, pixels)[0, 1]) > 0.9999
    (path,) = groups["line-0"].iter(f"{svg}path")
    line = np.reshape([float(n) for n in path.get("d").split() if n not in "ML"], (-1, 2))
    strengths = ["tiny, strength 0", "tiny, strength 0.5", "tiny"]
    expected = [points[names.index(name)] for name in strengths]
    np.testing.assert_allclose(line, expected, atol=1e-3)
    assert "line-1" not in groups
    labels = [text.text for text in plot.iter(f"{svg}text")]
    assert {*BRACKETS, "tiny", "0.5", COPIES} <= set(labels)


def test_the_markdown_table_goes_between_the_markers_and_nowhere_else(output, folder, rows):
    table = (output / "report.md").read_text(encoding="utf-8")
    text = (folder / "README.md").read_text(encoding="utf-8")
    before, _, rest = text.partition("<!-- results -->\n")
    updated, _, after = rest.partition("<!-- /results -->\n")
    assert (before, after) == ("above\n", "below\n")
    heads = next(line for line in updated.splitlines() if line.startswith("|"))
    figures = [head.split()[0] for head in heads.strip("| ").split(" | ")]
    measured = ["content", "Gram", "moments", "retrieved", "SSIM", "grid", "hatching", "halo"]
    assert figures == [*measured, "content", "Gram"]  # the last two at equal Gram and content
    assert all(line in table for line in updated.splitlines() if not line.startswith("|"))
    lines = [line for line in table.splitlines() if line.startswith("|")]
    assert len(lines) == 2 + len(rows)
    assert len({line.replace("\\|", "").count("|") for line in lines}) == 1
    for text in (table, updated):  # names are shown as they are
        assert "| \\<b\\>copies\\</b\\> \\| \\$x\\_\\$ |" in text
    ssim = rows["half blend"]["figures"]["ssim"]
    interval = ", ".join(f"{bound:.3f}" for bound in ssim["interval"])
    for text in (table, updated):
        (line,) = (line for line in text.splitlines() if "half blend" in line)
        assert f"| {ssim['mean']:.3f} [{interval}] |" in line


def make_row(name, content, gram, generator=None):
    figures = {"content": {"mean": content}, "gram": {"mean": gram}}
    return {"name": name, "kind": "", "generator": generator, "figures": figures}


def test_coverage_is_read_off_a_generators_line_at_the_content_distance_of_the_reference():
    rows = [
        make_row("untouched photograph", 0.0, 0.9),
        make_row("wide", 0.6, 0.3, generator="wide"),
        make_row("wide, strength 0.5", 0.2, 0.5, generator="wide"),
        make_row("timid", 0.3, 0.6, generator="timid"),
        make_row("optimized", 0.4, 0.1),
    ]
    coverage = tables.measure_coverage(rows, "optimized")
    # wide: from (0.2, 0.5) to (0.6, 0.3), so 0.4 at the content distance 0.4; the way is 0.8
    # timid: at its own content distance, 0.3
    assert coverage["generators"] == {
        "wide": pytest.approx({"content": 0.4, "share": (0.9 - 0.4) / 0.8}),
        "timid": pytest.approx({"content": 0.3, "share": (0.9 - 0.6) / 0.8}),
    }
    text = last_paragraph(rows, coverage)
    assert text == (
        "“wide” closes 62 % of the Gram gap between the photographs and “optimized”, at content "
        "distance 0.400 (“optimized”: 0.400). “timid” closes 38 % of the Gram gap between the "
        "photographs and “optimized”, at content distance 0.300 (“optimized”: 0.400)."
    )


def last_paragraph(rows, coverage):
    flags = dict.fromkeys(["features", "content_layers", "style_layers"], "")
    flags |= {"paint_size": 1, "measure_size": 1}
    parts = {"contents": ["a"], "styles": ["b"], "flags": flags, "equal": {}}
    return tables.render_markdown({**parts, "rows": rows, "coverage": coverage}).splitlines()[-1]


def test_the_equal_distances_are_in_the_table_and_in_words(rows, report, output):
    text = (output / "report.md").read_text(encoding="utf-8")
    content, gram = (report["equal"][key] for key in ("content", "gram"))
    assert f"Equal means content {content:.3f} and Gram {gram:.3f}." in text
    figure = rows["tiny"]["figures"]["gram_at_content"]
    low, high = figure["interval"]
    assert low <= figure["mean"] <= high
    assert f"{figure['mean']:.3f} [{low:.3f}, {high:.3f}]" in text
    assert "gram_at_content" not in rows["half blend"]["figures"]


def test_results_no_nearer_to_the_styles_than_the_photographs_leave_no_gap_to_close():
    rows = [
        make_row("untouched photograph", 0.0, 0.9),
        make_row("mine", 0.6, 0.3, generator="mine"),
        make_row("photographs", 0.0, 0.9),
    ]
    coverage = tables.measure_coverage(rows, "photographs")
    assert coverage["generators"] == {"mine": {"content": 0.0, "share": None}}
    assert "there is no gap" in last_paragraph(rows, coverage)


def test_nothing_but_the_report_is_left_in_the_folder(output):
    assert {path.name for path in output.iterdir()} == {*FILES, "pairwise.html"}


def test_the_pairwise_page_compares_each_pair_of_results_once(output):
    page = (output / "pairwise.html").read_text(encoding="utf-8")
    data = next(line for line in page.splitlines() if line.startswith("const page = "))
    page = json.loads(data.removeprefix("const page = ").removesuffix(";"))
    pairs = [(c["content"], c["style"]) for c in page["comparisons"]]
    assert sorted(pairs) == sorted(itertools.product(CONTENTS, STYLES))
    assert all({c["left"], c["right"]} == {"tiny", COPIES} for c in page["comparisons"])
    assert len(page["pictures"]) == 2 + 2 + 2 * 2 * 2  # contents, styles, and both in two rows


@pytest.mark.parametrize("package", ["jinja2", "matplotlib"])
def test_without_the_extra_there_are_json_and_markdown_and_a_hint(
    make_flags, folder, monkeypatch, tmp_path, capsys, package
):
    monkeypatch.setitem(sys.modules, package, None)
    flags = make_flags("--nogenerators", output=tmp_path / "out")
    assert run(*flags) == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"report.json", "report.md"}
    assert 'need pip install "stylegan_transfer[evaluate]"' in capsys.readouterr().out
    assert run(*flags, "--plot=plot.svg", f"--output={tmp_path / 'other'}") == 1
    hint = 'Error: Expected pip install "stylegan_transfer[evaluate]" for --plot. Received: no '
    assert capsys.readouterr().err == f"{hint}{package}\n"
    compare = "--pairwise", f"--results=a={folder / 'copies'}", f"--results=b={folder / 'copies'}"
    assert run(*flags, *compare, f"--output={tmp_path / 'other'}") == 1
    assert capsys.readouterr().err == f"{hint.replace('plot', 'pairwise')}{package}\n"
    assert not (tmp_path / "other").exists()


def test_a_page_of_many_pictures_stays_small():
    contents = [samples.draw_content("harbour", 160)] * 20
    styles = [samples.draw_style("swirls", 160)] * 20
    names = ["a", "b", "c"]
    gallery = Gallery(contents, styles, names)
    for name in names:
        for i in range(len(contents)):
            for j, style in enumerate(styles):
                gallery.add(name, i, j, style)
    gallery.add("half blend", 0, 0, styles[0])  # no row of it
    thumbnails = [*gallery.styles]
    for content, results in gallery:
        assert [*results] == names
        thumbnails += [content, *itertools.chain(*results.values())]
    assert 100 < len(thumbnails) < 300
    assert sum(map(len, thumbnails)) < 4e6


# Mistakes.


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--measure_size=8"], ["Expected measure_size: at least 32", "measure_size=8"]),
        (["--paint_size=64"], ["Expected paint_size: at least 128"]),
        (["--strengths=0,much"], ["Expected --strengths: a number", "--strengths=much"]),
        (["--strengths=0,1.5"], ["at least 0 and at most 1", "strengths=(0.0, 1.5)"]),
        (["--generator=tiny.keras"], ["Expected generator: NAME=PATH", "tiny.keras"]),
        (["--generator==tiny.keras"], ["Expected generator: NAME=PATH"]),
        (["--generator=a=x.keras", "--nogenerators"], ["--nogenerators"]),
        (["--generator=a=x.keras", "--results=a=y"], ["Expected results: other names", "a=y"]),
        (["--results=shipped=y"], ["Expected results: other names", "shipped=y"]),
        (["--results=a=x", "--results=a=y"], ["each name once", "a=y"]),
        (["--results=a=no_folder"], ["Expected a folder", "no_folder"]),
        (["--reference=theirs"], ["a name out of --results", "reference='theirs'"]),
        (["--pairwise"], ["Expected pairwise: at least two generators and results"]),
        (["--equal_gram=0"], ["Expected equal_gram: above 0"]),
        (["--choices=no_file.json"], ["no_file.json"]),
        (["--choices=README.md"], ["Expected choices that the pairwise page saved", "README.md"]),
        (["--style_layers="], ["Expected style_layers: at least one"]),
        (["--update=no_file.md"], ["no_file.md"]),
        (["--update=docs/controls.jpg"], ["Expected a text in UTF-8", "docs/controls.jpg"]),
        (["--update=CHANGELOG.md"], ["Expected <!-- results -->", "CHANGELOG.md"]),
        (["--content=no_photos"], ["no_photos"]),
    ],
)
def test_wrong_flags_are_named_before_any_work(make_flags, tmp_path, capsys, flags, words):
    assert run(*make_flags(*flags, output=tmp_path / "out")) == 1
    message = capsys.readouterr().err
    assert message.startswith("Error: ") and message.count("\n") == 1
    assert all(word in message for word in words), message
    assert not (tmp_path / "out").exists()


def test_the_script_ends_with_one_line_and_exit_code_1(run_python, assert_user_error, tmp_path):
    process = run_python(SCRIPT, f"--output={tmp_path}", "--content=a", "--style=no_such_picture")
    assert_user_error(process, "Error: ")


def test_a_missing_result_is_named(make_flags, folder, tmp_path, capsys):
    shutil.copytree(folder / "copies", tmp_path / "some")
    (tmp_path / "some" / "portrait_swirls.bmp").unlink()
    flags = make_flags(f"--results=a={tmp_path / 'some'}", output=tmp_path / "out")
    assert run(*flags) == 1
    message = capsys.readouterr().err
    assert "Error: Expected a result of every content" in message
    assert "portrait_swirls.png" in message
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<!-- results -->",
        "<!-- /results --> <!-- results -->",
        "<!-- results --> <!-- /results --> <!-- results --> <!-- /results -->",
    ],
)
def test_a_file_without_its_markers_is_refused(tmp_path, text):
    (tmp_path / "README.md").write_text(text)
    with pytest.raises(ValueError, match=r"Expected <!-- results --> and .* Received: .*README.md"):
        report_files.split_at_markers(tmp_path / "README.md")
