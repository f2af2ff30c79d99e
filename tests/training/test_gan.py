"""The training step against independent answers, with toy networks."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from toy_networks import ToyDiscriminator, toy_features, toy_generator

from stylegan_transfer import losses
from stylegan_transfer.networks.discriminator import StyleDiscriminator
from stylegan_transfer.networks.generator import StyleGenerator
from stylegan_transfer.training import perceptual
from stylegan_transfer.training.config import TrainingConfig
from stylegan_transfer.training.gan import StyleTransferGAN
from stylegan_transfer.training.halos import halo_loss

BATCH, SIZE = 3, 16
TERMS = (
    *("content_loss", "style_loss", "moments_loss", "identity_loss"),
    *("halo_loss", "total_variation_loss"),
)
WEIGHTS = {
    "content_weight": 1.5,
    "style_weight": 0.3,
    "moments_weight": 0.7,
    "identity_weight": 2.0,
    "halo_weight": 50.0,
    "total_variation_weight": 0.4,
}


class PictureGenerator(keras.Model):
    """Its weights are the pictures it paints: their gradient is the gradient at the image."""

    def __init__(self, num_images=BATCH):
        super().__init__()
        self.num_images = num_images
        self.images = self.add_weight(
            shape=(num_images, SIZE, SIZE, 3),
            initializer=keras.initializers.RandomUniform(0.2, 0.8, seed=4),
        )
        self.built = True

    def call(self, inputs):
        return 1.0 * self.images

    def get_config(self):
        return {"num_images": self.num_images}


def make_model(
    generator=None,
    discriminator=None,
    features=None,
    generator_optimizer=None,
    discriminator_optimizer=None,
    compile_arguments=(),
    **kwargs,
):
    model = StyleTransferGAN(
        generator or toy_generator(),
        discriminator,
        features or toy_features(),
        **{
            "content_layers": ("relu2_1",),
            "style_layers": ("relu1_1", "relu2_1"),
            "feature_scales": (1,),
            **WEIGHTS,
            **kwargs,
        },
    )
    model.compile(
        generator_optimizer or keras.optimizers.SGD(0.1),
        discriminator_optimizer or keras.optimizers.SGD(0.1),
        **{"run_eagerly": True, **dict(compile_arguments)},
    )
    return model


def make_batch(seed=0, batch=BATCH, size=SIZE):
    rng = np.random.default_rng(seed)
    contents = rng.uniform(size=(batch, size, size, 3)).astype("float32")
    styles = rng.uniform(size=(batch, 2, size, size, 3)) * rng.uniform(size=(batch, 1, 1, 1, 3))
    return contents, styles.astype("float32")


def make_dataset(num_batches):
    batches = [make_batch(seed) for seed in range(num_batches)]
    contents, styles = (np.concatenate(part) for part in zip(*batches, strict=True))
    return tf.data.Dataset.from_tensor_slices((contents, styles)).batch(BATCH)


def step(model, batch):
    return model.train_on_batch(*batch, return_dict=True)


def expected_terms(generator, features, contents, styles, num_identity=1):
    """The losses of every network call made on its own."""
    style = styles[:, 0]
    painted = generator([contents, style])
    own = np.concatenate([contents[:num_identity], style[:num_identity]])
    repainted = generator([own, own])

    def maps(images, *names):
        return {name: features(images)[name] for name in names}

    both = ("relu1_1", "relu2_1")
    return {
        "content_loss": losses.content_loss(maps(painted, "relu2_1"), maps(contents, "relu2_1")),
        "style_loss": losses.style_loss(maps(painted, *both), maps(style, *both)),
        "moments_loss": losses.moments_loss(maps(painted, *both), maps(style, *both)),
        "identity_loss": losses.identity_loss(
            repainted, own, maps(repainted, *both), maps(own, *both)
        ),
        "halo_loss": halo_loss(painted, contents, style),
        "total_variation_loss": losses.total_variation_loss(painted),
    }


def assert_all_close(actual, expected, **tolerance):
    for a, e in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a, e, **tolerance)


def test_step_reports_every_term_unweighted_and_before_the_update():
    model, batch = make_model(), make_batch()
    expected = expected_terms(model.generator, model.features, *batch)
    logs = step(model, batch)
    assert {name: logs[name] for name in TERMS} == pytest.approx(
        {name: float(value) for name, value in expected.items()}, rel=1e-4
    )


def test_loss_is_the_weighted_sum_of_the_terms():
    logs = step(make_model(), make_batch())
    weights = (WEIGHTS[name.replace("loss", "weight")] for name in TERMS)
    expected = sum(w * logs[name] for w, name in zip(weights, TERMS, strict=True))
    assert logs["loss"] == pytest.approx(expected, rel=1e-5)


def test_losses_are_the_mean_over_the_feature_scales():
    contents, styles = make_batch()

    def reduced(images):
        return images.reshape(*images.shape[:-3], SIZE // 2, 2, SIZE // 2, 2, 3).mean((-4, -2))

    model = make_model(PictureGenerator(BATCH), feature_scales=(1, 2), identity_weight=0.0)
    painted = model.generator.images.numpy()
    logs = step(model, (contents, styles))
    expected = []
    for scale in (np.asarray, reduced):
        maps = {k: model.features(scale(v)) for k, v in (("p", painted), ("s", styles[:, 0]))}
        expected.append(float(losses.style_loss(maps["p"], maps["s"])))
    assert logs["style_loss"] == pytest.approx(np.mean(expected), rel=1e-4)
    assert expected[0] != pytest.approx(expected[1], rel=0.01)
    total_variation = float(losses.total_variation_loss(painted))  # of the whole images alone
    assert logs["total_variation_loss"] == pytest.approx(total_variation, rel=1e-4)


def test_generator_step_is_gradient_descent_on_the_weighted_sum():
    model, batch = make_model(), make_batch()
    twin, features = toy_generator(), model.features
    with tf.GradientTape() as tape:
        terms = expected_terms(twin, features, *batch)
        loss = sum(WEIGHTS[name.replace("loss", "weight")] * terms[name] for name in TERMS)
    gradients = tape.gradient(loss, twin.trainable_variables)
    logs = step(model, batch)
    expected = [w - 0.1 * g for w, g in zip(twin.get_weights(), gradients, strict=True)]
    assert_all_close(model.generator.get_weights(), expected, rtol=1e-4, atol=1e-6)
    norm = np.sqrt(sum(np.sum(np.square(g)) for g in gradients))
    assert logs["generator_gradient_norm"] == pytest.approx(norm, rel=1e-4)


def test_halo_loss_is_of_the_stylized_images_their_contents_and_styles(monkeypatch):
    contents, styles = make_batch()
    model, received = make_model(PictureGenerator(), identity_weight=0.0), []
    painted = model.generator.images.numpy()

    def halo(*images):
        received.extend(images)
        return ops.mean(images[0])

    monkeypatch.setattr(perceptual, "halo_loss", halo)
    logs = step(model, (contents, styles))
    assert logs["halo_loss"] == pytest.approx(painted.mean(), rel=1e-5)
    assert_all_close(received, (painted, contents, styles[:, 0]), rtol=1e-6)
    weights = {**WEIGHTS, "identity_weight": 0.0}
    expected = sum(
        weights[name.replace("loss", "weight")] * logs[name] for name in logs if name in TERMS
    )
    assert logs["loss"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("term", [term for term in TERMS if term != "halo_loss"])
def test_weight_0_removes_a_term_exactly(term, monkeypatch):
    weight, batch = term.replace("loss", "weight"), make_batch()

    def weights_after_a_step(**kwargs):
        model = make_model(**kwargs)
        step(model, batch)
        return model.generator.get_weights()

    without, with_term = weights_after_a_step(**{weight: 0.0}), weights_after_a_step()
    real = getattr(losses, term)
    monkeypatch.setattr(losses, term, lambda *args: 1000.0 * real(*args))
    for a, b in zip(weights_after_a_step(**{weight: 0.0}), without, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.allclose(weights_after_a_step()[0], with_term[0], rtol=1e-3)


def test_features_stay_as_they_are_even_when_they_are_trainable():
    model = make_model(discriminator=ToyDiscriminator())
    model.features.trainable = True
    model.start_adversarial()
    before = model.features.get_weights()
    step(model, make_batch())
    assert_all_close(model.features.get_weights(), before, rtol=0)


def test_generators_step_leaves_the_discriminator():
    model = make_model(
        discriminator=ToyDiscriminator(),
        discriminator_optimizer=keras.optimizers.SGD(0.0),
        adversarial_ramp=0,
    )
    model.start_adversarial()
    generator, discriminator = model.generator.get_weights(), model.discriminator.get_weights()
    for _ in range(2):
        step(model, make_batch())
    assert_all_close(model.discriminator.get_weights(), discriminator, rtol=0)
    assert not np.allclose(model.generator.get_weights()[0], generator[0])


def test_discriminators_step_leaves_the_generator():
    model = make_model(
        discriminator=ToyDiscriminator(), generator_optimizer=keras.optimizers.SGD(0.0)
    )
    model.start_adversarial()
    generator, discriminator = model.generator.get_weights(), model.discriminator.get_weights()
    step(model, make_batch())
    assert_all_close(model.generator.get_weights(), generator, rtol=0)
    assert not np.allclose(model.discriminator.get_weights()[0], discriminator[0])


@pytest.mark.parametrize("kind", ["hinge", "cross_entropy"])
def test_discriminator_step_is_gradient_descent_on_its_two_losses(kind):
    model = make_model(discriminator=ToyDiscriminator(), adversarial_kind=kind, mismatch_share=0.25)
    contents, styles = make_batch()
    style, real = styles[:, 0], styles[:, 1]
    fake, twin = model.generator([contents, style]), ToyDiscriminator()
    # hinge: relu(1 - z) for real, relu(1 + z) for fake; cross-entropy: -log sigmoid(+-z)
    penalty = (
        (lambda z: tf.maximum(1 - z, 0)) if kind == "hinge" else lambda z: -tf.math.log_sigmoid(z)
    )
    with tf.GradientTape() as tape:
        real_logits = twin.judge(twin.encode(real), twin.encode(style))
        fake_logits = twin.judge(twin.encode(fake), twin.encode(style))
        other_logits = twin.judge(twin.encode(real), twin.encode(np.roll(style, 1, axis=0)))
        of_real, of_fake, of_other = (
            tf.reduce_mean(penalty(z)) for z in (real_logits, -fake_logits, -other_logits)
        )
        loss = 0.5 * (of_real + 0.75 * of_fake + 0.25 * of_other)
    gradients = tape.gradient(loss, twin.trainable_variables)
    model.start_adversarial()
    logs = step(model, (contents, styles))
    expected = [w - 0.1 * g for w, g in zip(twin.get_weights(), gradients, strict=True)]
    assert_all_close(model.discriminator.get_weights(), expected, rtol=1e-4, atol=1e-6)
    adversarial = -fake_logits if kind == "hinge" else np.log1p(np.exp(-fake_logits))
    norm = np.sqrt(sum(np.sum(np.square(g)) for g in gradients))
    assert {name: value for name, value in logs.items() if "advers" in name or "discr" in name} == {
        "adversarial_loss": pytest.approx(np.mean(adversarial), rel=1e-4),
        "adversarial_scale": 0.0,
        "discriminator_loss": pytest.approx(float(loss), rel=1e-4),
        "discriminator_gradient_norm": pytest.approx(norm, rel=1e-4),
        "discriminator_real_accuracy": pytest.approx(np.mean(real_logits > 0)),
        "discriminator_fake_accuracy": pytest.approx(np.mean(fake_logits < 0)),
        "discriminator_mismatch_accuracy": pytest.approx(np.mean(other_logits < 0)),
    }


def discriminator_after_a_step(batch, **kwargs):
    """The discriminator's weights and the logs."""
    model = make_model(discriminator=ToyDiscriminator(), **kwargs)
    model.start_adversarial()
    logs = model.train_on_batch(*batch, return_dict=True)
    return model.discriminator.get_weights(), logs


def test_equal_paintings_are_no_mismatch_for_each_other():
    """Of the paintings A, A, B the mismatched styles are B, B, A: as if each had another one."""
    contents, styles = make_batch(batch=3)
    numbers = np.array([7, 7, 2])
    weights, logs = discriminator_after_a_step((contents, styles, numbers), mismatch_share=1.0)
    twin, real, style = ToyDiscriminator(), styles[:, 1], styles[:, 0]
    with tf.GradientTape() as tape:
        others = style[[2, 2, 1]]
        real_logits = twin.judge(twin.encode(real), twin.encode(style))
        other_logits = twin.judge(twin.encode(real), twin.encode(others))
        loss = losses.discriminator_loss(real_logits, other_logits)
    gradients = tape.gradient(loss, twin.trainable_variables)
    expected = [w - 0.1 * g for w, g in zip(twin.get_weights(), gradients, strict=True)]
    assert_all_close(weights, expected, rtol=1e-4, atol=1e-6)
    accuracy = np.mean(other_logits < 0)
    assert logs["discriminator_mismatch_accuracy"] == pytest.approx(accuracy)


def test_batch_of_a_single_painting_has_no_mismatch():
    batch = (*make_batch(), np.full(BATCH, 4))
    weights, logs = discriminator_after_a_step(batch, mismatch_share=0.5)
    expected, _ = discriminator_after_a_step(batch, mismatch_share=0.0)
    assert_all_close(weights, expected, rtol=1e-6)
    assert logs["discriminator_mismatch_accuracy"] == 0


def test_discriminator_without_a_condition_has_no_mismatch():
    discriminator = ToyDiscriminator()
    discriminator.conditional = False

    def step_of(share):
        model = make_model(discriminator=discriminator, mismatch_share=share)
        model.start_adversarial()
        return step(model, make_batch())

    logs = step_of(0.5)
    assert "discriminator_mismatch_accuracy" not in logs
    discriminator.set_weights(ToyDiscriminator().get_weights())
    assert logs["discriminator_loss"] == step_of(0.0)["discriminator_loss"]


def test_defaults_are_those_of_the_configuration():
    model = StyleTransferGAN(toy_generator(), None, toy_features())
    config = TrainingConfig()
    assert (model.ema_decay, model.style_layers) == (config.ema_decay, config.style_layers)
    assert model.loss_weights["moments_loss"] == config.moments_weight


def test_discriminator_is_idle_until_the_adversarial_part_starts():
    model = make_model(discriminator=ToyDiscriminator())
    before = model.discriminator.get_weights()
    logs = step(model, make_batch())
    assert_all_close(model.discriminator.get_weights(), before, rtol=0)
    assert not [name for name in logs if "adversarial" in name or "discriminator" in name]
    assert model.adversarial_steps.numpy() == 0


def test_model_without_a_discriminator_stays_without_when_told_to_start():
    model = make_model()
    model.start_adversarial()
    assert "adversarial_loss" not in step(model, make_batch())


@pytest.mark.parametrize(("steps_done", "share"), [(0, 0.0), (5, 0.5), (10, 1.0), (99, 1.0)])
def test_adversarial_gradient_has_its_share_of_the_perceptual_norm_at_the_image(steps_done, share):
    def image_gradient(discriminator):
        model = make_model(
            PictureGenerator(BATCH + 2),
            discriminator,
            generator_optimizer=keras.optimizers.SGD(1.0),
            adversarial_weight=0.15,
            adversarial_ramp=10,
        )
        if discriminator:
            model.discriminator_optimizer.iterations.assign(steps_done)
        model.start_adversarial()
        before = model.generator.get_weights()[0]
        logs = step(model, (contents, styles))
        gradient = before - model.generator.get_weights()[0]
        return gradient[:BATCH], before[:BATCH], logs  # the others are the identity images

    contents, styles = make_batch()
    perceptual, images, _ = image_gradient(None)
    total, _, logs = image_gradient(ToyDiscriminator())
    added, twin = total - perceptual, ToyDiscriminator()
    with tf.GradientTape() as tape:
        tape.watch(images := tf.constant(images))
        loss = -tf.reduce_mean(twin.judge(twin.encode(images), twin.encode(styles[:, 0])))
    direction = tape.gradient(loss, images).numpy()
    norm = share * 0.15 * np.linalg.norm(perceptual)
    assert np.linalg.norm(added) == pytest.approx(norm, rel=1e-2, abs=1e-7)
    np.testing.assert_allclose(
        added, norm * direction / np.linalg.norm(direction), atol=1e-2 * np.abs(direction).max()
    )
    assert logs["adversarial_scale"] == pytest.approx(norm / np.linalg.norm(direction), rel=1e-3)


def test_adversarial_gradient_stays_off_the_identity_images():
    def repainted_after_a_step(discriminator):
        model = make_model(PictureGenerator(BATCH + 2), discriminator, adversarial_ramp=1)
        if discriminator:
            model.discriminator_optimizer.iterations.assign(1)
        model.start_adversarial()
        step(model, make_batch())
        return np.split(model.generator.get_weights()[0], [BATCH])

    painted, repainted = repainted_after_a_step(None)
    painted_with, repainted_with = repainted_after_a_step(ToyDiscriminator())
    np.testing.assert_array_equal(repainted_with, repainted)
    assert np.abs(painted_with - painted).max() > 0


def test_ramp_counts_the_adversarial_steps_only():
    model = make_model(discriminator=ToyDiscriminator())
    step(model, make_batch())
    model.start_adversarial()
    for _ in range(3):
        step(model, make_batch())
    assert model.adversarial_steps.numpy() == 3


@pytest.mark.parametrize("ema_decay", [0.999, 0.2])
def test_moving_average_follows_its_formula(ema_decay):
    model = make_model(ema_decay=ema_decay, generator_optimizer=keras.optimizers.SGD(1.0))
    expected = model.generator.get_weights()
    for t in range(1, 5):
        step(model, make_batch(t))
        decay = min(ema_decay, t / (10 + t))
        expected = [
            decay * average + (1 - decay) * weight
            for average, weight in zip(expected, model.generator.get_weights(), strict=True)
        ]
    assert_all_close(model.ema_generator.get_weights(), expected, rtol=1e-5, atol=1e-6)
    assert not np.allclose(model.ema_generator.get_weights()[0], model.generator.get_weights()[0])


def test_model_paints_with_the_moving_average():
    model, (contents, styles) = make_model(), make_batch()
    expected = model.generator([contents, styles[:, 0]])
    model.generator.set_weights([0 * weight for weight in model.generator.get_weights()])
    painted = model.predict_on_batch([contents, styles[:, 0]])
    np.testing.assert_allclose(painted, expected, rtol=1e-5)


@pytest.mark.parametrize("num_identity", [1, 2])
def test_identity_images_are_the_first_of_each_kind(num_identity):
    model, batch = make_model(num_identity=num_identity), make_batch()
    expected = expected_terms(model.generator, model.features, *batch, num_identity=num_identity)
    logs = step(model, batch)
    assert logs["identity_loss"] == pytest.approx(float(expected["identity_loss"]), rel=1e-4)


def test_identity_weight_0_leaves_its_images_out():
    # this generator can paint nothing but BATCH images
    logs = step(make_model(PictureGenerator(BATCH), identity_weight=0.0), make_batch())
    assert "identity_loss" not in logs


def test_step_is_traced_once_in_fit():
    class CountingGenerator(PictureGenerator):
        calls = 0

        def call(self, inputs):
            type(self).calls += 1
            return super().call(inputs)

    calls = []
    record = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: calls.append(CountingGenerator.calls)
    )
    model = make_model(
        CountingGenerator(), identity_weight=0.0, compile_arguments={"run_eagerly": False}
    )
    model.fit(make_dataset(4), verbose=0, shuffle=False, callbacks=[record])
    assert len(calls) == 4
    assert calls[-1] == calls[0]  # Python ran before the first step's end and never again


def fit_toys(num_batches=4, **compile_arguments):
    model = make_model(
        discriminator=ToyDiscriminator(),
        generator_optimizer=keras.optimizers.Adam(1e-2),
        adversarial_ramp=2,
        compile_arguments=compile_arguments,
    )
    model.start_adversarial()
    history = model.fit(make_dataset(num_batches), verbose=0, shuffle=False)
    networks = (model.generator, model.ema_generator, model.discriminator)
    return [w for network in networks for w in network.get_weights()], history.history


def test_fit_as_a_graph_equals_fit_run_eagerly():
    graph, graph_logs = fit_toys(run_eagerly=False)
    eager, eager_logs = fit_toys(run_eagerly=True)
    assert_all_close(graph, eager, rtol=1e-3, atol=1e-5)
    assert graph_logs.keys() == eager_logs.keys()
    for name, values in graph_logs.items():
        np.testing.assert_allclose(values, eager_logs[name], rtol=1e-3, atol=1e-5)


@pytest.mark.slow
def test_fit_compiled_by_xla_equals_fit_without():
    try:
        tf.function(lambda x: x + 1, jit_compile=True)(1.0)
    except tf.errors.OpError as error:
        pytest.skip(f"XLA is not available: {error}")
    compiled, _ = fit_toys(2, run_eagerly=False, jit_compile=True)
    eager, _ = fit_toys(2, run_eagerly=True)
    assert_all_close(compiled, eager, rtol=1e-3, atol=1e-4)


def test_adversarial_part_can_start_between_two_steps_of_fit():
    model = make_model(discriminator=ToyDiscriminator(), compile_arguments={"run_eagerly": False})
    start = keras.callbacks.LambdaCallback(
        on_train_batch_begin=lambda batch, logs: batch == 2 and model.start_adversarial()
    )
    seen = []
    record = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(logs)
    )
    model.fit(make_dataset(4), verbose=0, shuffle=False, callbacks=[start, record])
    assert ["adversarial_loss" in log for log in seen] == [False, False, True, True]
    assert model.adversarial_steps.numpy() == 2


def test_evaluate_averages_over_batches_and_changes_nothing():
    model = make_model(compile_arguments={"run_eagerly": False})
    expected = toy_generator()  # the average; the generator itself is elsewhere
    model.generator.set_weights([0 * weight for weight in model.generator.get_weights()])
    before = model.get_weights()
    both = model.evaluate(make_dataset(2), verbose=0, return_dict=True)
    singles = [expected_terms(expected, model.features, *make_batch(i)) for i in range(2)]
    assert set(both) == {"loss", *TERMS}
    for name in TERMS:
        mean = np.mean([single[name] for single in singles])
        assert both[name] == pytest.approx(mean, rel=1e-4)
    weighted = sum(WEIGHTS[name.replace("loss", "weight")] * both[name] for name in TERMS)
    assert both["loss"] == pytest.approx(weighted, rel=1e-4)
    again = model.evaluate(make_dataset(2), verbose=0, return_dict=True)
    assert again == pytest.approx(both, rel=1e-6)
    # the metrics' own counters are the only weights that move
    moved = [
        i
        for i, (a, b) in enumerate(zip(model.get_weights(), before, strict=True))
        if not np.array_equal(a, b)
    ]
    networks = [*model.generator.weights, *model.ema_generator.weights, *model.features.weights]
    assert not {id(model.weights[i]) for i in moved} & {id(weight) for weight in networks}


def test_style_generator_without_noise_trains_without_complaint():
    generator = StyleGenerator(width=2, num_blocks=1, noise=False)
    rng = np.random.default_rng(0)
    contents = rng.uniform(size=(1, 32, 32, 3)).astype("float32")
    styles = rng.uniform(size=(1, 2, 32, 32, 3)).astype("float32")
    model = make_model(generator)
    before = generator.get_weights()
    step(model, (contents, styles))
    changed = [np.any(a != b) for a, b in zip(generator.get_weights(), before, strict=True)]
    assert sum(changed) > len(changed) / 2


def test_losses_in_mixed_bfloat16_follow_those_in_float32():
    """bfloat16 has 8 bits: a relative precision of 0.4 %."""

    def losses_by_step(policy):
        before = keras.config.dtype_policy()
        keras.config.set_dtype_policy(policy)
        try:
            keras.utils.set_random_seed(0)
            model = make_model(
                StyleGenerator(width=2, num_blocks=1, noise=False),
                StyleDiscriminator(widths=(2, 2)),
                generator_optimizer=keras.optimizers.Adam(1e-3),
                discriminator_optimizer=keras.optimizers.Adam(1e-3),
                adversarial_ramp=0,
            )
            assert model.generator.dtype_policy.name == policy
            assert model.generator.variable_dtype == "float32"
            model.start_adversarial()
            return [step(model, make_batch(seed, batch=2, size=32)) for seed in range(2)]
        finally:
            keras.config.set_dtype_policy(before)

    exact, rounded = losses_by_step("float32"), losses_by_step("mixed_bfloat16")
    for expected, actual in zip(exact, rounded, strict=True):
        for name in ("loss", *TERMS, "discriminator_loss"):
            assert actual[name] == pytest.approx(expected[name], rel=0.02), name
    assert rounded[0]["loss"] != exact[0]["loss"]
    assert exact[-1]["loss"] != pytest.approx(exact[0]["loss"], rel=0.03)  # it has moved


@pytest.mark.slow
def test_generator_overfits_one_pair():
    model = make_model(
        generator_optimizer=keras.optimizers.Adam(0.02),
        total_variation_weight=0.0,
        compile_arguments={"run_eagerly": False},
    )
    rng = np.random.default_rng(0)
    coarse = rng.uniform(size=(2, 4, 4, 3)).astype("float32")
    content, style = ops.convert_to_numpy(ops.image.resize(coarse, (SIZE, SIZE)))[:, None]
    batch = content, np.stack([style, style], axis=1)
    first = step(model, batch)["loss"]
    model.fit(
        tf.data.Dataset.from_tensors(batch).repeat(), steps_per_epoch=300, verbose=0, shuffle=False
    )
    assert step(model, batch)["loss"] < 0.3 * first
