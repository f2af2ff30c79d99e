"""Paints one picture in the style of one or several others by optimizing its pixels.

stylegan-transfer optimize --content=photo.jpg --style=painting.jpg --output=out.png
stylegan-transfer optimize --content=photo.jpg --style=a.jpg:2 --style=b.jpg:1 --output=out.png
"""

import dataclasses
import os
import pathlib
from collections.abc import Sequence

from stylegan_transfer.atomic import check_place
from stylegan_transfer.commands import launch
from stylegan_transfer.commands.pairs import split_weight
from stylegan_transfer.options import Options, option
from stylegan_transfer.pictures.files import SAVE_FORMATS, load_image, save_image


@dataclasses.dataclass(frozen=True)
class OptimizeOptions(Options):
    """What is painted in which styles, how, and where it goes."""

    content: str = option(description="Picture.", not_empty=True)
    style: tuple[str, ...] = option(
        description="Picture, PATH or PATH:WEIGHT; several are a mixture.",
        not_empty=True,
        repeatable=True,
    )
    output: str = option(description="File to write.", not_empty=True)
    overwrite: bool = option(False, description="Replace files that exist.")
    features: tuple[str, ...] = option(
        ("distilled",),
        description='Weights of the features: "distilled", "imagenet" or a path; of several, '
        "each layer comes from the first that holds it.",
        not_empty=True,
    )
    size: int = option(
        512, description="Short side of the result in pixels.", minimum=32, maximum=8_192
    )
    steps: int = option(500, description="Steps in all.", minimum=1, maximum=1_000_000)
    optimizer: str = option("adam", description="lbfgs needs SciPy.", choices=("adam", "lbfgs"))
    strength: float = option(
        1.0, description="From 0, the photograph, to 1, the full style.", minimum=0, maximum=1
    )
    style_weight: float = option(
        35.0,
        description="Weight of the Gram and of the moments loss; the content's is 1. With the "
        "training's, 3.5, pictures are finely grained photographs.",
        minimum=0,
        maximum=1e6,
    )
    total_variation_weight: float = option(
        0.3, description="Weight of the total variation: smoothness.", minimum=0, maximum=1e6
    )
    original_colors: bool = option(False, description="Whether to keep the colours of the content.")
    initial: str = option("content", description="Where to start.", choices=("content", "noise"))
    seed: int = option(0, description="Of the noise.", minimum=0, maximum=1_000_000_000)
    save_every: int = option(
        0,
        description="Steps between intermediate pictures, OUTPUT_step00100.png; 0: none.",
        minimum=0,
        maximum=1_000_000,
    )

    def __post_init__(self):
        super().__post_init__()
        fits = pathlib.Path(self.output).suffix.lower() in SAVE_FORMATS
        self.expect(fits, "output", f"a file that ends in one of {', '.join(SAVE_FORMATS)}")


def main(argv: Sequence[str]) -> int:
    """Optimizes as the flags say; returns the exit code."""
    optimize_file(launch.Flags(argv, __doc__, OptimizeOptions).make(OptimizeOptions))
    return 0


def optimize_file(options: OptimizeOptions) -> None:
    """Paints the content and writes the result, and intermediate ones if they are asked for.

    Raises:
        FileExistsError: One of these files exists and may not be replaced.
        FileNotFoundError: A picture or weights do not exist.
        ImportError: SciPy is needed and missing.
        ValueError: A picture cannot be read.
    """
    output = pathlib.Path(options.output)
    every = options.save_every
    steps = range(every, options.steps + 1, every) if every else ()
    intermediate = {step: output.with_stem(f"{output.stem}_step{step:05d}") for step in steps}
    for path in (output, *intermediate.values()):
        if os.path.lexists(path) and not options.overwrite:
            raise FileExistsError(f"Expected a new file, or --overwrite. Received: {path} exists")
        check_place(path)
    launch.speed_up_gradients()
    content = load_image(options.content)
    weighted = [split_weight(source) for source in options.style]
    styles = [load_image(path) for path, _ in weighted]

    from tqdm import tqdm

    from stylegan_transfer.networks.features import build_features
    from stylegan_transfer.stylizing.optimize import CONTENT_LAYERS, STYLE_LAYERS, optimize

    with tqdm(total=options.steps, unit="step") as progress:

        def on_step(step, loss, losses, image):
            progress.set_postfix(loss=f"{loss:.4f}", size=min(image.shape[:2]))
            progress.update()
            if step in intermediate:
                save_image(image, intermediate[step])

        picture = optimize(
            content,
            styles,
            build_features(options.features, (*CONTENT_LAYERS, *STYLE_LAYERS)),
            strength=options.strength,
            style_weights=[1.0 if weight is None else weight for _, weight in weighted],
            image_size=options.size,
            num_steps=options.steps,
            optimizer=options.optimizer,
            style_weight=options.style_weight,
            moments_weight=options.style_weight,
            total_variation_weight=options.total_variation_weight,
            original_colors=options.original_colors,
            initial=options.initial,
            seed=options.seed,
            on_step=on_step,
        )
    save_image(picture, output)
    print(f"Wrote {output}")
