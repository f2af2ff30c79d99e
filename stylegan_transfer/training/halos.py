"""The halo loss: flat ground should not know how far the next edge is."""

from keras import ops

_CELL = 4  # pixels; all is measured in means of cells, so that fine strokes do not count
_BLOCK = 24  # cells; ground is compared with ground that is not further away
_EDGE, _FLAT = 0.06, 0.01  # change of luminance a pixel
_NEAR, _FAR = 4, 7  # cells from the nearest edge
_MIN_NEAR, _MIN_FAR = 6, 25  # cells of a block


def halo_loss(stylized, content, style):
    """Returns how far flat ground differs near edges from what it is further off.

    Losses of features allow a glow around things, and Gram matrices reward it. The content says
    where edges are (luminance changes by more than .06 a pixel) and flat ground (by less than .01
    in the mean of 4x4 pixels). In blocks of 96 pixels, the stylized image's ground up to 16 pixels
    from an edge is compared with that beyond 28, in three ways: its mean luminance; the same with
    its sign turned where the content is darker than around, since an overshoot is lighter on one
    side of an edge and darker on the other; and by how much it is steeper. What is linear in the
    content's luminance does not count. `measuring.halos` measures the same of finished pictures,
    on pieces of ground that hang together.

    Args:
        stylized: `(batch, height, width, 3)` in [0, 1].
        content: Same shape.
        style: `(batch, height, width, 3)` in [0, 1]; sizes may differ.

    Returns:
        Scalar: the three differences, in standard deviations of the style's luminance, times the
        share of the image that is ground near an edge. 0 for the content itself.
    """
    photograph, painted = _luminance(content), _cells(_luminance(stylized))
    near, far, side = _find_ground(photograph)
    slopes = _slopes(painted, near + far)
    photograph = _cells(photograph)
    near, far, side, photograph, painted, slopes = (
        _blocks(values) for values in (near, far, side, photograph, painted, slopes)
    )
    rest = _without_linear(painted, photograph, near + far)
    rest = rest - _mean(rest, far)
    differences = _mean(rest, near), _mean(rest * side, near)
    steeper = ops.relu(_mean(slopes, near) - _mean(slopes, far))
    sizes = sum(_root(square) for square in (*map(ops.square, differences), 2.0 * steeper))
    counts = ops.sum(near, -1), ops.sum(far, -1)
    is_enough = ops.logical_and(counts[0] >= _MIN_NEAR, counts[1] >= _MIN_FAR)
    shares = ops.where(is_enough, counts[0] / near.shape[-1], 0.0)
    contrast = ops.sqrt(ops.var(_cells(_luminance(style)), axis=(1, 2)) + 1e-3)
    return ops.mean(shares * sizes[..., 0] / contrast[:, None])


def _luminance(images):
    weights = ops.convert_to_tensor([0.299, 0.587, 0.114], "float32")
    return ops.sum(ops.cast(images, "float32") * weights, axis=-1)


def _cells(values):
    return ops.average_pool(values[..., None], _CELL, _CELL)[..., 0]


def _find_ground(photograph):
    """Which cells of flat ground are near an edge, and which far; and the cells' sides of edges."""
    smooth = ops.average_pool(photograph[..., None], 3, 1, padding="same")[..., 0]
    down = smooth[:, 2:, 1:-1] - smooth[:, :-2, 1:-1]
    right = smooth[:, 1:-1, 2:] - smooth[:, 1:-1, :-2]
    slope = ops.pad(ops.sqrt(ops.square(down) + ops.square(right)) / 2, ((0, 0), (1, 1), (1, 1)))
    edge = ops.cast(slope > _EDGE, "float32")[..., None]
    edge = ops.max_pool(edge, _CELL, _CELL)[..., 0]
    flat = ops.cast(_cells(slope) < _FLAT, "float32") * (1.0 - edge)
    cells = _cells(photograph)
    around = ops.average_pool(cells[..., None], 2 * _NEAR + 3, 1, padding="same")[..., 0]
    return _reach(edge, _NEAR) * flat, (1.0 - _reach(edge, _FAR)) * flat, ops.sign(cells - around)


def _reach(mask, cells):
    """The mask, grown by so many cells in each direction."""
    rows = ops.max_pool(mask[..., None], (2 * cells + 1, 1), 1, padding="same")
    return ops.max_pool(rows, (1, 2 * cells + 1), 1, padding="same")[..., 0]


def _slopes(values, ground):
    """The squared steps to the right and down, where both cells are ground."""
    right = ops.square(values[:, :, 1:] - values[:, :, :-1]) * ground[:, :, 1:] * ground[:, :, :-1]
    down = ops.square(values[:, 1:] - values[:, :-1]) * ground[:, 1:] * ground[:, :-1]
    return ops.pad(right, ((0, 0), (0, 0), (0, 1))) + ops.pad(down, ((0, 0), (0, 1), (0, 0)))


def _blocks(values):
    """`(batch, blocks, cells of a block)`, without what is left at the right and below."""
    height, width = (min(_BLOCK, side) for side in values.shape[1:])
    rows, columns = values.shape[1] // height, values.shape[2] // width
    values = values[:, : rows * height, : columns * width]
    values = ops.reshape(values, (-1, rows, height, columns, width))
    return ops.reshape(ops.transpose(values, (0, 1, 3, 2, 4)), (-1, rows * columns, height * width))


def _mean(values, weights):
    total = ops.sum(weights, axis=-1, keepdims=True)
    return ops.sum(values * weights, axis=-1, keepdims=True) / (total + 1e-3)


def _without_linear(values, explained, weights):
    """What of the values in each block is not linear in the others."""
    values, explained = (part - _mean(part, weights) for part in (values, explained))
    share = _mean(explained * values, weights) / (_mean(ops.square(explained), weights) + 1e-4)
    return values - ops.stop_gradient(share) * explained


def _root(squares):
    """The root, with a finite gradient at 0."""
    return ops.sqrt(squares + 1e-6) - 1e-3
