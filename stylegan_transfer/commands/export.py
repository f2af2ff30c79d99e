"""Writes a generator in a format that other runtimes run.

stylegan-transfer export --output=FOLDER
stylegan-transfer export --generator=runs/mine/generator.keras --output=FOLDER --weights=float16
stylegan-transfer export --format=litert --sizes=512x512,720x1280 --output=FOLDER
"""

import dataclasses
from collections.abc import Sequence

from stylegan_transfer.commands import launch
from stylegan_transfer.options import Options, option
from stylegan_transfer.runtimes.description import FORMATS, WEIGHTS


@dataclasses.dataclass(frozen=True)
class ExportOptions(Options):
    """What is exported, and how."""

    output: str = option(
        description="Folder to write. An older export is replaced.", not_empty=True
    )
    generator: str | None = option(
        None,
        description="Trained generator (.keras). Without one: the one that ships.",
        not_empty=True,
    )
    format: str = option("onnx", description="Of the graphs.", choices=FORMATS)
    weights: str = option(
        "float32",
        description="How they are stored. float16: not for saved_model; int8: for litert alone.",
        choices=WEIGHTS,
    )
    sizes: tuple[str, ...] = option(
        (), description="For litert: HEIGHTxWIDTH of the contents, of at least 32 pixels."
    )
    calibrate: bool = option(
        False, description="Whether --precision=fast can compute in 8 bits (onnx and openvino)."
    )


def main(argv: Sequence[str]) -> int:
    """Exports a generator as the flags say; returns the exit code."""
    options = launch.Flags(argv, __doc__, ExportOptions).make(ExportOptions)
    from stylegan_transfer.exporting.export import export
    from stylegan_transfer.runtimes.loading import load_generator

    generator = load_generator(options.generator, runtime="tensorflow")
    sizes = [_read_size(size) for size in options.sizes]
    keywords = {"weights": options.weights, "sizes": sizes, "calibrate": options.calibrate}
    export(generator, options.output, options.format, **keywords)
    print(f"Wrote {options.output}")
    return 0


def _read_size(text):
    height, _, width = text.partition("x")
    if not (height.isdecimal() and width.isdecimal()):
        raise ValueError(f"Expected --sizes: HEIGHTxWIDTH. Received: --sizes={text}")
    return int(height), int(width)
