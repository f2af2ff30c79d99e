"""Writes a generator in another format."""

import os
import pathlib
import shutil
import tempfile

from stylegan_transfer.checks import expect
from stylegan_transfer.exporting.onnx_graph import import_onnx
from stylegan_transfer.exporting.style_graphs import build_style_graphs, moments_channels
from stylegan_transfer.exporting.transport_graphs import build_transport_graphs, level_channels
from stylegan_transfer.networks.generator import StyleGenerator
from stylegan_transfer.networks.transport_generator import TransportGenerator
from stylegan_transfer.runtimes.description import Description, is_exported

FORMATS = ("onnx",)


def export(
    generator, path: str | os.PathLike, format: str = "onnx", half_precision: bool = False
) -> None:
    """Writes a generator as graphs that run without TensorFlow and Keras.

    - `"onnx"`: a folder with one graph for each half, `encode_style.onnx` and `synthesize.onnx`,
      for batches and pictures of any size, and `generator.json`. onnxruntime and OpenVINO run it:
      `load_generator(path)`. Of a `TransportGenerator` there is a third graph, `analyse.onnx`.

    Args:
        generator: A `StyleGenerator` or a `TransportGenerator`.
        path: The folder to write. One that exists is replaced if it is an export, too.
        format: One of those above.
        half_precision: Whether to store the weights as float16, half the size; they are computed
            with in float32. Defaults to False.

    Raises:
        FileExistsError: `path` exists and is no export.
        ImportError: A package that the format needs is missing.
        ValueError: The format is unknown, or there are no graphs for this kind of generator.

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
    expect(format in FORMATS, f"one of {FORMATS}", format=format)
    kind = type(generator).__name__
    kinds = (StyleGenerator, TransportGenerator)
    fits = isinstance(generator, kinds)
    expect(fits, f"one of {', '.join(k.__name__ for k in kinds)}", generator=kind)
    onnx = import_onnx()
    path = pathlib.Path(path)
    is_free = not path.exists() or is_exported(path)
    if not is_free:
        raise FileExistsError(f"Expected a new folder, or one that export wrote. Received: {path}")
    is_style = isinstance(generator, StyleGenerator)
    build = build_style_graphs if is_style else build_transport_graphs
    models = build(generator, half_precision)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".saving-") as folder:
        temporary = pathlib.Path(folder) / path.name
        temporary.mkdir()
        for name, model in models.items():
            onnx.save(model, temporary / f"{name}.onnx")
        describe(generator).write(temporary)
        if path.exists():
            shutil.rmtree(path)
        os.replace(temporary, path)


def describe(generator) -> Description:
    """Returns the description of a generator that goes beside its graphs."""
    is_transport = isinstance(generator, TransportGenerator)
    channels = [norm.noise_strength.shape[0] for norm in generator.norms]
    if not is_transport:
        channels = moments_channels(generator)
    return Description(
        kind=type(generator).__name__,
        noise=generator.noise,
        strides=tuple(generator.strides),
        receptive_radius=generator.receptive_radius,
        code_size=generator.code_size,
        moments_size=2 * sum(channels),
        levels=level_channels(generator) if is_transport else (),
    )
