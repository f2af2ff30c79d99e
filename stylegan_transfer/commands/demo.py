"""Stylises the sample pictures of the package with the generator that ships; needs no download.

stylegan-transfer demo --output=demo
"""

import dataclasses
import pathlib
from collections.abc import Sequence

from stylegan_transfer.atomic import check_place
from stylegan_transfer.commands import launch
from stylegan_transfer.commands.pairs import CONTACT_SHEET
from stylegan_transfer.commands.stylization.options import StylizeOptions
from stylegan_transfer.commands.stylize import stylize
from stylegan_transfer.options import Options, option
from stylegan_transfer.stylizing.qualities import QUALITIES

CONTENT, STYLE = "harbour", "swirls"  # of the row of qualities
CELL_SIZE = 384  # pixels, of that row: it takes large cells to see strokes


@dataclasses.dataclass(frozen=True)
class DemoOptions(Options):
    """Where the pictures go, and how large they are."""

    output: str = option(
        "demo", description="Folder for the samples and the stylized pictures.", not_empty=True
    )
    size: int = option(
        384, description="Side of the pictures in pixels.", minimum=32, maximum=4_096
    )
    qualities: bool = option(
        True, description="Whether to paint one of them in all three qualities, too."
    )


def main(argv: Sequence[str]) -> int:
    """Draws the samples and stylises them as the flags say; returns the exit code."""
    flags = launch.Flags(argv, __doc__, DemoOptions)
    return paint_samples(flags.make(DemoOptions), verbose=flags.verbose)


def paint_samples(options: DemoOptions, verbose: bool = False) -> int:
    """Draws the samples, says which command stylises them and does what it does; returns 0.

    One of them is painted in all qualities, too.
    """
    from stylegan_transfer import samples
    from stylegan_transfer.pictures.files import save_image

    output = pathlib.Path(options.output)
    check_place(output / "stylized" / CONTACT_SHEET)
    for kind, names, draw in (
        ("content", samples.CONTENT_NAMES, samples.draw_content),
        ("style", samples.STYLE_NAMES, samples.draw_style),
    ):
        for name in names:
            save_image(draw(name, options.size), output / kind / f"{name}.png")
    content, style, stylized = (str(output / name) for name in ("content", "style", "stylized"))
    print(
        f"stylegan-transfer stylize --content={content} --style={style} --output={stylized} "
        "--overwrite",
        flush=True,
    )
    code = stylize(
        StylizeOptions(content=(content,), style=(style,), output=stylized, overwrite=True),
        verbose=verbose,
    )
    if code == 0 and options.qualities:
        code = _paint_qualities(output, verbose)
    if code == 0:
        print(f"All of them on one page: {pathlib.Path(stylized) / CONTACT_SHEET}")
    return code


def _paint_qualities(output, verbose):
    """Writes one row: a content, and what each quality makes of it in one style."""
    from stylegan_transfer.pictures.contact_sheet import make_contact_sheet
    from stylegan_transfer.pictures.files import load_image, save_image

    content, style = output / "content" / f"{CONTENT}.png", output / "style" / f"{STYLE}.png"
    painted = [output / "qualities" / f"{quality}.png" for quality in QUALITIES]
    for quality, path in zip(QUALITIES, painted, strict=True):
        options = StylizeOptions(
            content=(str(content),),
            style=(str(style),),
            output=str(path),
            quality=quality,
            overwrite=True,
        )
        if stylize(options, verbose=verbose):
            return 1
    row, sheet = map(load_image, painted), output / "qualities" / CONTACT_SHEET
    styles = [load_image(style)] * len(painted)
    save_image(make_contact_sheet([load_image(content)], styles, [[*row]], CELL_SIZE), sheet)
    print(f"From left to right, {', '.join(QUALITIES)}: {sheet}")
    return 0
