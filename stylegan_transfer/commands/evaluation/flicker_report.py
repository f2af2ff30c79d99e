"""The report on painted clips: how much they flicker, and how well they keep content and style."""

import functools
from collections.abc import Mapping, Sequence

import keras
import numpy as np

from stylegan_transfer.commands.evaluation import report_files, tables
from stylegan_transfer.commands.evaluation.clips import Clip, list_clips
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
from stylegan_transfer.stylizing.stylize import encode_style
from stylegan_transfer.stylizing.video import stylize_frames

UNTOUCHED, ALONE, STEADY = "untouched", "frame by frame", "steady"
_EVERY = 4  # of so many frames, one has its content and Gram distance measured


def measure_clips(options: EvaluateOptions) -> dict:
    """Returns the report on clips, as report.json holds it, without writing it.

    Each group of clips has a row of the untouched frames, and for each generator one of every frame
    painted by itself and one of `stylize_video`'s carried painting.

    Raises:
        FileNotFoundError: A clip or picture is not there.
        ImportError: OpenCV or PyAV is missing.
        ValueError: A clip or picture cannot be read.
    """
    import tqdm

    import_opencv()
    styles, (files, groups) = list_pictures(options.style), list_clips(options)
    generators = options.named_generators
    report = report_files.describe_run(files, styles, generators, {}, options)
    distances = _Distances(styles, options)
    painters = _make_painters(generators, styles, options.style_size)
    total = sum(map(len, groups.values())) * len(styles)
    with tqdm.tqdm(total=total, unit="clip", disable=None) as bar:
        for group, clips in groups.items():
            found = []  # figures of each clip and style
            for open_clip in clips:
                clip, of_clip = open_clip(), []
                for j in range(len(styles)):
                    of_clip.append(_measure(clip, j, painters, distances))
                    bar.update()
                found.append(of_clip)
            for row in _make_rows(group, painters, found, options.seed):
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


def _make_painters(generators, styles, style_size):
    """Functions of frames and the number of a style, by the name of their row."""
    painters = {UNTOUCHED: lambda frames, j: frames}
    for name, path in generators.items():
        generator = load_generator(path)
        codes = [encode_style(generator, style, style_size=style_size) for style in styles]
        for how in (ALONE, STEADY):
            title = how if len(generators) == 1 else f"{name}, {how}"
            paint = functools.partial(_paint, generator, codes, how == STEADY, style_size)
            painters[title] = paint
    return painters


def _paint(generator, codes, steady, style_size, frames, j, seed=0):
    options = {"steady": steady, "style_size": style_size, "seed": seed}
    return stylize_frames(generator, frames, codes[j], **options)


def _measure(clip: Clip, j, painters, distances):
    """The figures of one clip in one style, by painter."""
    meter, kept = FlickerMeter(len(painters)), {name: [] for name in painters}
    pairs = {name: name.replace(STEADY, ALONE) for name in painters if name.endswith(STEADY)}
    ghosting = {name: GhostingMeter() for name in pairs}
    paintings = [paint(clip.read(), j) for paint in painters.values()]
    others = [painters[alone](clip.read(), j, seed=1) for alone in pairs.values()]
    frames = find_motions(clip.read(), clip.motion)
    frames = zip(frames, zip(*paintings, strict=True), zip(*others, strict=True), strict=True)
    for t, ((frame, motions), painted, other) in enumerate(frames):
        meter.add(painted, motions)
        of = dict(zip(painters, painted, strict=True))
        for (name, alone), image in zip(pairs.items(), other, strict=True):
            ghosting[name].add(frame, of[name], of[alone], image, motions.get(1))
        if t % _EVERY == 0:
            for name, image in zip(painters, painted, strict=True):
                kept[name].append(distances(frame, image, j))
    flicker, flicker_long = meter.measure(1), meter.measure(LONG_RANGE)
    figures = {
        name: {"flicker": 100 * short, "flicker_long": 100 * long}
        | dict(zip(("content", "gram"), np.mean(kept[name], axis=0), strict=True))
        for name, short, long in zip(painters, flicker, flicker_long, strict=True)
    }
    for name, alone in pairs.items():
        figures[name]["ghosting"], figures[alone]["ghosting"] = ghosting[name].measure()
    return figures


def _make_rows(group, painters, found, seed):
    """Yields the rows of one group of clips; a figure that a clip does not have is left out."""
    rows = {}
    for name in painters:
        figures = rows[name] = {}
        for key in found[0][0][name]:
            matrix = np.array([[of[name][key] for of in of_clip] for of_clip in found])
            if not np.isnan(matrix).any():
                figures[key] = _summarize(matrix, seed)
        alone = rows[name.replace(STEADY, ALONE)].get("flicker")
        if name.endswith(STEADY) and alone and alone["mean"] > 0:
            figures["flicker_ratio"] = {"mean": figures["flicker"]["mean"] / alone["mean"]}
        yield {"name": f"{group}, {name}", "kind": "clip", "clip": group, "figures": figures}


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
