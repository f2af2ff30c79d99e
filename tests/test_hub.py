"""Generators on a hub, with a stand-in of the hub's client that keeps repositories in a folder."""

import pathlib
import shutil
import sys

import huggingface_hub
import keras
import numpy as np
import pytest
from huggingface_hub import errors
from keras.src.saving import saving_lib

import stylegan_transfer
from stylegan_transfer import hub
from stylegan_transfer.commands import launch, stylize
from stylegan_transfer.networks.generator import StyleGenerator

NAME = "hf://anna/strokes"


class Hub:
    """What of `huggingface_hub` is used here, by the package and by Keras."""

    def __init__(self, root):
        self.root, self.commits = root, []

    def HfApi(self, **kwargs):  # noqa: N802
        return self

    def create_repo(self, repository, exist_ok):
        (self.root / repository).mkdir(parents=True, exist_ok=exist_ok)

    def file_exists(self, repository, name):
        return (self.root / repository / name).exists()

    def upload_folder(self, *, repo_id, folder_path, commit_message, ignore_patterns):
        ignore = shutil.ignore_patterns(*ignore_patterns or ())
        shutil.copytree(folder_path, self.root / repo_id, dirs_exist_ok=True, ignore=ignore)
        self.commits.append(commit_message)

    def snapshot_download(self, repo_id, allow_patterns=None, **kwargs):
        if not (self.root / repo_id).exists():
            raise errors.LocalEntryNotFoundError("Not found.\nPlease check your connection")
        target = self.root / "snapshots" / repo_id
        for name in allow_patterns or ("config.json", "metadata.json", "model.weights.h5"):
            target.mkdir(parents=True, exist_ok=True)
            if (self.root / repo_id / name).exists():
                shutil.copy(self.root / repo_id / name, target)
        return str(target)


@pytest.fixture
def client(tmp_path, monkeypatch):
    client = Hub(tmp_path / "hub")
    for name in ("HfApi", "snapshot_download"):
        monkeypatch.setattr(huggingface_hub, name, getattr(client, name))
    monkeypatch.setattr(saving_lib, "huggingface_hub", client)
    return client


@pytest.fixture(scope="module")
def generator():
    return StyleGenerator(width=4, num_blocks=1, code_size=8, seed=3)


def assert_equal(actual, expected):
    for a, b in zip(actual.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    "load", [stylegan_transfer.load_generator, keras.saving.load_model], ids=["ours", "Keras'"]
)
def test_a_generator_on_the_hub_is_the_one_that_was_saved(client, generator, load):
    stylegan_transfer.save_generator(generator, NAME)
    assert_equal(load(NAME), generator)
    assert len(client.commits) == 1


def test_half_precision_halves_the_weights_on_the_hub(client, generator):
    sizes = []
    for half in (False, True):
        stylegan_transfer.save_generator(generator, NAME, half_precision=half)
        weights = client.root / "anna/strokes/model.weights.h5"
        sizes.append(weights.stat().st_size)
    assert sizes[1] < 0.75 * sizes[0]
    for a, b in zip(
        stylegan_transfer.load_generator(NAME).get_weights(), generator.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(a, np.float16(b))


def test_the_card_has_the_hubs_metadata_and_a_card_of_the_authors_own_stays(client, generator):
    stylegan_transfer.save_generator(generator, NAME)
    card = client.root / "anna/strokes/README.md"
    metadata = huggingface_hub.ModelCard(card.read_text()).data
    assert (metadata.library_name, metadata.pipeline_tag) == ("keras", "image-to-image")
    assert 'load_generator("hf://anna/strokes")' in card.read_text()
    assert "A `StyleGenerator`" in card.read_text()
    card.write_text("my own")
    stylegan_transfer.save_generator(generator, NAME)
    assert card.read_text() == "my own"


def test_the_card_of_the_weights_that_ship_has_the_hubs_metadata():
    card = pathlib.Path(stylegan_transfer.__file__).with_name("MODEL_CARD.md")
    metadata = huggingface_hub.ModelCard.load(card).data
    assert metadata.license == "apache-2.0"
    assert (metadata.library_name, metadata.pipeline_tag) == ("keras", "image-to-image")


def test_commands_paint_with_a_generator_of_the_hub(client, generator, tmp_path, capsys):
    stylegan_transfer.save_generator(generator, NAME)
    stylegan_transfer.save_generator(generator, tmp_path / "same.keras")
    for name in ("content", "style"):
        image = np.random.default_rng(len(name)).random((40, 48, 3), dtype="float32")
        stylegan_transfer.save_image(image, tmp_path / f"{name}.png")
    painted = []
    for path in (NAME, tmp_path / "same.keras"):
        output = tmp_path / f"{len(painted)}.png"
        names = [f"--{name}={tmp_path / name}.png" for name in ("content", "style")]
        flags = ["stylize", *names, f"--output={output}", f"--generator={path}"]
        assert launch.run(stylize.main, flags) == 0, capsys.readouterr().err
        painted.append(stylegan_transfer.load_image(output))
    np.testing.assert_array_equal(*painted)


@pytest.mark.parametrize("name", ["hf://", "hf://anna", "hf://anna/a/b", "hf://anna/ b"])
@pytest.mark.parametrize("act", ["load", "save"])
def test_a_malformed_name_is_an_error(client, generator, act, name):
    with pytest.raises(ValueError, match="Expected hf://owner/name. Received: name='hf://"):
        if act == "load":
            stylegan_transfer.load_generator(name)
        else:
            stylegan_transfer.save_generator(generator, name)


def test_what_the_hub_does_not_have_is_one_line(client):
    message = r"^Expected a repository .* Received: hf://anna/strokes \(Not found\. Please .*\)$"
    with pytest.raises(ConnectionError, match=message):
        stylegan_transfer.load_generator(NAME)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "config.json").unlink(), r"missing=\['config.json'\]"),
        (lambda folder: (folder / "model.weights.h5").write_bytes(b"no"), "Expected a generator"),
    ],
)
def test_a_repository_without_a_whole_generator_is_an_error(client, generator, spoil, message):
    stylegan_transfer.save_generator(generator, NAME)
    spoil(client.root / "anna/strokes")
    with pytest.raises(ValueError, match=message):
        stylegan_transfer.load_generator(NAME)


def test_without_the_client_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    monkeypatch.setattr(hub.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"pip install \"stylegan_transfer\[hub\]\""):
        stylegan_transfer.load_generator(NAME)
