"""Trains the small VGG19 features that ship with the package.

stylegan-transfer distill --photos=DIR --paintings=DIR --teacher=imagenet --workdir=DIR
stylegan-transfer distill --photos=DIR --paintings=DIR --student=slim --teacher=distilled ...

A network of VGG19's topology with a quarter of the channels learns to predict the teacher's
calibrated maps at relu1_1 ... relu5_1 through 1x1 convolutions, which are thrown away afterwards
(Wang et al., "Collaborative Distillation for Ultra-Resolution Universal Style Transfer",
CVPR 2020). A second term asks that distances between pictures (Gram matrices for style,
instance-normalized maps for content) are the teacher's, since distances are what the features
are for. The result, normalized to a mean activation of 1 in every layer, is written to
`WORKDIR/vgg19_distilled.npz` in half precision.

--student=slim trains the network that generators look through, on the maps of those features, and
writes `WORKDIR/vgg19_slim.npz`. It has their channels, so that its own maps are the prediction.

With --validation_photos and --validation_paintings the student is then compared with its teacher
on pictures that it did not see: `WORKDIR/validation.json`, printed as a table (extra `evaluate`).
--steps=0 with --initial_weights trains no further.
"""

import importlib.util
import json
import pathlib
from collections.abc import Sequence

from stylegan_transfer.atomic import renamed_when_done
from stylegan_transfer.commands import launch
from stylegan_transfer.commands.distillation.options import DistillOptions


def main(argv: Sequence[str]) -> int:
    """Distils as the flags say; returns the exit code."""
    distill(launch.Flags(argv, __doc__, DistillOptions).make(DistillOptions))
    return 0


def distill(options: DistillOptions) -> pathlib.Path:
    """Trains a student, validates it if there are pictures for that, and saves it.

    Returns:
        The file of the student's weights.

    Raises:
        FileNotFoundError: A source or a weights file is not there.
        ImportError: Pictures to validate with are given, and SciPy is missing.
    """
    validates = options.validation_photos is not None
    if validates and importlib.util.find_spec("scipy") is None:
        raise ImportError(
            'Expected SciPy to validate: pip install "stylegan_transfer[evaluate]". '
            "Received: no scipy"
        )
    launch.speed_up_gradients()
    import keras
    import tensorflow as tf

    from stylegan_transfer.commands.distillation import student, teachers, validation
    from stylegan_transfer.training.data import make_dataset

    sources = (options.validation_photos, options.validation_paintings) if validates else ()
    squares = [validation.load_squares(source, options.validation_size) for source in sources]
    workdir = pathlib.Path(options.workdir)
    workdir.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(options.seed)
    resize = (options.image_size, 2 * options.image_size)
    dataset = make_dataset(
        options.photos,
        options.paintings,
        batch_size=options.batch_size,
        image_size=options.image_size,
        content_resize=resize,
        style_resize=resize,
        seed=options.seed,
    )
    teacher = teachers.load_teacher(options.teacher, options.deep_teacher)
    distiller = student.Distiller(teacher, options.distance_weight, options.student)
    if options.initial_weights:
        distiller(tf.zeros((1, 32, 32, 3)))
        distiller.load_weights(options.initial_weights)
    if options.steps:
        _train(distiller, dataset, workdir, options)
    if validates:
        figures = validation.validate(distiller, *squares)
        with renamed_when_done(workdir / "validation.json") as temporary:
            temporary.write_text(json.dumps(figures, indent=1) + "\n")
        print(validation.format_table(figures))
    if options.student == "distilled":
        calibration = tf.concat([batch[0] for batch in dataset.take(8)], axis=0)
        student.normalize_activations(distiller.student, 4.0 * calibration - 2.0)
    path = workdir / f"vgg19_{options.student}.npz"
    student.save_student(distiller.student, path)
    print(f"Wrote {path}")
    return path


def _train(distiller, dataset, workdir, options):
    """Trains for `steps`, in epochs of about 500 with a checkpoint after each."""
    import keras

    schedule = keras.optimizers.schedules.CosineDecay(
        0.0,
        options.steps,
        alpha=0.01,
        warmup_target=options.learning_rate,
        warmup_steps=100,
    )
    distiller.compile(optimizer=keras.optimizers.Adam(schedule, global_clipnorm=1.0))
    epochs = max(options.steps // 500, 1)
    distiller.fit(
        dataset,
        epochs=epochs,
        steps_per_epoch=options.steps // epochs,
        shuffle=False,  # the data set does it: Keras would warn
        callbacks=[
            keras.callbacks.TensorBoard(workdir / "logs", update_freq=50),
            keras.callbacks.TerminateOnNaN(raise_error=True),
            keras.callbacks.ModelCheckpoint(
                str(workdir / "distiller.weights.h5"), save_weights_only=True
            ),
        ],
    )
