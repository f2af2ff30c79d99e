"""Files that claim to be generators or weights: damaged, inflated, or not what they say."""

import json
import zipfile

import h5py
import numpy as np
import pytest

from stylegan_transfer.networks import archive
from stylegan_transfer.networks.features import VGG19Features
from stylegan_transfer.networks.generator import StyleGenerator
from stylegan_transfer.networks.saving import load_generator, save_generator


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "good.keras"
    save_generator(StyleGenerator(width=2, num_blocks=0, code_size=4), path)
    return path


def rewrite(source, path, **members):
    """Copies a `.keras` file with other members; None leaves one out."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = members.get(name.split(".")[0], old.read(name))
            if data is not None:
                new.writestr(name, data)
    return path


def test_a_file_that_unpacks_to_far_more_is_refused_unread(saved, tmp_path, monkeypatch):
    monkeypatch.setattr("keras.models.load_model", lambda *args, **kwargs: pytest.fail("was read"))
    path = rewrite(saved, tmp_path / "bomb.keras", config=b" " * 20_000_000)
    with pytest.raises(ValueError, match=r"bomb\.keras.*unpacks to 20,\d+,\d+ bytes"):
        load_generator(path)


def test_weights_that_claim_far_more_than_the_file_holds_are_refused(saved, tmp_path):
    with h5py.File(tmp_path / "claims.h5", "w") as weights:
        weights.create_dataset("kernel", (10**6, 10**6), "float32", chunks=(100, 100))
    data = (tmp_path / "claims.h5").read_bytes()
    path = rewrite(saved, tmp_path / "claims.keras", model=data)
    with pytest.raises(ValueError, match=r"claims\.keras.*at most .* bytes.*weights=4000000000000"):
        load_generator(path)


def test_weights_in_another_file_are_refused(saved, tmp_path):
    outside = [(str(tmp_path / "secret"), 0, 400)]
    with h5py.File(tmp_path / "links.h5", "w") as weights:
        weights.create_dataset("kernel", (100,), "float32", external=outside)
    data = (tmp_path / "links.h5").read_bytes()
    path = rewrite(saved, tmp_path / "links.keras", model=data)
    with pytest.raises(ValueError, match=r"links\.keras.*within the file"):
        load_generator(path)


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"config": None}, "config.json"),
        ({"metadata": None}, "metadata.json"),
        ({"model": None}, "model.weights.h5"),
        ({"model": b"no HDF5"}, ""),
        ({"config": b"{"}, ""),
        ({"config": b"[]"}, ""),
        ({"config": b"[" * 100_000}, ""),
    ],
)
def test_a_file_without_a_part_or_with_a_broken_one_is_named(saved, tmp_path, members, reason):
    path = rewrite(saved, tmp_path / "part.keras", **members)
    with pytest.raises(ValueError, match=r"Expected a generator .*part\.keras.*") as error:
        load_generator(path)
    assert reason in str(error.value) and len(str(error.value)) < 500


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("width", 3, "not of the shapes that its configuration says"),
        ("width", 10**7, "width of 1 to 1024. Received: width=10000000"),
        ("num_blocks", "many", "num_blocks of 0 to 100"),
        ("code_size", -1, "code_size of 1 to 65536"),
    ],
)
def test_a_configuration_that_does_not_fit_is_one_line(saved, tmp_path, field, value, reason):
    with zipfile.ZipFile(saved) as file:
        config = json.loads(file.read("config.json"))
    config["config"][field] = value
    path = rewrite(saved, tmp_path / "other.keras", config=json.dumps(config))
    with pytest.raises(ValueError, match=r"other\.keras") as error:
        load_generator(path)
    message = str(error.value)
    assert reason in message and "\n" not in message and len(message) < 500
    load_generator(saved)  # nothing is left of it in Keras


def test_weights_that_are_not_finite_are_neither_saved_nor_loaded(tmp_path, monkeypatch):
    generator = StyleGenerator(width=2, num_blocks=0, code_size=4)
    weight = generator.trainable_weights[3]
    weight.assign(np.full(weight.shape, np.nan))
    with pytest.raises(ValueError, match=f"Expected finite weights.*{weight.path}"):
        save_generator(generator, tmp_path / "a.keras")
    monkeypatch.setattr("stylegan_transfer.networks.saving.check_weights", lambda *args: None)
    save_generator(generator, tmp_path / "a.keras")
    monkeypatch.undo()
    with pytest.raises(ValueError, match=r"Expected finite weights. Received: .*a\.keras"):
        load_generator(tmp_path / "a.keras")


@pytest.mark.parametrize("path", [3, None, "", "a\0b.keras", b"a.keras"])
def test_a_path_of_another_type_is_named(path):
    with pytest.raises(ValueError, match="Expected .*path.*Received: path="):
        save_generator(StyleGenerator(width=2, num_blocks=0, code_size=4), path)
    if path is not None:
        with pytest.raises(ValueError, match="Expected .*path.*Received: path="):
            load_generator(path)


def test_bytes_flipped_anywhere_give_the_same_generator_or_an_error(saved, tmp_path):
    random = np.random.default_rng(0)
    whole = saved.read_bytes()
    expected = [w.numpy() for w in load_generator(saved).weights]
    path = tmp_path / "flipped.keras"
    for _ in range(20):
        damaged = bytearray(whole)
        for place in random.integers(0, len(whole), 3):
            damaged[place] ^= random.integers(1, 256)
        path.write_bytes(damaged)
        try:
            generator = load_generator(path)
        except ValueError as error:
            assert "flipped.keras" in str(error)
        else:
            for weight, value in zip(generator.weights, expected, strict=True):
                np.testing.assert_array_equal(weight, value)


@pytest.mark.parametrize("kind", ["text", "cut", "pickled", "shapes", "inflated"])
def test_weights_of_features_that_are_none_are_named(tmp_path, kind):
    path = tmp_path / "features.npz"
    arrays = {"block1_conv1/kernel": np.ones((3, 3, 3, 64)), "block1_conv1/bias": np.ones(64)}
    if kind == "pickled":
        arrays["block1_conv1/kernel"] = np.full(3, None)
    if kind == "shapes":
        arrays["block1_conv1/kernel"] = np.ones((2, 2))
    if kind == "inflated":
        arrays["block1_conv1/kernel"] = np.zeros(10_000_000)
    (np.savez_compressed if kind == "inflated" else np.savez)(path, **arrays)
    if kind == "text":
        path.write_text("no weights")
    if kind == "cut":
        path.write_bytes(path.read_bytes()[:2_000])
    with pytest.raises(ValueError, match=r"Expected an \.npz file.*features\.npz"):
        VGG19Features(path, ("relu1_1",))


def test_the_generator_that_ships_is_far_from_every_limit():
    from stylegan_transfer import shipped

    with zipfile.ZipFile(shipped.GENERATOR) as file:
        unpacked = sum(member.file_size for member in file.infolist())
    assert 2 * unpacked < archive.MAX_RATIO * shipped.GENERATOR.stat().st_size
