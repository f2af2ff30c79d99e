"""The report on painted clips: how much they flicker, and how well they keep content and style."""

import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence

import keras
import numpy as np

from stylegan_transfer.commands.evaluation import report_files, tables
from stylegan_transfer.commands.evaluation.clips import Clip, list_clips, list_results, read_clip
from stylegan_transfer.commands.evaluation.inputs import list_pictures
from stylegan_transfer.commands.evaluation.options import EvaluateOptions
from stylegan_transfer.measuring.distances import content_distances, gram_distances
from stylegan_transfer.measuring.flicker import LONG_RANGE, FlickerMeter, find_motions
from stylegan_transfer.measuring.ghosting import GhostingMeter
from stylegan_transfer.measuring.statistics import bootstrap_interval
from stylegan_transfer.networks.features import build_features
from stylegan_transfer.networks.saving import load_generator
from stylegan_transfer.pictures.files import load_image
from stylegan_transfer.pictures.inputs import resize_image
from stylegan_transfer.pictures.motion import import_opencv
from stylegan_transfer.stylizing.codes import encode_style
from stylegan_transfer.stylizing.video import stylize_frames

UNTOUCHED, ALONE, STEADY = "untouched", "frame by frame", "steady"
_EVERY = 4  # of so many frames, one has its content and Gram distance measured


@dataclasses.dataclass(frozen=True, eq=False)
class _Row:
    """How the clips of a row are made.

    Attributes:
        name: Its title.
        paint: Returns an iterator over the frames of a clip in the style of a number.
        alone: Of a steady row: that of the frames painted alone.
    """

    name: str
    paint: Callable[[Clip, int], Iterator[np.ndarray]]
    alone: "_Row | None" = None


def measure_clips(options: EvaluateOptions) -> dict:
    """Returns the report on clips, as report.json holds it, without writing it.

    Each group of clips has a row of the untouched frames, for each generator one of every frame
    painted by itself and one of `stylize_video`'s carried painting, and one for each of the
    finished results, which have no ghosting: that needs frames painted alone.

    Raises:
        FileNotFoundError: A clip, a result or a picture is not there.
        ImportError: OpenCV or PyAV is missing.
        ValueError: A clip or picture cannot be read, or a result does not fit its clip.
    """
    import tqdm

    import_opencv()
    styles, (files, groups) = list_pictures(options.style), list_clips(options)
    paths = [path for clips in groups.values() for path in clips]
    generators, results = options.named_generators, list_results(options, paths, styles)
    report = report_files.describe_run(files, styles, generators, results, options)
    distances = _Distances(styles, options)
    rows = _list_rows(generators, results, styles, options)
    with tqdm.tqdm(total=len(paths) * len(styles), unit="clip", disable=None) as bar:
        for group, clips in groups.items():
            found = []  # figures by row of each clip and style
            for open_clip in clips.values():
                clip, of_clip = open_clip(), []
                for j in range(len(styles)):
                    of_clip.append(_measure(clip, j, rows, distances))
                    bar.update()
                found.append(of_clip)
            for row in _report_rows(group, rows, found, options.seed):
                report["rows"].append(row)
                bar.write(tables.summarize(row))
    return report


def describe(report: Mapping) -> str:
    """Returns what was measured how, in a few sentences."""
    flags = report["flags"]
    what = "Clips" if flags["clip"] else "Photographs, from which clips were rendered"
    return (
        f"{what}: {len(report['contents'])}. Styles: {len(report['styles'])}. At most "
        f"{flags['num_frames']} frames, painted at a short side of {flags['paint_size']} pixels at "
        "most. Flicker: mean absolute difference along the motion in percent of white, between "
        f"neighbouring frames and those {LONG_RANGE} apart, of what both show. Ghosting: "
        "difference to the frame painted alone, around moving edges, over that of two seeds; frame "
        "by frame: of the frame before, moved along. Content and Gram distance at a short side of "
        f"{flags['measure_size']}. Means, and 95 % intervals over clips and styles."
    )


def _list_rows(generators, results, styles, options):
    rows = [_Row(UNTOUCHED, lambda clip, j: clip.read())]
    size = options.style_size
    for name, path in generators.items():
        generator = load_generator(path)
        codes = [encode_style(generator, style, style_size=size) for style in styles]
        title = "" if len(generators) == 1 else f"{name}, "
        paint = functools.partial(_paint, generator, codes, size)
        alone = _Row(f"{title}{ALONE}", functools.partial(paint, steady=False))
        rows += [alone, _Row(f"{title}{STEADY}", paint, alone)]
    for name, files in results.items():
        rows.append(_Row(name, functools.partial(_read_result, files, styles, options)))
    return rows


def _paint(generator, codes, style_size, clip, j, **options):
    return stylize_frames(generator, clip.read(), codes[j], style_size=style_size, **options)


def _read_result(files, styles, options, clip, j):
    return read_clip(files[clip.path, styles[j]], options)


def _measure(clip: Clip, j, rows, distances):
    """The figures of one clip in one style, by row."""
    meter, kept = FlickerMeter(len(rows)), {row: [] for row in rows}
    ghosting = {row: GhostingMeter() for row in rows if row.alone}
    paintings = [row.paint(clip, j) for row in rows]
    others = [row.alone.paint(clip, j, seed=1) for row in ghosting]
    frames = zip(find_motions(clip.read(), clip.motion), zip(*paintings, strict=True), strict=True)
    for t, ((frame, motions), painted) in enumerate(frames):
        meter.add(painted, motions)
        of = dict(zip(rows, painted, strict=True))
        for (row, of_row), other in zip(ghosting.items(), others, strict=True):
            of_row.add(frame, of[row], of[row.alone], next(other), motions.get(1))
        if t % _EVERY == 0:
            for row, image in of.items():
                kept[row].append(distances(frame, image, j))
    flicker, flicker_long = meter.measure(1), meter.measure(LONG_RANGE)
    figures = {
        row: {"flicker": 100 * short, "flicker_long": 100 * long}
        | dict(zip(("content", "gram"), np.mean(kept[row], axis=0), strict=True))
        for row, short, long in zip(rows, flicker, flicker_long, strict=True)
    }
    for row, of_row in ghosting.items():
        figures[row]["ghosting"], figures[row.alone]["ghosting"] = of_row.measure()
    return figures


def _report_rows(group, rows, found, seed):
    """Yields the rows of one group of clips; a figure that a clip does not have is left out."""
    means = {}
    for row in rows:
        figures = {}
        for key in found[0][0][row]:
            matrix = np.array([[of[row][key] for of in of_clip] for of_clip in found])
            if not np.isnan(matrix).any():
                figures[key] = _summarize(matrix, seed)
        means[row] = figures["flicker"]["mean"] if "flicker" in figures else 0
        if row.alone and means[row.alone] > 0:
            figures["flicker_ratio"] = {"mean": means[row] / means[row.alone]}
        yield {"name": f"{group}, {row.name}", "kind": "clip", "clip": group, "figures": figures}


def _summarize(matrix, seed):
    return {
        "mean": float(matrix.mean()),
        "interval": bootstrap_interval(matrix, seed=seed),
        "values": np.round(matrix, 6).tolist(),
    }


class _Distances:
    """Content and Gram distances of painted frames."""

    def __init__(self, styles: Sequence, options: EvaluateOptions):
        keras.utils.set_random_seed(options.seed)  # for --features=random
        self._content, self._style = options.content_layers, options.style_layers
        self._size = options.measure_size
        self._features = build_features(options.features, [*self._content, *self._style])
        self._of_styles = [self._look(load_image(path)) for path in styles]

    def _look(self, image):
        return self._features(resize_image(image, short_side=self._size)[None])

    def __call__(self, frame: np.ndarray, painted: np.ndarray, j: int) -> tuple[float, float]:
        of_frame, of_painted = self._look(frame), self._look(painted)
        content = content_distances(*(_pick(m, self._content) for m in (of_painted, of_frame)))
        gram = gram_distances(*(_pick(m, self._style) for m in (of_painted, self._of_styles[j])))
        return tuple(float(np.mean([*figure.values()])) for figure in (content, gram))


def _pick(maps, layers):
    return {layer: maps[layer] for layer in layers}
