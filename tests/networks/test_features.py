import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from stylegan_transfer import samples
from stylegan_transfer.networks import features
from stylegan_transfer.networks.features import MEAN_ACTIVATIONS, VGG19Features, build_features
from stylegan_transfer.networks.vgg19 import LAYERS, SMALL_NETWORKS, build_distilled_network

DEEP = ("relu1_1", "relu2_2", "relu3_4", "relu4_1")


def make_images(seed=0, height=33, width=47, batch=2):
    return np.random.default_rng(seed).random((batch, height, width, 3), dtype="float32")


@pytest.fixture(scope="module")
def vgg19():
    """Keras' own VGG19 with weights that we give to ours in several ways; biases not zero."""
    model = keras.applications.VGG19(include_top=False, weights=None)
    random = np.random.default_rng(0)
    for layer in model.layers:
        if layer.weights:
            layer.bias.assign(random.normal(0, 1, layer.bias.shape))
    return model


@pytest.fixture(scope="module")
def npz_path(vgg19, tmp_path_factory):
    """The weights of blocks 1 and 2 alone, in half precision."""
    arrays = {
        f"{name}/{weight.name}": np.asarray(weight).astype("float16")
        for name in LAYERS.values()
        if name.startswith(("block1", "block2"))
        for weight in vgg19.get_layer(name).weights
    }
    path = tmp_path_factory.mktemp("weights") / "blocks.npz"
    np.savez(path, **arrays)
    return path


@pytest.fixture(scope="module")
def weights_path(vgg19, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "vgg19.weights.h5"
    vgg19.save_weights(path)
    return path


@pytest.fixture(scope="module")
def loaded(weights_path):
    return VGG19Features(weights_path, DEEP)


@pytest.fixture(scope="module")
def shallow(npz_path):
    return VGG19Features(npz_path, ("relu1_1", "relu2_1"))


def keras_maps(vgg19, images, layers):
    """The maps as someone who uses Keras alone would compute them, from 0..255 images."""
    inputs = keras.applications.vgg19.preprocess_input(255.0 * images)
    outputs = {layer: vgg19.get_layer(LAYERS[layer]).output for layer in layers}
    return keras.Model(vgg19.input, outputs)(inputs)


# The network.


def test_layer_names_are_those_of_keras(vgg19):
    convolutions = [layer.name for layer in vgg19.layers if layer.weights]
    assert list(LAYERS.values()) == convolutions
    assert LAYERS["relu4_1"] == "block4_conv1"
    assert len(LAYERS) == 16


def test_maps_times_their_scales_are_those_of_keras(vgg19, loaded):
    images = make_images()
    maps, expected = loaded(images), keras_maps(vgg19, images, DEEP)
    assert tuple(maps) == DEEP
    for layer in DEEP:
        actual = np.asarray(maps[layer]) * loaded.scales[layer]
        np.testing.assert_allclose(actual, expected[layer], rtol=1e-3, atol=1e-3)
        assert np.ptp(actual) > 0.1


def test_half_precision_npz_files_give_nearly_keras_maps(vgg19, shallow):
    images = make_images()
    maps, expected = shallow(images), keras_maps(vgg19, images, shallow.layer_names)
    for layer in shallow.layer_names:
        actual = np.asarray(maps[layer]) * shallow.scales[layer]
        np.testing.assert_allclose(actual, expected[layer], rtol=0.01, atol=0.1)


def test_maps_halve_at_every_block_and_are_not_negative(loaded):
    maps = loaded(make_images())
    shapes = {layer: tuple(maps[layer].shape) for layer in DEEP}
    assert shapes == {
        "relu1_1": (2, 33, 47, 64),
        "relu2_2": (2, 16, 23, 128),
        "relu3_4": (2, 8, 11, 256),
        "relu4_1": (2, 4, 5, 512),
    }
    assert loaded.compute_output_shape((2, 33, 47, 3)) == shapes
    for values in maps.values():
        assert np.min(values) == 0


def test_maps_of_a_batch_are_those_of_its_images(shallow):
    images = make_images()
    maps = shallow(images)
    for i in range(2):
        for layer, values in shallow(images[i : i + 1]).items():
            np.testing.assert_allclose(values, maps[layer][i : i + 1], rtol=1e-4, atol=1e-5)


def test_features_are_frozen(shallow):
    before = shallow.get_weights()
    assert shallow.trainable_variables == []
    assert len(before) == 6
    shallow(make_images(), training=True)
    for old, new in zip(before, shallow.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_gradients_reach_the_image_and_are_finite_on_flat_images(shallow, value):
    image = tf.fill((1, 16, 16, 3), value)
    with tf.GradientTape() as tape:
        tape.watch(image)
        loss = sum(ops.mean(values) for values in shallow(image).values())
    gradient = tape.gradient(loss, image)
    assert np.isfinite(gradient).all()
    assert np.abs(gradient).max() > 0


def test_a_graph_of_unknown_sizes_gives_the_same_maps(shallow):
    graph = tf.function(shallow, input_signature=[tf.TensorSpec((None, None, None, 3))])
    for layer, values in graph(make_images()).items():
        expected = shallow(make_images())[layer]
        np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-5)


# Calibration.


def test_stored_constants_calibrate_files_of_vgg19(shallow, loaded):
    assert shallow.scales == {layer: MEAN_ACTIVATIONS[layer] for layer in shallow.layer_names}
    for layer in ("relu1_1", "relu2_2", "relu3_4"):
        assert loaded.scales[layer] == MEAN_ACTIVATIONS[layer]


def test_layers_without_a_constant_have_mean_one_on_pink_noise(loaded):
    noise = features._pink_noise_image()
    assert "relu4_1" not in MEAN_ACTIVATIONS
    np.testing.assert_allclose(np.mean(loaded(noise)["relu4_1"]), 1, rtol=1e-3)


def test_random_features_have_mean_one_on_pink_noise():
    random = VGG19Features("random", ("relu1_1", "relu2_1"))
    for values in random(features._pink_noise_image()).values():
        np.testing.assert_allclose(np.mean(values), 1, rtol=1e-3)


def test_given_scales_divide_the_maps(npz_path, shallow):
    scales = {"relu1_1": 2.0, "relu2_1": 5.0}
    scaled = VGG19Features(npz_path, tuple(scales), scales=scales)
    maps, expected = scaled(make_images()), shallow(make_images())
    for layer, scale in scales.items():
        factor = MEAN_ACTIVATIONS[layer] / scale
        np.testing.assert_allclose(maps[layer], factor * expected[layer], rtol=1e-4)


def test_pink_noise_looks_like_a_photograph_to_statistics():
    image = features._pink_noise_image()
    assert image.shape == (1, 224, 224, 3)
    assert image.min() >= 0
    assert image.max() <= 1
    np.testing.assert_allclose([image.mean(), image.std()], [0.45, 0.25], atol=0.03)
    neighbours = np.corrcoef(image[0, :, 1:, 0].ravel(), image[0, :, :-1, 0].ravel())[0, 1]
    assert neighbours > 0.8  # white noise: 0


# Where weights come from.


def test_keras_weight_files_are_loaded(vgg19, loaded):
    convolutions = [layer for layer in loaded.network.layers if layer.weights]
    assert len(convolutions) == 9
    for layer in convolutions:
        original = vgg19.get_layer(layer.name)
        np.testing.assert_array_equal(layer.kernel, original.kernel)
        np.testing.assert_array_equal(layer.bias, original.bias)


def test_legacy_h5_files_as_keras_publishes_them_are_loaded(vgg19, tmp_path):
    path = tmp_path / "vgg19_notop.h5"
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.name.encode() for layer in vgg19.layers]
        for layer in vgg19.layers:
            group = file.create_group(layer.name)
            names = [f"{layer.name}/{weight.name}:0" for weight in layer.weights]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, weight in zip(names, layer.weights, strict=True):
                group[name] = np.asarray(weight)
    maps = VGG19Features(path, ("relu1_1",))(make_images())["relu1_1"]
    expected = keras_maps(vgg19, make_images(), ("relu1_1",))["relu1_1"]
    np.testing.assert_allclose(maps * 20.9, expected, rtol=1e-3, atol=1e-3)


def test_a_layer_that_the_file_lacks_is_named(npz_path):
    with pytest.raises(ValueError, match=r"has no block3_conv1; it holds block1_conv1.*conv2$"):
        VGG19Features(npz_path, ("relu1_1", "relu3_2"))


@pytest.mark.parametrize("name", ["missing.npz", "missing.weights.h5", "distiled"])
def test_a_missing_file_is_named(tmp_path, name):
    with pytest.raises(FileNotFoundError, match=f"Expected VGG19 weights.*{name}.*no such file"):
        VGG19Features(tmp_path / name)


@pytest.mark.parametrize("name", ["garbage.npz", "garbage.weights.h5", "garbage.h5"])
def test_a_file_that_holds_no_vgg19_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"this is no file of weights")
    with pytest.raises(ValueError, match="garbage"):
        VGG19Features(tmp_path / name, ("relu1_1",))


@pytest.mark.parametrize("layers", [("relu1_1", "relu1_3"), ("block1_conv1",), ()])
@pytest.mark.parametrize("weights", ["random", "distilled"])
def test_unknown_layers_are_refused(weights, layers):
    with pytest.raises(ValueError, match="Expected `layers` out of relu1_1, .*Received: layers="):
        VGG19Features(weights, layers)


def test_without_a_network_the_file_and_the_flag_are_named(monkeypatch):
    def fail(**options):
        assert options["weights"] == "imagenet"
        raise Exception("URL fetch failure on https://... : None -- Name or service not known")

    monkeypatch.setattr(keras.applications, "VGG19", fail)
    with pytest.raises(ConnectionError, match="Name or service not known") as caught:
        VGG19Features("imagenet")
    message = str(caught.value)
    assert "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5" in message
    assert "--features=PATH" in message


# Configuration.


def test_the_config_names_no_file_and_keeps_the_scales(shallow):
    config = shallow.get_config()
    assert config == {
        "weights": "random",
        "layers": ("relu1_1", "relu2_1"),
        "scales": {layer: MEAN_ACTIVATIONS[layer] for layer in shallow.layer_names},
    }
    restored = VGG19Features.from_config(config)
    assert restored.scales == shallow.scales
    assert restored.layer_names == shallow.layer_names


def test_saved_features_are_loaded_without_their_source(tmp_path, shallow):
    shallow.save(tmp_path / "features.keras")
    loaded = keras.models.load_model(tmp_path / "features.keras")
    assert loaded.trainable_variables == []
    for layer, values in loaded(make_images()).items():
        np.testing.assert_array_equal(values, shallow(make_images())[layer])


# The small networks.


def test_the_distilled_network_is_a_vgg19_of_a_quarter_of_the_channels(vgg19):
    network = build_distilled_network(("relu5_1",))
    assert network.count_params() < 0.075 * vgg19.count_params()
    for layer in network.layers:
        if layer.weights:
            original = vgg19.get_layer(layer.name)
            assert layer.filters == original.filters // 4
            assert layer.get_config()["activation"] == original.get_config()["activation"]
            assert layer.padding == original.padding


@pytest.fixture(scope="module")
def distilled():
    return VGG19Features(layers=("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"))


@pytest.fixture(scope="module")
def slim():
    return VGG19Features("slim", ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"))


@pytest.fixture(params=["distilled", "slim"])
def small(request):
    return request.getfixturevalue(request.param)


def test_small_networks_maps_have_the_sizes_of_vgg19s(small):
    maps = small(make_images(height=65, width=47))
    shapes = {layer: tuple(values.shape) for layer, values in maps.items()}
    assert shapes == {
        "relu1_1": (2, 65, 47, 16),
        "relu2_1": (2, 32, 23, 32),
        "relu3_1": (2, 16, 11, 64),
        "relu4_1": (2, 8, 5, 128),
        "relu5_1": (2, 4, 2, 128),
    }
    for values in maps.values():
        assert np.min(values) == 0
    assert small.trainable_variables == []


def test_distilled_maps_have_a_mean_of_about_one_on_the_sample_pictures(distilled):
    pictures = [samples.draw_content(name, 128) for name in samples.CONTENT_NAMES]
    pictures += [samples.draw_style(name, 128) for name in samples.STYLE_NAMES]
    for layer, values in distilled(np.stack(pictures)).items():
        assert 0.5 < np.mean(values) < 2, layer


def test_distilled_maps_tell_one_picture_from_another(distilled):
    first, second = (samples.draw_style(name, 64) for name in samples.STYLE_NAMES[:2])
    for layer, values in distilled(np.stack([first, first[::-1], second])).items():
        gram = np.einsum("nhwi,nhwj->nij", values, values) / np.prod(values.shape[1:3])
        flipped, other = (np.linalg.norm(gram[i] - gram[0]) for i in (1, 2))
        assert flipped < other, layer


def test_slim_maps_are_the_distilled_ones_but_for_a_seventh_of_their_variance(slim, distilled):
    pictures = [samples.draw_content(name, 128) for name in samples.CONTENT_NAMES]
    pictures += [samples.draw_style(name, 128) for name in samples.STYLE_NAMES]
    expected = distilled(np.stack(pictures))
    inside = slice(None), *[slice(2, -2)] * 2  # the distilled ones see zeros outside
    for layer, maps in slim(np.stack(pictures)).items():
        variance = np.var(expected[layer][inside], axis=(0, 1, 2)).mean()
        errors = np.square(maps[inside] - expected[layer][inside])
        assert np.mean(errors) < variance / 7, layer


def test_slim_maps_of_an_even_image_are_even_up_to_the_border(slim, distilled):
    image = np.full((1, 64, 64, 3), [0.2, 0.5, 0.8], "float32")
    assert np.std(distilled(image)["relu2_1"], axis=(1, 2)).max() > 0.1
    for maps in slim(image).values():
        np.testing.assert_allclose(maps, np.broadcast_to(maps[:, :1, :1], maps.shape), atol=1e-5)


def test_slim_maps_take_half_of_the_arithmetic():
    """Multiplications a pixel: those of a convolution at each of its positions."""
    totals = {}
    for name, network in SMALL_NETWORKS.items():
        totals[name] = 0
        model = network(("relu2_1", "relu3_1", "relu4_1", "relu5_1"))
        model = keras.Model(model.input, [layer.output for layer in model.layers])
        maps = model(np.zeros((1, 64, 64, 3)))
        for layer, made in zip(model.layers, maps, strict=True):
            if layer.weights:
                totals[name] += np.prod(made.shape[1:3]) * np.prod(layer.kernel.shape) / 64**2
    assert totals["slim"] < 0.56 * totals["distilled"]


def test_the_slim_network_has_the_first_layers_of_the_blocks_alone():
    with pytest.raises(ValueError, match=r"Expected layers out of relu1_1, .*Received: .*relu3_2"):
        VGG19Features("slim", ("relu3_1", "relu3_2"))
    with pytest.raises(ValueError, match=r"relu3_2"):
        build_features(["slim"], ("relu3_2",))


def test_the_distilled_network_ends_at_relu5_1():
    with pytest.raises(ValueError, match=r"Expected layers up to relu5_1.*Received: .*relu5_2"):
        VGG19Features(layers=("relu1_1", "relu5_2"))


@pytest.mark.parametrize("name", ["distilled", "slim"])
def test_saved_small_networks_are_loaded_exactly(tmp_path, request, name):
    features = request.getfixturevalue(name)
    assert features.get_config()["weights"] == name
    expected = features(make_images())  # before it is saved: that takes built weights
    features.save(tmp_path / "features.keras")
    loaded = keras.models.load_model(tmp_path / "features.keras")
    for actual, weight in zip(loaded.weights, features.weights, strict=True):
        np.testing.assert_array_equal(actual, weight)
    for layer, values in loaded(make_images()).items():
        np.testing.assert_array_equal(values, expected[layer])


def test_each_layer_comes_from_the_first_weights_that_hold_it(npz_path, distilled):
    joint = build_features([str(npz_path), "distilled"], ("relu3_1", "relu1_1"))
    image = np.random.default_rng(5).uniform(size=(1, 32, 48, 3)).astype("float32")
    maps = joint(image)
    own = VGG19Features(npz_path, ("relu1_1",))(image)["relu1_1"]
    assert maps.keys() == {"relu1_1", "relu3_1"}
    np.testing.assert_allclose(maps["relu1_1"], own, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(maps["relu3_1"], distilled(image)["relu3_1"], rtol=1e-5, atol=1e-6)
    assert not joint.trainable_variables


def test_features_of_several_files_run_in_a_graph(npz_path):
    images = make_images()
    joint = build_features([str(npz_path), "distilled"], ("relu3_1", "relu1_1"))
    in_graph = tf.function(joint)(images)
    for name, maps in joint(images).items():
        np.testing.assert_allclose(in_graph[name], maps, atol=1e-4)


def test_one_source_that_holds_all_layers_is_used_alone():
    assert isinstance(build_features(["distilled"], ("relu1_1", "relu4_1")), VGG19Features)


def test_a_layer_that_no_weights_hold_is_named(npz_path):
    with pytest.raises(ValueError, match=r"no block3_conv1"):
        build_features([str(npz_path)], ("relu1_1", "relu3_1"))
    with pytest.raises(ValueError, match=r"relu6_1"):
        build_features(["distilled"], ("relu1_1", "relu6_1"))
