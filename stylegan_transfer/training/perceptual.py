"""The losses of a training step that need no discriminator."""

import keras
from keras import ops

from stylegan_transfer import losses
from stylegan_transfer.training.halos import halo_loss


def perceptual_losses(
    features,
    painted,
    content,
    style,
    *,
    content_layers,
    style_layers,
    feature_scales=(1,),
    per_sample_normalization=True,
    num_identity=0,
):
    """Returns the unweighted losses by name; those of features are means over the feature scales.

    Args:
        features: Feature extractor, images -> dict of maps by layer.
        painted: Stylized images, followed by the repainted identity images.
        content: Content images.
        style: Style images.
        content_layers: Layers of the content loss.
        style_layers: Layers of the Gram and the moments loss.
        feature_scales: Factors by which images are reduced before the features see them.
        per_sample_normalization: As `per_sample` of `losses.style_loss`.
        num_identity: Identity images of each kind; 0: no identity loss.
    """

    def at_scale(scale):
        images = [_reduce(part, scale) for part in (painted, content, style)]
        stylized, repainted, content_maps, style_maps = _maps(features, *images)
        style_pair = [{name: m[name] for name in style_layers} for m in (stylized, style_maps)]
        terms = {
            "content_loss": losses.content_loss(
                {name: stylized[name] for name in content_layers},
                {name: content_maps[name] for name in content_layers},
            ),
            "style_loss": losses.style_loss(*style_pair, per_sample_normalization),
            "moments_loss": losses.moments_loss(*style_pair, per_sample_normalization),
        }
        if num_identity:
            terms["identity_loss"] = losses.identity_loss(
                images[0][ops.shape(content)[0] :],
                identity_images(*images[1:], num_identity),
                repainted,
                {
                    name: identity_images(content_maps[name], style_maps[name], num_identity)
                    for name in content_maps
                },
            )
        return terms

    scales = [at_scale(scale) for scale in feature_scales]
    means = {name: sum(terms[name] for terms in scales) / len(scales) for name in scales[0]}
    stylized = painted[: ops.shape(content)[0]]
    return {
        **means,
        "halo_loss": halo_loss(stylized, content, style),
        "total_variation_loss": losses.total_variation_loss(stylized),
    }


def identity_images(content, style, num_identity):
    """Returns the first images (or their maps) of each kind: those to be painted as themselves."""
    return ops.concatenate([content[:num_identity], style[:num_identity]])


def _maps(features, painted, content, style):
    """The maps of the stylized, the repainted, the content and the style images."""
    batch = ops.shape(content)[0]
    targets = features(ops.concatenate([content, style]))
    return (*_split(features(painted), batch), *_split(targets, batch))


def _split(maps, batch):
    """The maps of the first `batch` images and those of the others."""
    parts = {name: _split_map(m, batch) for name, m in maps.items()}
    return {name: p[0] for name, p in parts.items()}, {name: p[1] for name, p in parts.items()}


def _split_map(maps, batch):
    if keras.backend.backend() != "tensorflow":
        return maps[:batch], maps[batch:]
    import tensorflow as tf

    # There gradients of slices are written into zeros of the whole size: a fifth of the step.
    return tf.split(maps, [batch, -1])


def _reduce(images, scale):
    return images if scale == 1 else ops.average_pool(images, scale, scale)
