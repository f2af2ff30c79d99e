"""Training steps to be timed: ours and a plain one, their operations, and the machine's rate."""

import functools
import math
import time

from stylegan_transfer.training.config import TrainingConfig

MATRIX_SIZES = (512, 1024, 2048)


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

    from stylegan_transfer import losses

    content, style = batch[0], batch[1][:, 0]
    own = ops.concatenate([content[: model.num_identity], style[: model.num_identity]])
    content_maps, style_maps, own_maps = map(model.features, (content, style, own))
    with tf.GradientTape() as tape:
        stylized = model.generator([content, style], training=True)
        repainted = model.generator([own, own], training=True)
        maps, repainted_maps = map(model.features, (stylized, repainted))
        content_pair = [{n: m[n] for n in model.content_layers} for m in (maps, content_maps)]
        style_pair = [{n: m[n] for n in model.style_layers} for m in (maps, style_maps)]
        terms = {
            "content_loss": losses.content_loss(*content_pair),
            "style_loss": losses.style_loss(*style_pair),
            "moments_loss": losses.moments_loss(*style_pair),
            "identity_loss": losses.identity_loss(repainted, own, repainted_maps, own_maps),
            "total_variation_loss": losses.total_variation_loss(stylized),
        }
        loss = sum(model.loss_weights[name] * term for name, term in terms.items())
    variables = model.generator.trainable_variables
    gradients = tape.gradient(
        loss, [v.value for v in variables], unconnected_gradients=tf.UnconnectedGradients.ZERO
    )
    model.optimizer.apply(gradients, variables)
    averages = model.ema_generator.variables
    for average, weight in zip(averages, model.generator.variables, strict=True):
        average.assign(model.ema_decay * average + (1 - model.ema_decay) * weight)


def count_operations(function) -> int:
    """Returns the floating-point operations of a concrete function's convolutions and matrix
    products, those of gradients included: two for each multiply-add.

    Only what the results and side effects depend on counts: the gradients of frozen weights are in
    the graph, but never run.
    """
    graph = function.graph
    reached, pending = set(), [*(output.op for output in graph.outputs), *graph.control_outputs]
    while pending:
        op = pending.pop()
        if op not in reached:
            reached.add(op)
            pending += [tensor.op for tensor in op.inputs]
    return sum(map(_operations, reached))


def _operations(op):
    if op.type in ("MatMul", "BatchMatMulV2"):
        transposed = op.get_attr("transpose_a" if op.type == "MatMul" else "adj_x")
        return 2 * op.outputs[0].shape.num_elements() * op.inputs[0].shape[-2 if transposed else -1]
    if op.type == "Conv2D":
        maps, kernel = op.outputs[0], op.inputs[1]
    elif op.type == "Conv2DBackpropInput":
        maps, kernel = op.inputs[2], op.inputs[1]
    elif op.type == "Conv2DBackpropFilter":
        maps, kernel = op.inputs[2], op.outputs[0]
    else:
        return 0
    return 2 * maps.shape.num_elements() * math.prod(kernel.shape[:3])


def multiplication_rate() -> float:
    """Returns the most floating-point operations a second that products of float32 matrices
    reach, over a few sizes."""
    import tensorflow as tf

    rates = []
    for size in MATRIX_SIZES:
        matrix = tf.random.uniform((size, size))
        rates.append(
            2 * size**3 / time_function(functools.partial(tf.linalg.matmul, matrix, matrix))
        )
    return max(rates)


def time_function(function) -> float:
    """Returns how long a call takes in seconds, with all that it leaves to the device."""
    import tensorflow as tf

    tf.test.experimental.sync_devices()
    started = time.perf_counter()
    function()
    tf.test.experimental.sync_devices()
    return time.perf_counter() - started
