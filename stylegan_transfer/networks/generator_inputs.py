"""What all generators do with their inputs: images, style codes, masks and noise.

Every generator has this interface:

- `noise`: whether it is trained with noise;
- `encode_style(style)` -> style codes;
- `draw_noise(batch, height, width, seed)` -> noise for images of that size;
- `synthesize(content, codes, noise)` -> stylized images of the content's size;
- `generator([content, style])`, all of it in one call: with new noise for each image in training,
  with that of seed 0 otherwise.

Images are float32 RGB in [0, 1], `(batch, height, width, 3)`, with sides of at least 32 pixels.
"""

import numbers

import keras
from keras import ops

from stylegan_transfer.checks import expect, is_whole
from stylegan_transfer.networks import layers
from stylegan_transfer.networks.compiling import compile_for_all_sizes

MIN_SIZE = 32


def check_architecture(width, num_blocks, code_size, seed):
    """Raises a `ValueError` unless these are arguments of a network that fits a computer."""
    expect(is_whole(width, 1, 1_024), "width of 1 to 1024", width=width)
    expect(is_whole(num_blocks, 0, 100), "num_blocks of 0 to 100", num_blocks=num_blocks)
    expect(is_whole(code_size, 1, 65_536), "code_size of 1 to 65536", code_size=code_size)
    expect(is_whole(seed, 0, 2**31), "seed of at least 0", seed=seed)


def check_images(name, images):
    """Returns the images as they are.

    Args:
        name: What the images are, for the message.
        images: Should be `(batch, height, width, 3)`, with sides of at least 32 pixels; sides may
            be unknown.

    Raises:
        ValueError: They are not.
    """
    shape = tuple(images.shape)
    expect(
        len(shape) == 4 and shape[-1] == 3 and not any(s and s < MIN_SIZE for s in shape[1:3]),
        f"{name} images of shape (batch, height, width, 3) with sides of at least {MIN_SIZE} "
        "pixels",
        shape=shape,
    )
    return images


def check_codes(codes, masks, num_layers, code_size):
    """Checks the shape of style codes.

    Args:
        codes: Should be `(batch, code_size)` or `(batch, num_layers, code_size)`; with masks, one
            more axis `styles` after `batch`.
        masks: The masks, or None.
        num_layers: How many layers the generator's codes modulate.
        code_size: Length of one code.

    Raises:
        ValueError: The codes have another shape.
    """
    shape = tuple(codes.shape)
    middle = shape[1:-1] if masks is None else shape[2:-1]
    num_axes = len(shape) - len(middle)
    fits = num_axes == (2 if masks is None else 3) and middle in ((), (num_layers,))
    styles = "" if masks is None else "styles, "
    expect(
        fits and shape[-1] == code_size,
        f"codes of shape (batch, {styles}{code_size}) or "
        f"(batch, {styles}{num_layers}, {code_size})",
        shape=shape,
    )


def code_of_layer(codes, i, masks):
    """Returns the part of the codes that modulates layer `i`, `(batch, [styles,] code_size)`.

    Args:
        codes: `(batch, code_size)` or `(batch, num_layers, code_size)`; with masks, one more axis
            `styles` after `batch`.
        i: Index of the layer.
        masks: The masks, or None.
    """
    per_layer = len(codes.shape) == (3 if masks is None else 4)
    return codes[..., i, :] if per_layer else codes


def reduce_masks(masks, stride, multiple=8):
    """Returns the masks that fit a layer's maps of padded images, None for None.

    Args:
        masks: `(batch, styles, height, width)`, or None.
        stride: How many pixels of the image a position of the layer stands for.
        multiple: What the sides of images are padded to a multiple of.
    """
    if masks is None:
        return None
    channels_last = ops.transpose(ops.cast(masks, "float32"), (0, 2, 3, 1))
    channels_last = layers.pad_to_multiple(channels_last, multiple)
    # Under JAX, Keras 3.15 takes no single number for the strides that it sets itself.
    reduced = ops.average_pool(channels_last, stride, stride, data_format="channels_last")
    return ops.transpose(reduced, (0, 3, 1, 2))


def draw_noise(batch, height, width, strides, seed):
    """Returns standard normal noise, one map `(batch, rows, columns, 1)` for each layer.

    Args:
        batch: Number of images.
        height: Of the images, before they are padded to a multiple of the largest stride.
        width: Likewise.
        strides: How many pixels of the image a position of each layer stands for.
        seed: An integer, from which each layer gets a seed of its own, or a
            `keras.random.SeedGenerator`.
    """
    rows, columns = (side + layers.padding_of(side, max(strides)) for side in (height, width))
    is_integer = isinstance(seed, numbers.Integral)  # NumPy's integers are
    seeds = [1000 * int(seed) + i if is_integer else seed for i in range(len(strides))]
    return [
        keras.random.normal((batch, rows // stride, columns // stride, 1), seed=layer_seed)
        for stride, layer_seed in zip(strides, seeds, strict=True)
    ]


def noise_of_call(generator, content, training):
    """Returns the noise of a call: new for each image in training, else always the same one.

    Args:
        generator: The generator.
        content: `(batch, height, width, 3)`.
        training: Whether the call belongs to training.

    Returns:
        What the generator's `draw_noise` gives; None for a generator without noise.
    """
    batch, height, width, _ = ops.shape(content)
    if not generator.noise:
        return None
    if training:
        return generator.draw_noise(batch, height, width, generator.noise_seed)
    return generator.draw_noise(1, height, width, seed=0)


def build_weights(generator):
    """Creates all weights, so that a new generator can be inspected, copied and loaded at once."""
    generator.compiled_synthesize = compile_for_all_sizes(generator.synthesize)
    image = ops.zeros((1, MIN_SIZE, MIN_SIZE, 3))
    generator.built = True  # by the call itself: Keras would trace it in symbols before
    generator([image, image])
