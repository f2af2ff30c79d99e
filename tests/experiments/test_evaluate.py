"""`experiments/evaluate.py`, run as a user runs it, and the files that it writes."""

import hashlib
import html.parser
import json
import shutil
import xml.etree.ElementTree

import evaluation_report
import evaluation_tables
import keras
import numpy as np
import pytest

from stylegan_transfer import samples
from stylegan_transfer.measuring import distances, figures, statistics
from stylegan_transfer.networks.features import build_features
from stylegan_transfer.networks.generator import StyleGenerator
from stylegan_transfer.networks.saving import load_generator, save_generator
from stylegan_transfer.pictures.colors import match_colors
from stylegan_transfer.pictures.files import load_image, save_image
from stylegan_transfer.pictures.inputs import resize_image
from stylegan_transfer.stylizing.stylize import stylize

EVALUATE = "experiments/evaluate.py"
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
def evaluate(folder, run_python):
    def run(*flags, output=folder / "out"):
        pictures = f"--content={folder / 'photos'}", f"--style={folder / 'paintings'}"
        return run_python(EVALUATE, *pictures, f"--output={output}", *FLAGS, *flags)

    return run


@pytest.fixture(scope="module")
def output(evaluate, folder):
    """The output folder of a run with everything."""
    process = evaluate(
        f"--generator=tiny={folder / 'tiny.keras'}",
        "--strengths=0,0.5",
        f"--results=<copies>={folder / 'copies'}",
        f"--update={folder / 'README.md'}",
        f"--plot={folder / 'figures' / 'results.svg'}",
    )
    assert process.returncode == 0, process.stderr
    assert "Traceback" not in process.stderr
    for name in (*BRACKETS, "tiny", "tiny, strength 0.5", "<copies>"):
        assert f"\n{name}: content" in "\n" + process.stdout
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
        }
    for figure in expected[0, 0]:
        matrix = [[np.squeeze(expected[i, j][figure]) for j in range(2)] for i in range(2)]
        np.testing.assert_allclose(
            values(rows[name], figure), matrix, rtol=1e-4, atol=2e-6, err_msg=figure
        )
    vectors = [
        np.concatenate([distances.moments_vectors(m) for m in group])
        for group in (maps.values(), style_maps)
    ]
    kernel = rows[name]["figures"]["kernel"]["mean"]
    assert kernel == pytest.approx(statistics.kernel_distance(*vectors), rel=1e-4, abs=1e-6)


def test_means_and_intervals_follow_from_the_values(rows):
    for row in rows.values():
        for name, figure in row["figures"].items():
            if name != "kernel":
                assert figure["mean"] == pytest.approx(np.mean(figure["values"]))
                interval = statistics.bootstrap_interval(figure["values"], seed=SEED)
                assert figure["interval"] == pytest.approx(interval)


def test_results_are_read_in_any_format_and_measured_as_what_they_show(rows):
    assert rows["<copies>"]["figures"] == rows["untouched photograph"]["figures"]


def test_generators_paint_at_the_full_and_at_other_strengths(rows, folder, pictures):
    kinds = {name: (row["kind"], row["generator"], row["strength"]) for name, row in rows.items()}
    assert kinds == {
        **dict.fromkeys(BRACKETS, ("bracket", None, None)),
        "tiny": ("generator", "tiny", 1.0),
        "tiny, strength 0.5": ("strength", "tiny", 0.5),
        "tiny, strength 0": ("strength", "tiny", 0.0),
        "<copies>": ("results", None, None),
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
    assert report["flags"]["strengths"] == ["0", "0.5"]
    assert (report["contents"], report["styles"]) == ([*CONTENTS], [*STYLES])
    paths = [path for path in folder.glob("[pct]*/*.*")] + [folder / "tiny.keras"]
    assert len(paths) == 9
    assert report["sha256"] == {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths
    }


def test_one_seed_gives_one_report_and_a_single_pair_has_a_verdict(run_python, folder, tmp_path):
    flags = [
        f"--content={folder / 'photos' / 'harbour.png'}",
        f"--style={folder / 'paintings' / 'mosaic.png'}",
        f"--output={tmp_path / 'out'}",
        *FLAGS,
        "--nogenerators",
        "--originality",
    ]
    reports = []
    for _ in range(2):
        process = run_python(EVALUATE, *flags)
        assert process.returncode == 0, process.stderr
        reports.append((tmp_path / "out" / "report.json").read_bytes())
    assert reports[0] == reports[1]
    rows = {row["name"]: row["figures"] for row in json.loads(reports[0])["rows"]}
    assert [*rows] == BRACKETS
    assert rows["untouched photograph"]["own"]["values"] == [[0.0]]
    assert rows["copy of the style"]["own"]["values"] == [[0.0]]
    assert "kernel" not in rows["half blend"]  # of one painting there is none


class _Page(html.parser.HTMLParser):
    """Collects the cells of the first table, and checks that all elements are closed in order."""

    VOID = {"meta", "img", "circle", "path", "polyline"}
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
    assert len(page.links) == 2 + 2 + 2 * 2 * 2  # contents, styles, and both in two rows
    assert all(link.startswith("data:image/jpeg;base64,") for link in page.links)
    assert "url(" not in text
    assert "@import" not in text


def test_the_plot_has_a_point_for_each_row_and_a_line_through_the_strengths(output, report):
    copy = output.parent / "figures" / "results.svg"
    assert copy.read_bytes() == (output / "plot.svg").read_bytes()
    svg = "{http://www.w3.org/2000/svg}"
    plot = xml.etree.ElementTree.parse(output / "plot.svg").getroot()
    circles = {c.find(f"{svg}title").text.partition(":")[0]: c for c in plot.iter(f"{svg}circle")}
    assert circles.keys() == {row["name"] for row in report["rows"]}
    places = {name: (c.get("cx"), c.get("cy")) for name, c in circles.items()}
    lines = [line.get("points").split() for line in plot.iter(f"{svg}polyline")]
    strengths = ["tiny, strength 0", "tiny, strength 0.5", "tiny"]
    assert lines == [[",".join(places[name]) for name in strengths]]
    for i, key in enumerate(("content", "gram")):  # places are linear in the figures
        means = [row["figures"][key]["mean"] for row in report["rows"]]
        pixels = [float(places[row["name"]][i]) for row in report["rows"]]
        assert abs(np.corrcoef(means, pixels)[0, 1]) > 0.9999
    labels = {text.text for text in plot.iter(f"{svg}text")}
    assert {*BRACKETS, "tiny", "0.5", "<copies>"} <= labels


def test_the_markdown_table_goes_between_the_markers_and_nowhere_else(output, folder, rows):
    table = (output / "report.md").read_text(encoding="utf-8")
    text = (folder / "README.md").read_text(encoding="utf-8")
    before, _, rest = text.partition("<!-- results -->\n")
    updated, _, after = rest.partition("<!-- /results -->\n")
    assert (before, after) == ("above\n", "below\n")
    heads = next(line for line in updated.splitlines() if line.startswith("|"))
    figures = [head.split()[0] for head in heads.strip("| ").split(" | ")]
    assert figures == ["content", "Gram", "moments", "retrieved", "SSIM", "grid"]
    assert all(line in table for line in updated.splitlines() if not line.startswith("|"))
    lines = [line for line in table.splitlines() if line.startswith("|")]
    assert len(lines) == 2 + len(rows)
    assert len({line.count("|") for line in lines}) == 1
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
    coverage = evaluation_tables.measure_coverage(rows, "optimized")
    # wide: from (0.2, 0.5) to (0.6, 0.3), so 0.4 at the content distance 0.4; the way is 0.8
    # timid: at its own content distance, 0.3
    assert coverage["generators"] == {
        "wide": pytest.approx({"content": 0.4, "share": (0.9 - 0.4) / 0.8}),
        "timid": pytest.approx({"content": 0.3, "share": (0.9 - 0.6) / 0.8}),
    }
    report = {"contents": ["a"], "styles": ["b"], "rows": rows, "coverage": coverage}
    flags = dict.fromkeys(["features", "content_layers", "style_layers"], "")
    report["flags"] = {**flags, "paint_size": 1, "measure_size": 1}
    last = evaluation_tables.render_markdown(report).splitlines()[-1]
    assert "goes to a content distance of 0.400: wide goes 62%, at a content" in last
    assert "timid goes 38%, at a content distance of 0.300" in last


def test_nothing_but_the_report_is_left_in_the_folder(output):
    names = {"report.json", "report.html", "report.md", "plot.svg"}
    assert {path.name for path in output.iterdir()} == names


def test_a_page_of_many_pictures_stays_small():
    contents = [samples.draw_content("harbour", 160)] * 20
    styles = [samples.draw_style("swirls", 160)] * 20
    names = ["a", "b", "c"]
    gallery = evaluation_report.Gallery(contents, styles, names)
    for name in names:
        for i in range(len(contents)):
            for j, style in enumerate(styles):
                gallery.add(name, i, j, style)
    gallery.add("half blend", 0, 0, styles[0])  # no row of it
    text = gallery.render()
    assert 100 < text.count("<img") < 300
    assert len(text) < 4e6


# Mistakes.


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--measure_size=8"], ["measure_size"]),
        (["--paint_size=64"], ["paint_size"]),
        (["--strengths=0,much"], ["Error: Expected", "--strengths=0,much"]),
        (["--strengths=0,1.5"], ["Error: Expected", "--strengths=0,1.5"]),
        (["--generator=tiny.keras"], ["Error: Expected NAME=PATH", "--generator=tiny.keras"]),
        (["--generator=a=x.keras", "--nogenerators"], ["Error: Expected", "both"]),
        (["--generator=a=x.keras", "--results=a=y"], ["Error: Expected", "--results=a="]),
        (["--results=a=x", "--results=a=y"], ["Error: Expected", "--results=a=y"]),
        (["--results=a=no_folder"], ["Error: Expected a folder", "no_folder"]),
        (["--reference=theirs"], ["Error: Expected", "--reference=theirs"]),
        (["--style_layers="], ["Error: Expected", "--style_layers"]),
        (["--update=no_file.md"], ["Error: ", "no_file.md"]),
        (["--update=CHANGELOG.md"], ["Error: Expected <!-- results -->", "CHANGELOG.md"]),
        (["--content=no_photos"], ["Error: Expected", "no_photos"]),
    ],
)
def test_wrong_flags_are_named_before_any_work(evaluate, assert_user_error, tmp_path, flags, words):
    process = evaluate(*flags, output=tmp_path / "out")
    assert_user_error(process, *words)
    assert not (tmp_path / "out").exists()


def test_a_missing_result_is_named(evaluate, assert_user_error, folder, tmp_path):
    shutil.copytree(folder / "copies", tmp_path / "some")
    (tmp_path / "some" / "portrait_swirls.bmp").unlink()
    process = evaluate(f"--results=a={tmp_path / 'some'}", output=tmp_path / "out")
    assert_user_error(process, "Error: Expected a result of every content", "portrait_swirls.png")
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
        evaluation_report.split_at_markers(tmp_path / "README.md")
