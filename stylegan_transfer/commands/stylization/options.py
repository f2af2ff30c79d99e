"""The options of `stylize`."""

import dataclasses

from stylegan_transfer.options import Options, option
from stylegan_transfer.runtimes.loading import RUNTIMES
from stylegan_transfer.runtimes.sessions import PRECISIONS
from stylegan_transfer.stylizing.qualities import QUALITIES

# What decides how a result looks, beside contents, styles, masks and the generator.
LOOK = (
    *("strength", "style_size", "content_size", "num_coarse_layers", "preserve_color", "seed"),
    *("tileable", "steady", "tile_size", "format", "compression_quality", "keep_depth"),
    *("precision", "quality", "lossless"),
)


@dataclasses.dataclass(frozen=True)
class StylizeOptions(Options):
    """What is painted in which styles, how, and where it goes."""

    content: tuple[str, ...] = option(
        description="Picture, clip, folder or glob.", not_empty=True, repeatable=True
    )
    output: str = option(
        description="Where to write: a file, for one pair, or a folder, for all pairs and a "
        "contact sheet.",
        not_empty=True,
    )
    style: tuple[str, ...] = option(
        (),
        description="Picture, folder or glob. Each is a style of its own; written PATH:WEIGHT, "
        "all of them are mixed into one.",
        repeatable=True,
    )
    style_collection: str | None = option(
        None, description="Folder of paintings that together are one style.", not_empty=True
    )
    generator: str | None = option(
        None,
        description="Trained generator: a .keras file, hf://OWNER/NAME, or a folder that export "
        "wrote. Without one: the one that ships.",
        not_empty=True,
    )
    runtime: str = option(
        "auto",
        description="What runs the generator. auto: onnxruntime if it is installed, else OpenVINO, "
        "else TensorFlow; OpenVINO for --precision=fast; for a .keras file always TensorFlow.",
        choices=RUNTIMES,
    )
    precision: str = option(
        "float32",
        description="Of the arithmetic. fast, with OpenVINO: bfloat16 on processors that have "
        "matrix units for it (AMX), convolutions in 8 bits on others.",
        choices=PRECISIONS,
    )

    strength: float = option(
        1.0, description="From 0, the photograph, to 1, the full style.", minimum=0, maximum=1
    )
    style_size: int = option(
        384,
        description="Short side at which styles are looked at: stroke size.",
        minimum=32,
        maximum=16_384,
    )
    content_size: int | None = option(
        None,
        description="Short side at which larger contents are painted. Without it: their own.",
        minimum=32,
        maximum=16_384,
    )
    fine_style: str | None = option(
        None, description="Picture: strokes and colours come from this style.", not_empty=True
    )
    num_coarse_layers: int | None = option(
        None,
        description="Layers that keep --style beside a --fine_style. Without it: half.",
        minimum=0,
    )
    preserve_color: str | None = option(
        None,
        description="Keep the content's colours: by painting its luma alone, or by giving them "
        "to the style first.",
        choices=("luminance", "match"),
    )
    mask: tuple[str, ...] = option(
        (),
        description="Grey picture, or for clips a clip, that says where a style goes (white); one "
        "for each --style, in their order. What no mask covers stays as it is.",
        repeatable=True,
    )
    seed: int = option(
        0,
        description="Of the strokes in flat areas: each gives another painting.",
        minimum=-1_000_000_000,
        maximum=1_000_000_000,
    )
    quality: str = option(
        "fast",
        description="fast: what the generator makes. fine and best: that, refined for some "
        "seconds or for as long as it pays; needs TensorFlow.",
        choices=tuple(QUALITIES),
    )
    tileable: bool = option(
        False, description="Whether results repeat without a seam, as textures do."
    )
    steady: bool = option(
        True,
        description="Whether a clip's painting moves with what it shows; else each frame is "
        "painted by itself.",
    )

    lossless: bool = option(
        False, description="Whether clips are written without loss: as FFV1, in .mkv."
    )
    format: str = option(
        "png",
        description="Of the pictures in an --output folder.",
        choices=("png", "jpg", "tif", "webp", "same"),
    )
    compression_quality: int = option(95, description="Of JPEG and WebP.", minimum=1, maximum=100)
    keep_depth: bool = option(True, description="Whether grey stays grey and 16 bits stay 16 bits.")
    overwrite: bool = option(False, description="Replace results that exist.")
    resume: bool = option(
        False,
        description="Keep the results that an earlier run made of the same files with the same "
        "flags, and make the others.",
    )
    report: bool = option(False, description="Say how original each picture is.")
    batch_size: int = option(
        4, description="Pictures of one size that are painted together.", minimum=1, maximum=4_096
    )
    tile_size: int = option(
        1024,
        description="Larger pictures are painted in tiles of this side, a multiple of 8.",
        minimum=64,
        maximum=16_384,
    )

    def __post_init__(self):
        super().__post_init__()
        check_painting(self)
        self.expect(
            not (self.mask and self.style_collection), "style_collection", "none with --mask"
        )


def check_painting(options: Options) -> None:
    """Raises a `ValueError` unless options of painting, which `beam` has as well, fit together."""
    options.expect(options.tile_size % 8 == 0, "tile_size", "a multiple of 8")
    options.expect(
        options.fine_style is not None or options.num_coarse_layers is None,
        "num_coarse_layers",
        "none without --fine_style",
    )
    options.expect(
        not (options.overwrite and options.resume), "resume", "either --resume or --overwrite"
    )
    options.expect(
        bool(options.style or options.style_collection), "style", "--style or --style_collection"
    )
