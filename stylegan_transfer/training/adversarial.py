"""The losses of the discriminator in a training step."""

from keras import ops

from stylegan_transfer import losses
from stylegan_transfer.training.replicas import gather, own_part


def discriminator_losses(
    discriminator, real, fake, style, paintings, *, kind="hinge", mismatch_share=None
):
    """Returns the discriminator's loss, and its logs by name.

    Args:
        discriminator: Model with `encode` and `judge`, as `StyleDiscriminator` has them.
        real: Other crops of the style images' paintings.
        fake: Stylized images.
        style: Style images.
        paintings: Numbers of the paintings `(batch,)`; None: all are different ones.
        kind: `"hinge"` or `"cross_entropy"`.
        mismatch_share: Share of the loss that a painting with another one's style has; none where
            the batch holds a single painting. None for a discriminator without a condition.

    Returns:
        `(loss, logs)`: the shares of patches that were judged right.
    """
    maps = discriminator.encode(ops.concatenate([real, fake, style]), training=True)
    real_maps, fake_maps, style_maps = ops.split(maps, 3)
    real_logits = discriminator.judge(real_maps, style_maps, training=True)
    fake_logits = discriminator.judge(fake_maps, style_maps)
    loss = losses.discriminator_loss(real_logits, fake_logits, kind)
    logs = {
        "discriminator_real_accuracy": _share(real_logits > 0),
        "discriminator_fake_accuracy": _share(fake_logits < 0),
    }
    if mismatch_share is None:
        return loss, logs
    all_style_maps = gather(style_maps)
    paintings = None if paintings is None else gather(paintings)
    other, exists = _other_paintings(paintings, ops.shape(all_style_maps)[0])
    other_maps = ops.take(all_style_maps, own_part(other), axis=0)
    mismatch_logits = discriminator.judge(real_maps, other_maps)
    mismatch_loss = losses.discriminator_loss(real_logits, mismatch_logits, kind)
    share = ops.where(exists, mismatch_share, 0.0)
    logs["discriminator_mismatch_accuracy"] = _share((mismatch_logits < 0) & exists)
    return (1.0 - share) * loss + share * mismatch_loss, logs


def _other_paintings(paintings, batch):
    """For each sample the nearest one before it, cyclically, that has another painting.

    Returns the indices, and whether there are two paintings in the batch at all.
    """
    indices = ops.arange(batch)
    paintings = indices if paintings is None else paintings
    before = (indices[:, None] - indices[None] - 1) % batch  # the one before, the next before, ...
    differs = ops.take(paintings, before, axis=0) != paintings[:, None]
    nearest = ops.argmax(differs, axis=1)[:, None]
    return ops.take_along_axis(before, nearest, axis=1)[:, 0], ops.any(differs)


def _share(condition):
    return ops.mean(ops.cast(condition, "float32"))
