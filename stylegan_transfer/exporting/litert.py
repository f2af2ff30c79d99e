"""Generators for LiteRT (TensorFlow Lite), on phones and small machines."""

import pathlib
from collections.abc import Sequence

from stylegan_transfer.checks import expect
from stylegan_transfer.exporting.signatures import expect_tensorflow, make_signatures


def write_litert(
    generator, folder: pathlib.Path, weights: str, sizes: Sequence[tuple[int, int]]
) -> None:
    """Writes `encode_style.tflite`, for any size, and a `synthesize_HEIGHTxWIDTH.tflite` a size.

    Its convolutions take kernels and sizes that are known: hence a file for each size.

    Args:
        generator: A `StyleGenerator` or a `TransportGenerator`, whose matrices are computed by
            products alone.
        folder: Exists.
        weights: `"float32"`; `"float16"`; or `"int8"`, which computes in 8 bits, too.
        sizes: Height and width of the contents.

    Raises:
        ValueError: Keras does not run on TensorFlow, or there is no size.
    """
    expect_tensorflow("litert")
    expect(sizes, "sizes of at least one content for format='litert'", sizes=sizes)
    generator = _copy_that_multiplies(generator)
    encoder = make_signatures(generator, sizes[0])["encode_style"]
    (folder / "encode_style.tflite").write_bytes(_convert(generator, *encoder, weights))
    for height, width in sizes:
        synthesis = make_signatures(generator, (height, width))["synthesize"]
        path = folder / f"synthesize_{height}x{width}.tflite"
        path.write_bytes(_convert(generator, *synthesis, weights))


def _copy_that_multiplies(generator):
    copy = type(generator).from_config(generator.get_config())
    copy.set_weights(generator.get_weights())
    copy.exact_roots = False
    return copy


def _convert(generator, function, signature, weights):
    import tensorflow as tf

    holder = tf.Module()  # of what is frozen into the file
    holder.weights = [weight.value for weight in generator.variables]
    concrete = tf.function(function, signature, autograph=False).get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], holder)
    if weights != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if weights == "float16":
        converter.target_spec.supported_types = [tf.float16]
    return converter.convert()
