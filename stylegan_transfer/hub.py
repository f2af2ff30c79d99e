"""Generators on the Hugging Face Hub, by names such as `hf://owner/name`.

They are stored as Keras stores models there, so `keras.saving.load_model` reads them as well.
"""

import contextlib
import importlib.util
import os
import pathlib
import re

from stylegan_transfer.checks import expect

PREFIX = "hf://"
FILES = ("config.json", "metadata.json", "model.weights.h5")  # of a model of Keras, zipped or not


def is_hub_name(path: str | os.PathLike | None) -> bool:
    """Whether this names a generator on the hub."""
    return isinstance(path, str) and path.startswith(PREFIX)


def find(path: str | os.PathLike | None) -> str | os.PathLike | None:
    """Returns the path as it is; of a generator on the hub, the folder that it is downloaded to."""
    return download(path) if is_hub_name(path) else path


def download(name: str) -> str:
    """Returns the local folder with a generator of the hub; what is there already is not loaded
    again, and without a network it is taken as it is.

    Args:
        name: `"hf://owner/name"`.

    Raises:
        ConnectionError: The hub cannot be reached, or has no such generator for this user.
        ImportError: `huggingface_hub` is not installed.
        ValueError: The name is malformed.
    """
    repository, client = _split(name), _import_client()
    with _naming(name):
        folder = client.snapshot_download(repository, allow_patterns=list(FILES))
    return folder


def upload(folder: str | os.PathLike, name: str, message: str) -> None:
    """Stores the files of a folder on the hub, in one commit.

    The repository is made if there is none. A README.md that it has already is kept.

    Args:
        folder: What to store.
        name: `"hf://owner/name"`.
        message: Of the commit.

    Raises:
        ConnectionError: The hub cannot be reached, or the user may not write there.
        ImportError: `huggingface_hub` is not installed.
        ValueError: The name is malformed.
    """
    repository, client = _split(name), _import_client()
    with _naming(name):
        api = client.HfApi(library_name="keras")
        api.create_repo(repository, exist_ok=True)
        has_card = api.file_exists(repository, "README.md")
        api.upload_folder(
            repo_id=repository,
            folder_path=pathlib.Path(folder),
            commit_message=message,
            ignore_patterns=["README.md"] if has_card else None,
        )


def _split(name):
    part = r"[\w.-]+"
    expect(re.fullmatch(f"{PREFIX}{part}/{part}", name), "hf://owner/name", name=name)
    return name.removeprefix(PREFIX)


def _import_client():
    if importlib.util.find_spec("huggingface_hub") is None:
        raise ImportError(
            'Expected huggingface_hub: pip install "stylegan_transfer[hub]". '
            "Received: it is not installed"
        )
    import huggingface_hub

    return huggingface_hub


@contextlib.contextmanager
def _naming(name):
    try:
        yield
    except (OSError, ValueError) as error:  # of the client: HTTP, access, and names
        reason = " ".join(str(error).split())
        raise ConnectionError(
            f"Expected a repository of the Hugging Face Hub that can be reached. Received: {name} "
            f"({reason[:200]})"
        ) from error
