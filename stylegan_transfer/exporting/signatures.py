"""The halves of a generator as TensorFlow functions of named tensors."""

import keras

from stylegan_transfer.checks import expect


def expect_tensorflow(format: str) -> None:
    """Raises a `ValueError` unless Keras runs on TensorFlow, of which the format is one."""
    backend = keras.backend.backend()
    takes = f"Keras' backend to be tensorflow for format={format!r}"
    expect(backend == "tensorflow", takes, backend=backend)


def make_signatures(generator, size: tuple | None = None) -> dict:
    """Returns functions and the signatures of their inputs, by name.

    Args:
        generator: A `StyleGenerator` or a `TransportGenerator`.
        size: Height and width of the content, for one picture. Default: any, and any batch.

    Returns:
        `{name: (function, signature)}`:
        - `encode_style`: `style` -> `code`, for any size;
        - `synthesize`: `content`, `codes` `(batch, layers, length)` and, for each stride,
          `noise_8` `(batch, layers of that stride, rows, columns)` -> `stylized`;
        - `synthesize_with_masks`, without a size: the same with `masks` `(batch, styles, height,
          width)`, and styles as the second axis of `codes`.
    """
    strides = sorted(set(generator.strides))
    layers = (generator.num_layers, generator.length_of_codes)
    batch, height, width = (None, None, None) if size is None else (1, *size)
    noise = [
        _spec(f"noise_{s}", batch, generator.strides.count(s), *_rows(size, s, max(strides)))
        for s in strides
    ]
    content = _spec("content", batch, height, width, 3)

    def encode_style(style):
        return {"code": generator.encode_style(style)}

    def synthesize(content, codes, *noise):
        noise = _spread(generator.strides, noise)
        return {"stylized": generator.synthesize(content, codes, noise=noise)}

    def synthesize_with_masks(content, codes, masks, *noise):
        noise = _spread(generator.strides, noise)
        return {"stylized": generator.synthesize(content, codes, masks=masks, noise=noise)}

    signatures = {
        "encode_style": (encode_style, [_spec("style", batch, None, None, 3)]),
        "synthesize": (synthesize, [content, _spec("codes", batch, *layers), *noise]),
    }
    if size is None:
        masks = [_spec("codes", None, None, *layers), _spec("masks", None, None, None, None)]
        signatures["synthesize_with_masks"] = synthesize_with_masks, [content, *masks, *noise]
    return signatures


def _spec(name, *shape):
    import tensorflow as tf

    return tf.TensorSpec(shape, "float32", name)


def _rows(size, stride, multiple):
    """Height and width of noise for a stride."""
    if size is None:
        return None, None
    return [-(-side // multiple) * multiple // stride for side in size]


def _spread(strides, noise):
    """Noise of each stride as the list of each layer's."""
    maps, taken = dict(zip(sorted(set(strides)), noise, strict=True)), dict.fromkeys(strides, 0)
    layers = []
    for stride in strides:
        layers.append(maps[stride][:, taken[stride], :, :, None])
        taken[stride] += 1
    return layers
