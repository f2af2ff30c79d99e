"""Every format paints what Keras paints, at sizes that are no multiples of 8."""

import numpy as np
import pytest
from generator_images import make_styles_and_noise_matter

from stylegan_transfer.exporting.export import export
from stylegan_transfer.networks.transport_generator import TransportGenerator
from stylegan_transfer.runtimes.loading import load_generator
from stylegan_transfer.stylizing.noise import draw_noise

SIZE = (45, 67)
RANDOM = np.random.default_rng(0)
CONTENT, STYLE = RANDOM.random((1, *SIZE, 3), "float32"), RANDOM.random((1, 50, 38, 3), "float32")


@pytest.fixture(scope="module")
def noise(generator):
    return draw_noise(generator.strides, *SIZE, seed=1)


@pytest.fixture(scope="module")
def expected(generator, noise):
    code = np.asarray(generator.encode_style(STYLE))
    return code, np.asarray(generator.synthesize(CONTENT, code, noise=noise))


def make_inputs(generator, code, noise):
    """What the synthesis takes of a SavedModel and of LiteRT."""
    inputs = {"content": CONTENT, "codes": np.repeat(code[:, None], generator.num_layers, axis=1)}
    for stride in set(generator.strides):
        maps = [n[..., 0] for n, s in zip(noise, generator.strides, strict=True) if s == stride]
        inputs[f"noise_{stride}"] = np.stack(maps, axis=1)
    return inputs


def assert_same(actual, expected, atol=2e-5):
    np.testing.assert_allclose(actual, expected, rtol=0, atol=atol)


def test_openvinos_own_format(generator, noise, expected, tmp_path):
    pytest.importorskip("openvino")
    export(generator, tmp_path / "exported", "openvino")
    names = {path.name for path in (tmp_path / "exported").iterdir()}
    graphs = {f"{name}.{end}" for name in ("encode_style", "synthesize") for end in ("xml", "bin")}
    assert names == {"generator.json", *graphs}
    loaded = load_generator(tmp_path / "exported", "openvino")
    assert_same(loaded.encode_style(STYLE), expected[0])
    assert_same(loaded.synthesize(CONTENT, expected[0], noise=noise), expected[1])
    with pytest.raises(ValueError, match=r"^Expected graphs out of \('onnx',\).*graphs='openvino'"):
        load_generator(tmp_path / "exported", "onnx")


@pytest.fixture(scope="module")
def transport_generator():
    generator = TransportGenerator(width=4, code_size=8)
    return make_styles_and_noise_matter(generator)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["generator", "transport_generator"])
def test_a_saved_model(kind, request, tmp_path):
    import tensorflow as tf

    generator = request.getfixturevalue(kind)
    noise = draw_noise(generator.strides, *SIZE, seed=1)
    export(generator, tmp_path / "exported", "saved_model")
    signatures = tf.saved_model.load(tmp_path / "exported").signatures
    code, other = (np.asarray(generator.encode_style(image)) for image in (STYLE, CONTENT))
    exact = 2e-5 if kind == "generator" else 1e-4  # matrix roots amplify rounding
    assert_same(signatures["encode_style"](style=STYLE)["code"], code, exact)
    inputs = make_inputs(generator, code, noise)
    expected = generator.synthesize(CONTENT, code, noise=noise)
    assert_same(signatures["synthesize"](**inputs)["stylized"], expected, exact)
    left = np.where(np.arange(SIZE[1]) < 30, 1.0, 0.0).astype("float32")
    masks = np.broadcast_to(np.stack([left, 1 - left])[None, :, None], (1, 2, *SIZE))
    codes = np.stack([code, other], axis=1)
    inputs["codes"] = np.repeat(codes[:, :, None], generator.num_layers, axis=2)
    masked = signatures["synthesize_with_masks"](**inputs, masks=masks)["stylized"]
    assert_same(masked, generator.synthesize(CONTENT, codes, masks=masks, noise=noise), exact)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["generator", "transport_generator"])
def test_litert(kind, request, tmp_path):
    interpreters = pytest.importorskip("ai_edge_litert.interpreter")
    generator = request.getfixturevalue(kind)
    noise = draw_noise(generator.strides, *SIZE, seed=1)
    code = np.asarray(generator.encode_style(STYLE))
    expected = generator.synthesize(CONTENT, code, noise=noise)
    # Roots by products cost less than 1e-2. Weights in 8 bits cost more in so narrow a network.
    exact = 2e-5 if kind == "generator" else 1e-2
    for weights, tolerance in (("float32", exact), ("int8", 0.2)):
        export(generator, tmp_path / "exported", "litert", weights=weights, sizes=[SIZE])
        path = tmp_path / "exported" / "synthesize_45x67.tflite"
        interpreter = interpreters.Interpreter(str(path))
        run = interpreter.get_signature_runner()
        stylized = run(**make_inputs(generator, code, noise))["stylized"]
        assert_same(stylized, expected, tolerance)
    encoder = interpreters.Interpreter(str(tmp_path / "exported" / "encode_style.tflite"))
    encoder.resize_tensor_input(encoder.get_input_details()[0]["index"], STYLE.shape)
    assert encoder.get_signature_runner()(style=STYLE)["code"].shape == code.shape


@pytest.mark.parametrize(
    ("format", "options", "words"),
    [
        ("litert", {}, "sizes for litert"),
        ("litert", {"sizes": [(31, 64)]}, r"at least 32 pixels.*\(31, 64\)"),
        ("onnx", {"sizes": [(64, 64)]}, "no other format"),
        ("onnx", {"weights": "int8"}, "weights='int8'"),
        ("saved_model", {"weights": "float16"}, "weights='float16'"),
        ("onnx", {"weights": "int4"}, "weights='int4'"),
    ],
)
def test_what_a_format_cannot_is_one_line(generator, tmp_path, format, options, words):
    with pytest.raises(ValueError, match=f"^Expected .*{words}") as error:
        export(generator, tmp_path / "exported", format, **options)
    assert "\n" not in str(error.value)
    assert not [*tmp_path.iterdir()]
