"""What all readers of training pictures agree on: random streams, ranges, bounds."""

from stylegan_transfer.checks import expect, is_number, is_whole

# The first random stream of each source orders its pictures, the second one augments them.
CONTENT, STYLE = 0, 1
AUGMENTATION = 2

NUM_DRAWS = 6  # random numbers of an example: for its crops 0 to 3, for its colours 4 and 5
MAX_HUE_TURN = 0.05
MAX_SATURATION_CHANGE = 0.3


def check_batches(
    batch_size, image_size, seed, start_step, content_resize, style_resize, style_augmentation
) -> tuple[tuple, tuple]:
    """Returns both ranges of sizes, by default from `image_size` to twice that.

    Raises:
        ValueError: An argument of `make_dataset` is out of its range.
    """
    expect(is_whole(batch_size, 1), "batch_size of at least 1", batch_size=batch_size)
    expect(is_whole(image_size, 1), "image_size of at least 1", image_size=image_size)
    expect(is_whole(seed, 0, 2**62), "seed of at least 0", seed=seed)
    expect(is_whole(start_step, 0, 2**40), "start_step of at least 0", start_step=start_step)
    content_resize = content_resize or (image_size, 2 * image_size)
    style_resize = style_resize or (image_size, 2 * image_size)
    _check_resize("content_resize", content_resize, image_size)
    _check_resize("style_resize", style_resize, image_size)
    fits = style_augmentation is True or is_number(style_augmentation, 0, 1)
    expect(fits, "a style_augmentation from 0 to 1", style_augmentation=style_augmentation)
    return content_resize, style_resize


def _check_resize(name, resize, image_size):
    is_pair = isinstance(resize, (tuple, list)) and len(resize) == 2 and all(map(is_number, resize))
    fits = is_pair and image_size <= resize[0] <= resize[1]
    expect(fits, f"{name}=(low, high) with {image_size=} <= low <= high", **{name: resize})
