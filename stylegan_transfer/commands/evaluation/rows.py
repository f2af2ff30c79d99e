"""The rows of the report, and how the pictures of each are made."""

import dataclasses
import functools
import pathlib
from collections.abc import Callable, Mapping, Sequence

from stylegan_transfer.commands.evaluation.options import EvaluateOptions
from stylegan_transfer.networks.saving import load_generator
from stylegan_transfer.pictures.colors import match_colors
from stylegan_transfer.pictures.files import load_image
from stylegan_transfer.pictures.inputs import resize_image
from stylegan_transfer.stylizing.codes import encode_style
from stylegan_transfer.stylizing.with_code import stylize_with_code


@dataclasses.dataclass(frozen=True)
class Row:
    """A row of the table.

    Attributes:
        name: Its title.
        kind: "bracket", "generator" (at strength 1), "strength" (at another) or "results".
        generator: The name of the generator that paints it, if one does.
        strength: The strength at which.
    """

    name: str
    kind: str
    generator: str | None = None
    strength: float | None = None


def make_rows(
    generators: Mapping[str, str | None],
    results: Mapping[str, Mapping],
    styles: Sequence[pathlib.Path],
    options: EvaluateOptions,
) -> dict[Row, Callable]:
    """Returns for each row the function of a content and a style that makes its pictures.

    Args:
        generators: Files by name, or names on the hub; None is the generator that ships.
        results: As `inputs.find_results` returns them, by name.
        styles: The files of all styles, each of which a generator looks at once.
        options: Their strengths and style size count.
    """
    rows = {
        Row("untouched photograph", "bracket"): lambda content, style: content.image,
        Row("copy of the style", "bracket"): _stretch,
        Row("colour statistics only", "bracket"): (
            lambda content, style: match_colors(content.image, style.image)
        ),
        Row("half blend", "bracket"): (
            lambda content, style: 0.5 * (content.image + _stretch(content, style))
        ),
    }
    size = options.style_size
    for name, path in generators.items():
        generator = load_generator(path)
        codes = {path: encode_style(generator, path, style_size=size) for path in styles}
        for strength in sorted({1.0, *options.strengths}, reverse=True):
            kind = "generator" if strength == 1 else "strength"
            title = name if strength == 1 else f"{name}, strength {strength:g}"
            paint = functools.partial(_paint, generator, codes, strength, size)
            rows[Row(title, kind, name, strength)] = paint
    for name, files in results.items():
        rows[Row(name, "results")] = functools.partial(_load, files)
    return rows


def _stretch(content, style):
    return resize_image(style.image, size=content.image.shape[:2])


def _paint(generator, codes, strength, style_size, content, style):
    return stylize_with_code(
        generator, content.image, codes[style.path], strength=strength, style_size=style_size
    )


def _load(files, content, style):
    return load_image(files[content.path, style.path])
