"""Writes a generator in a format that other runtimes run.

stylegan-transfer export --output=FOLDER
stylegan-transfer export --generator=runs/mine/generator.keras --output=FOLDER --half_precision
"""

import dataclasses
from collections.abc import Sequence

from stylegan_transfer.commands import launch
from stylegan_transfer.options import Options, option

FORMATS = ("onnx",)  # as `exporting.export.FORMATS`, which needs Keras


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
    half_precision: bool = option(
        False, description="Store the weights in half precision, half the size."
    )


def main(argv: Sequence[str]) -> int:
    """Exports a generator as the flags say; returns the exit code."""
    options = launch.Flags(argv, __doc__, ExportOptions).make(ExportOptions)
    from stylegan_transfer.exporting.export import export
    from stylegan_transfer.runtimes.loading import load_generator

    generator = load_generator(options.generator, runtime="tensorflow")
    export(generator, options.output, options.format, options.half_precision)
    print(f"Wrote {options.output}")
    return 0
