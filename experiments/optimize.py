"""Paints one picture in the style of one or several others by optimizing its pixels.

python experiments/optimize.py --content=photo.jpg --style=painting.jpg --output=out.png
python experiments/optimize.py --content=photo.jpg --style=a.jpg:2 --style=b.jpg:1 --output=out.png
"""

import pathlib

import launch
import stylize_plan
from absl import flags
from tqdm import tqdm

from stylegan_transfer.pictures.files import SAVE_FORMATS, load_image, save_image

FLAGS = flags.FLAGS
flags.DEFINE_string("content", None, "Picture.", required=True)
flags.DEFINE_multi_string(
    "style", None, "Picture, PATH or PATH:WEIGHT; repeatable: a mixture.", required=True
)
flags.DEFINE_string("output", None, "File to write.", required=True)
flags.DEFINE_boolean("overwrite", False, "Whether existing files may be replaced.")
flags.DEFINE_list(
    "features",
    ["distilled"],
    'Weights of the features: "distilled", "imagenet" or a path; of several, each layer comes '
    "from the first that holds it.",
)
flags.register_validator("features", bool, "Expected at least one.")
flags.DEFINE_integer("size", 512, "Short side of the result in pixels.", 32)
flags.DEFINE_integer("steps", 500, "Steps in all.", 1)
flags.DEFINE_enum("optimizer", "adam", ["adam", "lbfgs"], "lbfgs needs SciPy.")
flags.DEFINE_float("strength", 1.0, "From 0, the photograph, to 1, the full style.", 0.0, 1.0)
flags.DEFINE_float(
    "style_weight",
    35.0,
    "Weight of the Gram and of the moments loss; the content's is 1. With the training's, 3.5, "
    "pictures are finely grained photographs.",
    0.0,
)
flags.DEFINE_float("total_variation_weight", 0.3, "Weight of the total variation: smoothness.", 0.0)
flags.DEFINE_boolean("original_colors", False, "Whether to keep the colours of the content.")
flags.DEFINE_enum("initial", "content", ["content", "noise"], "Where to start.")
flags.DEFINE_integer("seed", 0, "Seed of the noise.", 0)
flags.DEFINE_integer(
    "save_every", 0, "Steps between intermediate pictures, OUTPUT_step00100.png; 0: none.", 0
)


def main():
    """Optimizes as the flags say."""
    output = pathlib.Path(FLAGS.output)
    steps = range(FLAGS.save_every, FLAGS.steps + 1, FLAGS.save_every) if FLAGS.save_every else ()
    intermediate = {step: output.with_stem(f"{output.stem}_step{step:05d}") for step in steps}
    _check_outputs([output, *intermediate.values()])
    content = load_image(FLAGS.content)
    weighted = [stylize_plan.split_weight(source) for source in FLAGS.style]
    styles = [load_image(path) for path, _ in weighted]

    from stylegan_transfer.networks.features import build_features
    from stylegan_transfer.stylizing.optimize import CONTENT_LAYERS, STYLE_LAYERS, optimize

    with tqdm(total=FLAGS.steps, unit="step") as progress:

        def on_step(step, loss, losses, image):
            progress.set_postfix(loss=f"{loss:.4f}", size=min(image.shape[:2]))
            progress.update()
            if step in intermediate:
                save_image(image, intermediate[step])

        picture = optimize(
            content,
            styles,
            build_features(FLAGS.features, (*CONTENT_LAYERS, *STYLE_LAYERS)),
            strength=FLAGS.strength,
            style_weights=[1.0 if weight is None else weight for _, weight in weighted],
            image_size=FLAGS.size,
            num_steps=FLAGS.steps,
            optimizer=FLAGS.optimizer,
            style_weight=FLAGS.style_weight,
            moments_weight=FLAGS.style_weight,
            total_variation_weight=FLAGS.total_variation_weight,
            original_colors=FLAGS.original_colors,
            initial=FLAGS.initial,
            seed=FLAGS.seed,
            on_step=on_step,
        )
    save_image(picture, output)
    print(f"Wrote {output}")


def _check_outputs(paths):
    if paths[0].suffix.lower() not in SAVE_FORMATS:
        raise ValueError(
            f"Expected --output that ends in one of {', '.join(SAVE_FORMATS)}. "
            f"Received: --output={paths[0]}"
        )
    for path in paths:
        if path.exists() and not FLAGS.overwrite:
            raise FileExistsError(f"Expected a new file, or --overwrite. Received: {path} exists")


if __name__ == "__main__":
    launch.run(main)
