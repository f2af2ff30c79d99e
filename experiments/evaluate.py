"""Measures how well generators, and folders of results, keep contents and meet styles.

python experiments/evaluate.py --content=PHOTOS --style=PAINTINGS --output=DIR
python experiments/evaluate.py --content=PHOTOS --style=PAINTINGS --output=DIR \\
    --generator=mine=runs/mine/generator.keras --results=theirs=FOLDER
"""

import collections
import dataclasses
import functools
import hashlib
import importlib
import pathlib
import platform

import evaluation_report
import evaluation_tables
import launch
import numpy as np
import stylize_plan
from absl import flags

import stylegan_transfer
from stylegan_transfer.pictures.colors import match_colors
from stylegan_transfer.pictures.files import IMAGE_SUFFIXES, load_image
from stylegan_transfer.pictures.inputs import resize_image

FLAGS = flags.FLAGS
flags.DEFINE_multi_string("content", None, "Picture, folder or glob; repeatable.", required=True)
flags.DEFINE_multi_string("style", None, "Picture, folder or glob; repeatable.", required=True)
flags.DEFINE_string("output", None, "Folder of the report, which is renewed.", required=True)
flags.DEFINE_multi_string(
    "generator", [], "NAME=PATH of a generator (.keras); repeatable. Default: the one that ships."
)
flags.DEFINE_boolean("generators", True, "Whether generators are measured at all.")
flags.DEFINE_multi_string(
    "results",
    [],
    "NAME=FOLDER of finished results, CONTENT_STYLE.png as stylize.py names them; repeatable.",
)
flags.DEFINE_string(
    "reference",
    None,
    "NAME out of --results: which share of its way from the photographs to the styles do "
    "generators go? Meant for what optimize.py makes.",
)
flags.DEFINE_list("strengths", ["0", "0.25", "0.5", "0.75", "1"], "Of generators; 1 is always in.")
flags.DEFINE_integer("style_size", 384, "Short side at which generators look at styles.", 32)
flags.DEFINE_integer(
    "paint_size", 512, "Short side at which is painted, and grid artefacts are looked for.", 128
)
flags.DEFINE_integer("measure_size", 256, "Short side at which all else is measured.", 32)

flags.DEFINE_list(
    "features",
    ["distilled"],
    'Weights of the features: "distilled", "imagenet" or a path; of several, each layer comes '
    "from the first that holds it.",
)
flags.DEFINE_list("content_layers", ["relu3_1", "relu4_1"], "Layers of the content distance.")
flags.DEFINE_list(
    "style_layers", ["relu1_1", "relu2_1", "relu3_1", "relu4_1"], "Layers of the style distances."
)
flags.DEFINE_boolean("originality", False, "Whether to judge if results are copies; slow.")
flags.DEFINE_integer("seed", 0, "Seed of the intervals, and of --features=random.", 0)
flags.DEFINE_string(
    "update",
    None,
    "File whose part from <!-- results --> to <!-- /results --> becomes the table of the main "
    "figures.",
)
flags.DEFINE_string("plot", None, "File of a copy of the plot (SVG).")


@dataclasses.dataclass(frozen=True)
class _Row:
    """A row of the table; which generator paints it at which strength, if one does.

    Its kind is "bracket", "generator" (at strength 1), "strength" (at another) or "results".
    """

    name: str
    kind: str
    generator: str | None = None
    strength: float | None = None


def main():
    """Measures what the flags name, and writes the report."""
    contents, styles = (stylize_plan.read_contents(given) for given in (FLAGS.content, FLAGS.style))
    generators, results = _read_named("generator"), _read_named("results")
    _check_flags(generators, results)
    if not generators and FLAGS.generators:
        generators = {"shipped": None}
    results = {name: _find_results(folder, contents, styles) for name, folder in results.items()}
    strengths = _read_strengths()
    output = pathlib.Path(FLAGS.output)
    output.mkdir(parents=True, exist_ok=True)

    import tqdm

    rows = _make_rows(generators, strengths, results, styles)
    measures = _Measures(contents, styles)
    shown = [row.name for row in rows if row.kind in ("generator", "results")]
    images = [[p.image for p in pictures] for pictures in (measures.contents, measures.styles)]
    gallery = evaluation_report.Gallery(*images, shown)
    report = _describe_run(contents, styles, generators, results)
    num_pictures = len(rows) * len(contents) * len(styles)
    with tqdm.tqdm(total=num_pictures, unit="picture", disable=None) as bar:
        for row, make_picture in rows.items():
            figures = measures.measure_row(row.name, make_picture, gallery, bar)
            report["rows"].append({**dataclasses.asdict(row), "figures": figures})
            bar.write(evaluation_tables.summarize(report["rows"][-1]))
    if FLAGS.reference:
        report["coverage"] = evaluation_tables.measure_coverage(report["rows"], FLAGS.reference)
    evaluation_report.save(report, gallery, output)
    if FLAGS.update:
        evaluation_report.update(FLAGS.update, report)
    if FLAGS.plot:
        evaluation_report.save_plot(FLAGS.plot, report)
    print(f"Wrote {output / 'report.html'}")


# Flags and inputs.


def _read_named(flag):
    """Returns the paths that a flag gives as NAME=PATH, by name."""
    named = {}
    for text in FLAGS[flag].value:
        name, _, path = text.partition("=")
        if not name or not path or name in named:
            raise ValueError(f"Expected NAME=PATH, each name once. Received: --{flag}={text}")
        named[name] = pathlib.Path(path)
    return named


def _check_flags(generators, results):
    """Finds now what would otherwise be found after the work."""
    for name in ("features", "content_layers", "style_layers"):
        if not FLAGS[name].value:
            raise ValueError(f"Expected at least one of --{name}. Received: --{name}=")
    if generators and not FLAGS.generators:
        raise ValueError("Expected --generator or --nogenerators. Received: both")
    for name in generators.keys() & results.keys():
        raise ValueError(f"Expected a name of its own. Received: --results={name}=..., a generator")
    if FLAGS.reference and FLAGS.reference not in results:
        raise ValueError(
            f"Expected a name out of --results. Received: --reference={FLAGS.reference}"
        )
    if FLAGS.update:
        evaluation_report.split_at_markers(FLAGS.update)


def _find_results(folder, contents, styles):
    """Returns the file of each content in each style, by their paths."""
    if not folder.is_dir():
        raise FileNotFoundError(f"Expected a folder of results. Received: {folder}")
    files = {path.stem: path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES}
    styles = [stylize_plan.Style(path.stem, (path,)) for path in styles]
    jobs = stylize_plan.plan_jobs(contents, styles, str(folder), ".png")
    for job in jobs:
        if job.output.stem not in files:
            raise FileNotFoundError(
                f"Expected a result of every content in every style. Received: no {job.output}"
            )
    return {(job.content, job.style.paths[0]): files[job.output.stem] for job in jobs}


def _read_strengths():
    """Returns the strengths, the full one first."""
    try:
        strengths = {1.0, *map(float, FLAGS.strengths)}
    except ValueError:
        strengths = {np.nan}
    if not all(0 <= strength <= 1 for strength in strengths):
        given = ",".join(FLAGS.strengths)
        raise ValueError(f"Expected numbers from 0 to 1. Received: --strengths={given}")
    return sorted(strengths, reverse=True)


def _describe_run(contents, styles, generators, results):
    """Returns the report without its rows: all that they depend on."""
    from stylegan_transfer.networks.saving import DEFAULT_PATH

    modules = ("tensorflow", "keras", "numpy", "stylegan_transfer")
    inputs = [*contents, *styles, *(path or DEFAULT_PATH for path in generators.values())]
    inputs += [file for files in results.values() for file in files.values()]
    inputs += [path for path in map(pathlib.Path, FLAGS.features) if path.is_file()]
    return {
        "versions": {"python": platform.python_version()}
        | {module: importlib.import_module(module).__version__ for module in modules},
        "seed": FLAGS.seed,
        "flags": {flag.name: flag.value for flag in FLAGS.get_key_flags_for_module("__main__")},
        "sha256": {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in inputs},
        "contents": [path.stem for path in contents],
        "styles": [path.stem for path in styles],
        "rows": [],
    }


# Rows.


def _make_rows(generators, strengths, results, styles):
    """Returns for each row the function of a content and a style that makes its pictures."""

    def copy(content, style):
        return resize_image(style.image, size=content.image.shape[:2])

    rows = {
        _Row("untouched photograph", "bracket"): lambda content, style: content.image,
        _Row("copy of the style", "bracket"): copy,
        _Row("colour statistics only", "bracket"): (
            lambda content, style: match_colors(content.image, style.image)
        ),
        _Row("half blend", "bracket"): (
            lambda content, style: 0.5 * (content.image + copy(content, style))
        ),
    }
    for name, path in generators.items():
        generator = stylegan_transfer.load_generator(path)
        encode = functools.partial(stylegan_transfer.encode_style, generator)
        codes = {path: encode(path, style_size=FLAGS.style_size) for path in styles}
        for strength in strengths:
            kind = "generator" if strength == 1 else "strength"
            title = name if strength == 1 else f"{name}, strength {strength:g}"
            rows[_Row(title, kind, name, strength)] = functools.partial(
                _paint, generator, codes, strength
            )
    for name, files in results.items():
        rows[_Row(name, "results")] = functools.partial(_load, files)
    return rows


def _paint(generator, codes, strength, content, style):
    return stylegan_transfer.stylize_with_code(
        generator,
        content.image,
        codes[style.path],
        strength=strength,
        style_size=FLAGS.style_size,
    )


def _load(files, content, style):
    return load_image(files[content.path, style.path])


# Figures.


class _Picture:
    """A content or style in the size of painting, and in that of measuring."""

    def __init__(self, path):
        self.path = path
        self.image = resize_image(load_image(path), short_side=FLAGS.paint_size)
        self.small = resize_image(self.image, short_side=FLAGS.measure_size)


class _Measures:
    """Contents and styles with what the features see in them, and results measured by these."""

    def __init__(self, contents, styles):
        import keras

        from stylegan_transfer.networks import features

        keras.utils.set_random_seed(FLAGS.seed)  # for --features=random
        layers = [*FLAGS.content_layers, *FLAGS.style_layers]
        self._features = features.build_features(FLAGS.features, layers)
        self._default_features = features.VGG19Features() if FLAGS.originality else None
        self.contents, self.styles = ([_Picture(p) for p in paths] for paths in (contents, styles))
        for content in self.contents:
            content.maps = self._features(content.small[None])
        for style in self.styles:  # not their maps: these would fill the memory
            maps = self._features(style.small[None])
            style.grams, style.moments, style.vector = _style_statistics(maps)

    def measure_row(self, name, make_picture, gallery, bar):
        """Returns the mean, the interval and the values `[content][style]` of each figure."""
        from stylegan_transfer.measuring.statistics import bootstrap_interval, kernel_distance

        values = collections.defaultdict(lambda: np.zeros((len(self.contents), len(self.styles))))
        vectors = []
        for i, j in np.ndindex(len(self.contents), len(self.styles)):
            content, style = self.contents[i], self.styles[j]
            picture = make_picture(content, style)
            picture = resize_image(picture, size=content.image.shape[:2])
            gallery.add(name, i, j, picture)
            figures, vector = self._measure(picture, content, style)
            for figure, value in figures.items():
                values[figure][i, j] = round(float(value), 6)
            vectors.append(vector)
            bar.update()
        row = {
            figure: {
                "mean": float(matrix.mean()),
                "interval": bootstrap_interval(matrix, seed=FLAGS.seed),
                "values": matrix.tolist(),
            }
            for figure, matrix in values.items()
        }
        if len(self.styles) > 1:
            paintings = np.concatenate([style.vector for style in self.styles])
            row["kernel"] = {"mean": kernel_distance(np.concatenate(vectors), paintings)}
        return row

    def _measure(self, picture, content, style):
        """Returns all figures of one picture, and the vector of its moments."""
        from stylegan_transfer import losses
        from stylegan_transfer.measuring import originality
        from stylegan_transfer.measuring.distances import content_distances, lpips_like_distance
        from stylegan_transfer.measuring.figures import (
            color_histogram_distance,
            grid_artifact_index,
            patch_correlation,
            ssim,
        )

        small = resize_image(picture, size=content.small.shape[:2])
        maps = self._features(small[None])
        pair = ({layer: m[layer] for layer in FLAGS.content_layers} for m in (maps, content.maps))
        grams, moments, vector = _style_statistics(maps)
        gram = {
            layer: losses.relative_distance({layer: grams[layer]}, {layer: style.grams[layer]})
            for layer in grams
        }
        distances = [float(losses.relative_distance(moments, s.moments)) for s in self.styles]
        figures = {
            **_with_layers("content", content_distances(*pair)),
            **_with_layers("gram", gram),
            "moments": distances[self.styles.index(style)],
            "ssim": ssim(small, content.small),
            "lpips_like": lpips_like_distance(maps, content.maps)[0],
            "colors": color_histogram_distance(small, style.small),
            "retrieval": np.argmin(distances) == self.styles.index(style),
            "grid": grid_artifact_index(picture),
            "patches": patch_correlation(small, style.small),
        }
        if FLAGS.originality:
            pictures = small, content.small, style.small
            verdict = originality.judge_originality(*pictures, self._default_features).verdict
            figures["own"] = verdict == originality.OWN
        return figures, vector


def _style_statistics(maps):
    """Returns Gram matrices and moments by layer, and all moments in one vector."""
    from stylegan_transfer import losses
    from stylegan_transfer.measuring.distances import moments_vectors

    maps = {layer: maps[layer] for layer in FLAGS.style_layers}
    grams = {layer: losses.gram_matrix(values) for layer, values in maps.items()}
    moments = {layer: losses.channel_moments(values) for layer, values in maps.items()}
    return grams, moments, moments_vectors(moments)


def _with_layers(figure, distances):
    """Returns the mean over layers, and each of them."""
    distances = {layer: float(np.mean(values)) for layer, values in distances.items()}
    mean = sum(distances.values()) / len(distances)
    return {figure: mean, **{f"{figure}/{layer}": value for layer, value in distances.items()}}


if __name__ == "__main__":
    launch.run(main)
