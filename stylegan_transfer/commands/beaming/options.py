"""The options of `beam`."""

import dataclasses
import functools

from stylegan_transfer.commands.stylization.options import StylizeOptions, check_painting
from stylegan_transfer.options import Options, option, same_option

# What decides how a result looks, beside contents, styles and the generator.
LOOK = (
    *("strength", "style_size", "content_size", "num_coarse_layers", "preserve_color", "seed"),
    *("tileable", "tile_size", "format", "compression_quality", "keep_depth", "precision"),
)


_as_in_stylize = functools.partial(same_option, StylizeOptions)


@dataclasses.dataclass(frozen=True)
class BeamOptions(Options):
    """What is painted in which styles, how, where it goes, and what runs it."""

    content: tuple[str, ...] = option(
        description="Folder, glob, list (.txt, a path a line), TFRecord files or tfds:NAME:SPLIT. "
        "Paths may be those of a cloud, such as gs://BUCKET/PHOTOS.",
        not_empty=True,
        repeatable=True,
    )
    output: str = option(
        description="Folder for the results, which all workers can write to.", not_empty=True
    )
    style: tuple[str, ...] = _as_in_stylize("style")
    style_collection: str | None = _as_in_stylize("style_collection")
    generator: str | None = _as_in_stylize("generator")
    runtime: str = _as_in_stylize("runtime")
    precision: str = _as_in_stylize("precision")

    strength: float = _as_in_stylize("strength")
    style_size: int = _as_in_stylize("style_size")
    content_size: int | None = _as_in_stylize("content_size")
    fine_style: str | None = _as_in_stylize("fine_style")
    num_coarse_layers: int | None = _as_in_stylize("num_coarse_layers")
    preserve_color: str | None = _as_in_stylize("preserve_color")
    seed: int = _as_in_stylize("seed")
    tileable: bool = _as_in_stylize("tileable")

    format: str = _as_in_stylize("format")
    compression_quality: int = _as_in_stylize("compression_quality")
    keep_depth: bool = _as_in_stylize("keep_depth")
    overwrite: bool = _as_in_stylize("overwrite")
    resume: bool = option(
        False,
        description="Keep the results that an earlier run made with the same flags, and make the "
        "others.",
    )
    batch_size: int = _as_in_stylize("batch_size")
    tile_size: int = _as_in_stylize("tile_size")

    image_feature: str | None = option(
        None,
        description="Feature of a tf.train.Example that holds the encoded picture. Without it: "
        "image/encoded or image.",
        not_empty=True,
    )
    data_dir: str | None = option(
        None, description="Folder of the TensorFlow data sets.", not_empty=True
    )
    num_workers: int = option(1, description="Processes on this machine.", minimum=1, maximum=1_024)
    beam_options: str = option(
        "",
        description="Flags for Beam, such as --beam_options='--runner=FlinkRunner "
        "--flink_master=HOST:8081'. Without a runner: this machine.",
    )

    def __post_init__(self):
        super().__post_init__()
        check_painting(self)
        self.expect(
            self.num_workers == 1 or not self.beam_options,
            "num_workers",
            "none with --beam_options, which name Beam's own",
        )
