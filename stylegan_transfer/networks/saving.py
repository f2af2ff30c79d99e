"""Saves and loads trained generators: one `.keras` file each, here or on a hub."""

import os
import pathlib
import string
import tempfile
import zipfile

import h5py
import keras
import numpy as np

# Loading needs the classes that a file may hold: importing them registers them with Keras.
import stylegan_transfer.networks.document_generator
import stylegan_transfer.networks.features
import stylegan_transfer.networks.generator
import stylegan_transfer.networks.transport_generator  # noqa: F401
from stylegan_transfer import __version__, hub, shipped
from stylegan_transfer.atomic import renamed_when_done
from stylegan_transfer.checks import expect, is_path, shorten
from stylegan_transfer.networks.archive import check_keras_file, check_keras_folder

_CARD = pathlib.Path(__file__).with_name("model_card.md")


def save_generator(
    generator: keras.Model, path: str | os.PathLike, half_precision: bool = False
) -> None:
    """Writes a generator as one `.keras` file, under a temporary name that is then renamed.

    On the Hugging Face Hub it becomes a repository that Keras reads, too, with a short model card
    if there is none yet. That takes the extra `hub` and a token (`hf auth login`).

    Args:
        generator: The generator.
        path: Ends in `.keras`, or is `"hf://owner/name"`.
        half_precision: Whether to store the weights as float16, half the size; loading makes
            them float32 again. Defaults to False.

    Raises:
        ConnectionError: The hub cannot be reached, or the user may not write there.
        ImportError: `huggingface_hub` is not installed.
        ValueError: `path` does not end in `.keras`, or a weight is NaN or infinite.
        OSError: The file cannot be written.

    Example:
        >>> import stylegan_transfer
        >>> generator = stylegan_transfer.StyleGenerator(width=4, num_blocks=1)
        >>> stylegan_transfer.save_generator(generator, "generator.keras", half_precision=True)
        >>> stylegan_transfer.load_generator("generator.keras").width
        4
    """
    fits = hub.is_hub_name(path) or (is_path(path) and pathlib.Path(path).suffix == ".keras")
    expect(fits, "a path that ends in .keras, or hf://owner/name", path=path)
    expect(isinstance(generator, keras.Model), "a generator of Keras", generator=generator)
    check_weights(generator)
    if hub.is_hub_name(path):
        _upload(generator, path, half_precision)
        return
    path = pathlib.Path(path)
    with renamed_when_done(path) as temporary:
        generator.save(temporary)
        if half_precision:
            os.replace(_halve(temporary), temporary)


def load_generator(path: str | os.PathLike | None = None) -> keras.Model:
    """Returns a trained generator.

    Args:
        path: A `.keras` file that `save_generator` wrote, or the folder of an unpacked one, or
            `"hf://owner/name"`. Default: the generator that ships with the package.

    Returns:
        The generator: `generator([content, style])` gives stylized images; `encode_style` and
        `synthesize` are its two halves.

    Raises:
        ConnectionError: The hub cannot be reached, or has no such generator.
        FileNotFoundError: There is no such file.
        ImportError: `huggingface_hub` is not installed.
        ValueError: The file holds no generator.

    Example:
        >>> import numpy as np
        >>> from stylegan_transfer.networks.saving import load_generator
        >>> generator = load_generator()
        >>> content, style = np.random.default_rng(0).random((2, 1, 32, 48, 3), dtype="float32")
        >>> generator([content, style]).shape == content.shape
        True
    """
    expect(path is None or is_path(path), "the path of a trained generator", path=path)
    path = shipped.GENERATOR if path is None else pathlib.Path(hub.find(path))
    if not os.path.exists(path):
        name = shorten(str(path))
        raise FileNotFoundError(f"Expected a trained generator (.keras). Received: {name!r}")
    try:
        (check_keras_folder if path.is_dir() else check_keras_file)(path)
        generator = keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # zipfile, h5py and Keras each raise their own
        raise ValueError(
            f"Expected a generator saved by save_generator. Received: {str(path)!r} "
            f"({_describe(error)})"
        ) from error
    is_generator = hasattr(generator, "encode_style") and hasattr(generator, "synthesize")
    expect(is_generator, "a generator", path=str(path), kind=type(generator).__name__)
    check_weights(generator, str(path))
    return generator


def check_weights(generator: keras.Model, name: str = "generator") -> None:
    """Raises a `ValueError` that names the first weight that is NaN or infinite.

    Args:
        generator: The generator.
        name: What the message calls it.
    """
    for weight in generator.weights:
        value = weight.value
        is_float = keras.backend.is_float_dtype(keras.backend.standardize_dtype(value.dtype))
        if is_float and not keras.ops.all(keras.ops.isfinite(value)):
            raise ValueError(
                f"Expected finite weights. Received: {name}, {weight.path} with NaN or infinity"
            )


def _upload(generator, name, half_precision):
    with tempfile.TemporaryDirectory() as folder:
        file, repository = pathlib.Path(folder, "generator.keras"), pathlib.Path(folder, "files")
        save_generator(generator, file, half_precision)
        with zipfile.ZipFile(file) as archive:
            archive.extractall(repository)
        words = {"kind": type(generator).__name__, "name": name, "version": __version__}
        text = string.Template(_CARD.read_text(encoding="utf-8")).substitute(words)
        (repository / "README.md").write_text(text, encoding="utf-8")
        hub.upload(repository, name, f"Generator of stylegan_transfer {__version__}")


def _describe(error):
    """An error in one line; Keras lists every layer that it could not load."""
    if "objects could not be loaded" in str(error):
        return "its weights are not of the shapes that its configuration says"
    return shorten(" ".join(str(error).split()))


def _halve(path):
    """Returns a copy of a `.keras` file, beside it, whose float32 weights are float16."""
    halved = path.with_suffix(".half")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(halved, "w") as target:
        for name in source.namelist():
            if name.endswith(".h5"):
                source.extract(name, path.parent)
                _halve_weights(path.parent / name)
                target.write(path.parent / name, name)
            else:
                target.writestr(name, source.read(name))
    return halved


def _halve_weights(path):
    """Rewrites an HDF5 file with its float32 datasets as float16."""
    full = path.with_suffix(".full")
    path.rename(full)
    with h5py.File(full) as source, h5py.File(path, "w") as target:
        target.attrs.update(source.attrs)

        def copy(name, item):
            if isinstance(item, h5py.Dataset):
                values = item[()]
                is_float = getattr(values, "dtype", None) == np.float32
                created = target.create_dataset(
                    name, data=np.float16(values) if is_float else values
                )
            else:
                created = target.require_group(name)
            created.attrs.update(item.attrs)

        source.visititems(copy)
