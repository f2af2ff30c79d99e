"""Training steps to be timed: ours, ours with the discriminator, and a plain one."""

import functools

from stylegan_transfer.commands.benchmarking.arithmetic import count_operations
from stylegan_transfer.training.config import TrainingConfig


def make_steps(config: TrainingConfig, batch) -> tuple[dict, dict]:
    """Returns training steps on a batch as functions, by name, and their operations."""
    import tensorflow as tf

    from stylegan_transfer.training.run import build_model

    ours, plain = build_model(config), build_model(config)

    def trace():
        step = tf.function(ours.train_step, autograph=False)  # as `fit` does
        return step.get_concrete_function(batch)

    graphs = {"ours": trace()}
    if config.adversarial_weight:
        ours.start_adversarial()
        graphs["ours, with discriminator"] = trace()
    operations = {name: count_operations(graph) for name, graph in graphs.items()}
    steps = {name: functools.partial(graph, batch) for name, graph in graphs.items()}
    steps["plain"] = functools.partial(plain_step, plain, batch)
    return steps, {**operations, "plain": operations["ours"]}


def plain_step(model, batch) -> None:
    """Takes the step of `StyleTransferGAN` without the discriminator as one would first write it:
    one tape, a pass for every kind of image, nothing compiled."""
    import tensorflow as tf
    from keras import ops

    content, style = batch[0], batch[1][:, 0]
    own = ops.concatenate([content[: model.num_identity], style[: model.num_identity]])
    with tf.GradientTape() as tape:
        stylized = model.generator([content, style], training=True)
        repainted = model.generator([own, own], training=True)
        loss = _plain_loss(model, stylized, repainted, content, style, own)
    variables = model.generator.trainable_variables
    gradients = tape.gradient(
        loss, [v.value for v in variables], unconnected_gradients=tf.UnconnectedGradients.ZERO
    )
    model.optimizer.apply(gradients, variables)
    averages = model.ema_generator.variables
    for average, weight in zip(averages, model.generator.variables, strict=True):
        average.assign(model.ema_decay * average + (1 - model.ema_decay) * weight)


def _plain_loss(model, stylized, *others):
    """The weighted sum of all losses, each the mean over the scales."""
    from keras import ops

    from stylegan_transfer import losses

    images = stylized, *others
    loss = model.loss_weights["total_variation_loss"] * losses.total_variation_loss(stylized)
    for scale in model.feature_scales:
        reduced = [i if scale == 1 else ops.average_pool(i, scale, scale) for i in images]
        stylized, repainted, content, style, own = (model.features(image) for image in reduced)
        content_pair = [{n: m[n] for n in model.content_layers} for m in (stylized, content)]
        style_pair = [{n: m[n] for n in model.style_layers} for m in (stylized, style)]
        terms = {
            "content_loss": losses.content_loss(*content_pair),
            "style_loss": losses.style_loss(*style_pair),
            "moments_loss": losses.moments_loss(*style_pair),
            "identity_loss": losses.identity_loss(reduced[1], reduced[4], repainted, own),
        }
        share = 1 / len(model.feature_scales)
        loss += share * sum(model.loss_weights[name] * term for name, term in terms.items())
    return loss
