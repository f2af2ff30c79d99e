"""Writes a generator in another format."""

import dataclasses
import os
import pathlib
import shutil
import tempfile
from collections.abc import Sequence

from stylegan_transfer.checks import expect
from stylegan_transfer.exporting.calibration import measure_ranges
from stylegan_transfer.exporting.litert import write_litert
from stylegan_transfer.exporting.onnx_files import write_onnx, write_openvino
from stylegan_transfer.exporting.saved_model import write_saved_model
from stylegan_transfer.exporting.style_graphs import moments_channels
from stylegan_transfer.exporting.transport_graphs import level_channels
from stylegan_transfer.networks.generator import StyleGenerator
from stylegan_transfer.networks.transport_generator import TransportGenerator
from stylegan_transfer.runtimes.description import (
    FORMATS,
    MIN_SIZE,
    WEIGHTS,
    Description,
    is_exported,
)


def export(
    generator,
    path: str | os.PathLike,
    format: str = "onnx",
    *,
    weights: str = "float32",
    sizes: Sequence[tuple[int, int]] = (),
    calibrate: bool = False,
) -> None:
    """Writes a generator as graphs that run without this package.

    All formats hold the two halves of a generator, `encode_style` and `synthesize`, and
    `generator.json`, which describes them. Noise is an input of the synthesis.

    - `"onnx"`: for onnxruntime and OpenVINO, for pictures and batches of any size, with masks, a
      code a layer and given statistics: `load_generator(path)`. Of a `TransportGenerator` there
      is a third graph, `analyse.onnx`.
    - `"openvino"`: the same in OpenVINO's own format.
    - `"saved_model"`: for TensorFlow Serving, for any size. Masks have a signature of their own.
    - `"litert"`: for LiteRT (TensorFlow Lite), one synthesis a size; no masks.

    Args:
        generator: A `StyleGenerator` or a `TransportGenerator`.
        path: The folder to write. One that exists is replaced if it is an export, too.
        format: One of those above.
        weights: How they are stored: `"float32"`; `"float16"`, half the size (not of a
            SavedModel); or `"int8"`, a quarter (LiteRT alone).
        sizes: For LiteRT: height and width of the contents, at least 32 each.
        calibrate: For ONNX and OpenVINO: whether to measure, on the samples of the package, how
            large maps become, so that `load_generator(precision="fast")` can compute in 8 bits on
            any processor. It takes some ten seconds, and onnxruntime.

    Raises:
        FileExistsError: `path` exists and is no export.
        ImportError: A package that the format needs is missing.
        ValueError: The format is unknown, or an argument or this kind of generator does not fit
            it.

    Example:
        >>> import stylegan_transfer
        >>> from stylegan_transfer import samples
        >>> generator = stylegan_transfer.StyleGenerator(width=4, num_blocks=1)  # untrained
        >>> stylegan_transfer.export(generator, "exported")
        >>> exported = stylegan_transfer.load_generator("exported", runtime="onnx")
        >>> content, style = samples.draw_content("city", 64), samples.draw_style("swirls", 64)
        >>> stylegan_transfer.stylize(exported, content, style, style_size=64).shape
        (64, 64, 3)
    """
    path, sizes = pathlib.Path(path), [tuple(size) for size in sizes]
    _check(generator, format, weights, sizes, calibrate)
    if path.exists() and not is_exported(path):
        raise FileExistsError(f"Expected a new folder, or one that export wrote. Received: {path}")
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".saving-") as folder:
        temporary = pathlib.Path(folder) / path.name
        temporary.mkdir()
        if format == "onnx":
            write_onnx(generator, temporary, weights == "float16")
        elif format == "openvino":
            write_openvino(generator, temporary, weights == "float16")
        elif format == "saved_model":
            write_saved_model(generator, temporary)
        else:
            write_litert(generator, temporary, weights, sizes)
        description = describe(generator, format)
        if calibrate:
            ranges = measure_ranges(generator, description)
            description = dataclasses.replace(description, ranges=ranges)
        description.write(temporary)
        if path.exists():
            shutil.rmtree(path)
        os.replace(temporary, path)


def describe(generator, format: str) -> Description:
    """Returns the description of a generator that goes beside its graphs."""
    is_transport = isinstance(generator, TransportGenerator)
    return Description(
        kind=type(generator).__name__,
        graphs=format,
        noise=generator.noise,
        strides=tuple(generator.strides),
        receptive_radius=generator.receptive_radius,
        code_size=generator.code_size,
        moments_size=2 * sum(moments_channels(generator)),
        levels=level_channels(generator) if is_transport else (),
    )


def _check(generator, format, weights, sizes, calibrate):
    expect(format in FORMATS, f"one of {FORMATS}", format=format)
    expect(weights in WEIGHTS, f"one of {WEIGHTS}", weights=weights)
    fits = isinstance(generator, (StyleGenerator, TransportGenerator))
    expect(fits, "a StyleGenerator or a TransportGenerator", generator=type(generator).__name__)
    possible = {"saved_model": WEIGHTS[:1], "litert": WEIGHTS}.get(format, WEIGHTS[:2])
    expect(weights in possible, f"weights out of {possible} for {format}", weights=weights)
    fits = isinstance(calibrate, bool) and (not calibrate or format in ("onnx", "openvino"))
    expect(fits, "calibrate for onnx and openvino alone", calibrate=calibrate, format=format)
    fits = bool(sizes) == (format == "litert")
    expect(fits, "sizes for litert, and for no other format", format=format, sizes=sizes)
    are_large = all(len(size) == 2 and min(size) >= MIN_SIZE for size in sizes)
    expect(are_large, f"sizes (height, width) of at least {MIN_SIZE} pixels", sizes=sizes)
