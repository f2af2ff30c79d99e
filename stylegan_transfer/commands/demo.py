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
    if code == 0:
        if options.qualities:
            _paint_qualities(output)
        print(f"All of them on one page: {pathlib.Path(stylized) / CONTACT_SHEET}")
    return code


def _paint_qualities(output):
    """Writes one row: a content, and what each quality makes of it in one style."""
    import tqdm

    from stylegan_transfer.pictures.contact_sheet import make_contact_sheet
    from stylegan_transfer.pictures.files import load_image, save_image
    from stylegan_transfer.runtimes.loading import load_generator
    from stylegan_transfer.stylizing.stylize import stylize as paint

    content = load_image(output / "content" / f"{CONTENT}.png")
    style = load_image(output / "style" / f"{STYLE}.png")
    generator, row, folder = load_generator(), [], output / "qualities"
    for quality in tqdm.tqdm(QUALITIES, unit="quality", disable=None):
        row.append(paint(generator, content, style, quality=quality))
        save_image(row[-1], folder / f"{quality}.png")
    sheet = make_contact_sheet([content], [style] * len(row), [row], CELL_SIZE)
    save_image(sheet, folder / CONTACT_SHEET)
    print(f"From left to right, {', '.join(QUALITIES)}: {folder / CONTACT_SHEET}")
