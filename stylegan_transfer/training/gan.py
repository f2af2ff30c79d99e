"""The training model: generator, discriminator and feature network in one custom training step."""

import keras
from keras import ops

from stylegan_transfer import losses
from stylegan_transfer.training.adversarial import discriminator_losses
from stylegan_transfer.training.config import TrainingConfig
from stylegan_transfer.training.differentiation import (
    call_statelessly,
    global_norm,
    gradient,
    pull_back,
)
from stylegan_transfer.training.perceptual import identity_images, perceptual_losses
from stylegan_transfer.training.replicas import (
    apply_gradients,
    call_once,
    mean_over_replicas,
    norms_over_replicas,
    num_replicas,
)

_DEFAULTS = TrainingConfig()


class StyleTransferGAN(keras.Model):
    """Trains a generator with content, style and adversarial losses; `fit` runs it as a graph.

    A batch is `(content, style, painting)`: content images `(batch, height, width, 3)` and two
    crops of each painting `(batch, 2, height, width, 3)`, in [0, 1], and the paintings' numbers
    `(batch,)`. The first crop is the style; the second is what the discriminator sees as real.
    Without the numbers, all paintings of a batch count as different. The plan of a step:

    1. Paint every content image in its style, and, for the identity loss, the first
       `num_identity` images of each kind in their own.
    2. Differentiate the weighted perceptual losses with respect to the painted images.
    3. Add the adversarial gradient, scaled to `adversarial_weight` times the norm of the
       perceptual one, so that neither a strong nor a weak discriminator sets the balance.
    4. Carry the sum back through the generator and update it and its moving average.
    5. Update the discriminator: real is another crop of the style's painting; fake is the
       stylized image, and a painting that goes with another style.

    Steps 3 and 5 begin with `start_adversarial()`; until then the discriminator is idle.

    Args:
        generator: Model, `[content, style]` -> images.
        discriminator: Model with `encode` and `judge` as `StyleDiscriminator` has them, or None.
        features: Frozen feature extractor, images -> dict of maps of the layers below or more.
        content_layers: Layers of the content loss.
        style_layers: Layers of the Gram and the moments loss.
        feature_scales: Factors by which images are reduced before the features see them; the
            losses are the mean over these scales. A second, coarser scale asks for larger strokes.
        per_sample_normalization: Whether the style losses are relative to each sample's own
            target, or to the batch's mean; see `losses.style_loss`.
        content_weight: Weight of the content loss.
        style_weight: Weight of the Gram style loss.
        moments_weight: Weight of the moments loss.
        identity_weight: Weight of the identity loss. 0 leaves its images out.
        halo_weight: Weight of the halo loss.
        total_variation_weight: Weight of the total variation.
        num_identity: Content images, and as many style images, a step that are painted in their
            own style.
        adversarial_weight: Norm of the adversarial gradient at the image, relative to the
            perceptual one, once the ramp is over.
        adversarial_kind: `"hinge"` or the document's `"cross_entropy"`.
        adversarial_ramp: Steps over which the weight grows from 0.
        mismatch_share: Share of painting-with-another-style pairs in the discriminator's loss;
            none without a condition, or where a batch holds a single painting.
        ema_decay: Decay of the moving average of the generator's weights.

    Example:
        >>> import keras
        >>> import stylegan_transfer as st
        >>> model = st.StyleTransferGAN(
        ...     st.StyleGenerator(width=2, num_blocks=1, code_size=4),
        ...     st.StyleDiscriminator(widths=(2, 2)),
        ...     st.VGG19Features("random", layers=("relu1_1", "relu2_1")),
        ...     content_layers=("relu2_1",),
        ...     style_layers=("relu1_1",),
        ... )
        >>> model.compile(keras.optimizers.Adam(), keras.optimizers.Adam(), run_eagerly=True)
        >>> model.start_adversarial()
        >>> dataset = st.make_dataset("samples", "samples", batch_size=2, image_size=32)
        >>> history = model.fit(dataset, steps_per_epoch=1, shuffle=False, verbose=0)
        >>> sorted(history.history)[:3]
        ['adversarial_loss', 'adversarial_scale', 'content_loss']
    """

    def __init__(
        self,
        generator,
        discriminator,
        features,
        *,
        content_layers=_DEFAULTS.content_layers,
        style_layers=_DEFAULTS.style_layers,
        feature_scales=_DEFAULTS.feature_scales,
        per_sample_normalization=_DEFAULTS.per_sample_normalization,
        content_weight=_DEFAULTS.content_weight,
        style_weight=_DEFAULTS.style_weight,
        moments_weight=_DEFAULTS.moments_weight,
        identity_weight=_DEFAULTS.identity_weight,
        halo_weight=_DEFAULTS.halo_weight,
        total_variation_weight=_DEFAULTS.total_variation_weight,
        num_identity=1,
        adversarial_weight=_DEFAULTS.adversarial_weight,
        adversarial_kind=_DEFAULTS.adversarial_kind,
        adversarial_ramp=_DEFAULTS.adversarial_ramp,
        mismatch_share=_DEFAULTS.mismatch_share,
        ema_decay=_DEFAULTS.ema_decay,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.generator, self.discriminator, self.features = generator, discriminator, features
        self.ema_generator = generator.__class__.from_config(generator.get_config())
        self.ema_generator.set_weights(generator.get_weights())
        self.ema_generator.trainable = False
        self.content_layers, self.style_layers = content_layers, style_layers
        self.feature_scales = feature_scales
        self.per_sample_normalization = per_sample_normalization
        self.loss_weights = {
            "content_loss": content_weight,
            "style_loss": style_weight,
            "moments_loss": moments_weight,
            "identity_loss": identity_weight,
            "halo_loss": halo_weight,
            "total_variation_loss": total_variation_weight,
        }
        self.num_identity = num_identity if identity_weight else 0
        self.adversarial_weight, self.adversarial_kind = adversarial_weight, adversarial_kind
        self.adversarial_ramp, self.mismatch_share = adversarial_ramp, mismatch_share
        self.ema_decay = ema_decay
        self.conditional = getattr(discriminator, "conditional", True)
        self.adversarial = False
        self._means = {name: keras.metrics.Mean(name=name) for name in ("loss", *self.loss_weights)}
        self.built = True  # the networks were when they came

    def compile(self, generator_optimizer, discriminator_optimizer=None, **kwargs):
        """As `keras.Model.compile`, with one optimizer for each network.

        Args:
            generator_optimizer: Keras optimizer.
            discriminator_optimizer: Keras optimizer; not needed without a discriminator.
            **kwargs: `jit_compile` (off by default; always on under JAX), `run_eagerly`.
        """
        is_compiled = keras.backend.backend() == "jax" or kwargs.pop("jit_compile", False)
        super().compile(optimizer=generator_optimizer, **{**kwargs, "jit_compile": is_compiled})
        generator_optimizer.build(self.generator.trainable_variables)
        self.discriminator_optimizer = discriminator_optimizer
        if self.discriminator is not None:
            discriminator_optimizer.build(self.discriminator.trainable_variables)
            # Keras' trainer under JAX hands on the variables of one optimizer, and the model's own.
            if keras.backend.backend() == "jax":
                self._discriminator_state = discriminator_optimizer.variables

    @property
    def adversarial_steps(self):
        """How many steps the discriminator has taken."""
        return self.discriminator_optimizer.iterations

    def start_adversarial(self):
        """Switches the adversarial part of the step on."""
        self.adversarial = self.discriminator is not None
        self.make_train_function(force=True)

    def call(self, inputs):
        return self.ema_generator(inputs)

    def train_step(self, *inputs):
        """Takes a step; Keras hands `(data)` over under TensorFlow, `(state, data)` under JAX."""
        return self._run(self._train_on, *inputs)

    def test_step(self, *inputs):
        """Adds a batch to the means of the losses; the arguments are those of `train_step`."""
        return self._run(self._test_on, *inputs)

    def _run(self, step, *inputs):
        if len(inputs) == 1:
            return step(*inputs)
        state, data = inputs
        groups = self.trainable_variables, self.non_trainable_variables
        if len(state) == 4:
            groups = *groups, self.optimizer.variables
        groups = *groups, self.metrics_variables
        return call_statelessly(lambda: step(data), groups, state)

    def _train_on(self, data):
        content, styles, paintings = keras.utils.unpack_x_y_sample_weight(data)
        style, real = styles[:, 0], styles[:, 1]
        variables = self.generator.trainable_variables
        (painted, _), pull = pull_back(
            lambda: (self._paint(self.generator, content, style, training=True), None),
            variables,
            self.generator.variables,
        )

        def perceptual(painted):
            logs = self._perceptual_losses(painted, content, style)
            return self._weighted_sum(logs), logs

        (loss, logs), image_gradient = gradient(perceptual, painted)
        if self.adversarial:
            fake = painted[: ops.shape(content)[0]]
            image_gradient, adversarial_logs = self._add_adversarial_gradient(
                image_gradient, fake, style
            )
            logs.update(adversarial_logs)
        gradients = [pull(image_gradient)]
        if self.adversarial:
            discriminator_gradients, discriminator_logs = self._discriminator_gradients(
                fake, style, real, paintings
            )
            gradients.append(discriminator_gradients)
            logs.update(discriminator_logs)
        gradients, logs = mean_over_replicas((gradients, {"loss": loss, **logs}))
        names = ("generator_gradient_norm", "discriminator_gradient_norm")
        logs.update(zip(names, map(global_norm, gradients), strict=False))
        apply_gradients(self.optimizer, gradients[0], variables)
        call_once(self._update_average)
        if self.adversarial:
            variables = self.discriminator.trainable_variables
            apply_gradients(self.discriminator_optimizer, gradients[1], variables)
        return logs

    def _test_on(self, data):
        content, styles = keras.utils.unpack_x_y_sample_weight(data)[:2]
        style = styles[:, 0]
        painted = self._paint(self.ema_generator, content, style)
        logs = self._perceptual_losses(painted, content, style)
        for name, value in {"loss": self._weighted_sum(logs), **logs}.items():
            self._means[name].update_state(value)
        return {
            name: mean.result() for name, mean in self._means.items() if name in ("loss", *logs)
        }

    def _perceptual_losses(self, painted, content, style):
        return perceptual_losses(
            self.features,
            painted,
            content,
            style,
            content_layers=self.content_layers,
            style_layers=self.style_layers,
            feature_scales=self.feature_scales,
            per_sample_normalization=self.per_sample_normalization,
            num_identity=self._num_own_identity(),
        )

    def _num_own_identity(self):
        """The identity images of each kind that this replica paints, at least one."""
        return max(self.num_identity // num_replicas(), min(self.num_identity, 1))

    def _paint(self, generator, content, style, **kwargs):
        """The content images in their styles, followed by the identity images in their own."""
        own = identity_images(content, style, self._num_own_identity())
        return generator([ops.concatenate([content, own]), ops.concatenate([style, own])], **kwargs)

    def _weighted_sum(self, terms):
        return sum(self.loss_weights[name] * term for name, term in terms.items())

    def _add_adversarial_gradient(self, image_gradient, fake, style):
        style_maps = self.discriminator.encode(style)

        def adversarial(fake):
            logits = self.discriminator.judge(self.discriminator.encode(fake), style_maps)
            return losses.adversarial_loss(logits, self.adversarial_kind), None

        (loss, _), fake_gradient = gradient(adversarial, fake)
        batch = ops.shape(fake)[0]
        steps = ops.cast(self.adversarial_steps, "float32")
        weight = self.adversarial_weight * ops.minimum(steps / max(self.adversarial_ramp, 1), 1.0)
        norm, fake_norm = norms_over_replicas([image_gradient[:batch], fake_gradient])
        weight *= norm / (fake_norm + 1e-12)
        total = ops.concatenate(
            [image_gradient[:batch] + weight * fake_gradient, image_gradient[batch:]]
        )
        return total, {"adversarial_loss": loss, "adversarial_scale": weight}

    def _discriminator_gradients(self, fake, style, real, paintings):
        (loss, logs), pull = pull_back(
            lambda: discriminator_losses(
                self.discriminator,
                real,
                fake,
                style,
                paintings,
                kind=self.adversarial_kind,
                mismatch_share=self.mismatch_share if self.conditional else None,
            ),
            self.discriminator.trainable_variables,
            self.discriminator.variables,
        )
        return pull(ops.ones_like(loss)), {"discriminator_loss": loss, **logs}

    def _update_average(self):
        """Moves the average towards the weights, faster in the first steps (Adam's correction)."""
        step = ops.cast(self.optimizer.iterations, "float32")
        decay = ops.minimum(self.ema_decay, step / (10.0 + step))
        for average, weight in zip(
            self.ema_generator.variables, self.generator.variables, strict=True
        ):
            if weight.trainable:  # not the noise's seed, nor frozen features
                average.assign(weight + decay * (average - weight))

    @property
    def metrics(self):
        return list(self._means.values())
