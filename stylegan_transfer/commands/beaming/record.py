"""The record of an output folder: with which flags its results were made."""

import json
from collections.abc import Sequence

from stylegan_transfer import hub, shipped
from stylegan_transfer.checks import shorten
from stylegan_transfer.commands.beaming import places
from stylegan_transfer.commands.beaming.options import LOOK, BeamOptions
from stylegan_transfer.commands.pairs import Style
from stylegan_transfer.commands.stylization.record import hash_file

NAME = "beam.json"
_FORMAT = 1


def describe_run(options: BeamOptions, styles: Sequence[Style]) -> dict:
    """Returns what decides how results look, as JSON holds it: flags, and files as SHA-256.

    Raises:
        OSError: A file cannot be read.
    """
    return {
        "beam": _FORMAT,
        "generator": hash_file(hub.find(options.generator) or shipped.GENERATOR),
        "fine_style": options.fine_style and hash_file(options.fine_style),
        **{name: getattr(options, name) for name in LOOK},
        "styles": {
            style.name: {
                "paintings": [hash_file(path) for path in style.paths],
                "weights": style.weights and list(style.weights),
            }
            for style in styles
        },
    }


def save_record(folder: str, record: dict) -> None:
    """Writes the record of a run into the output folder."""
    with places.written_whole(places.join(folder, NAME)) as temporary:
        temporary.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def join_records(folder: str, record: dict) -> dict:
    """Returns the record of a run that goes on from the one that the folder names.

    Styles may be others; those of one name must be the same.

    Raises:
        FileExistsError: There is no record.
        ValueError: It is damaged, or names other flags or files.
    """
    path = places.join(folder, NAME)
    if path not in places.list_files(folder):
        raise FileExistsError(
            f"Expected results that {path} tells of for --resume, or --overwrite. "
            "Received: results, and no such file"
        )
    try:
        before = json.loads(places.read_bytes(path))
        known = dict(before["styles"])
        is_ours = before["beam"] == _FORMAT
    except (ValueError, LookupError, TypeError, RecursionError):
        is_ours = False
    if not is_ours:
        raise ValueError(
            f"Expected the record of an earlier run, or --overwrite. Received: {path}, damaged"
        )
    others = [name for name in record if name != "styles" and record[name] != before.get(name)]
    others += [
        f"style {n}" for n, style in record["styles"].items() if known.get(n, style) != style
    ]
    if others:
        raise ValueError(
            f"Expected the flags and files that {path} names for --resume, or --overwrite. "
            f"Received: another {shorten(' and '.join(others))}"
        )
    return {**record, "styles": {**known, **record["styles"]}}
