"""What an exported generator says about itself: `generator.json` beside its graphs."""

import dataclasses
import json
import os
import pathlib

from stylegan_transfer.checks import expect, is_number, is_whole

FORMAT = 2  # of folders; another one where inputs or outputs of the graphs change
NAME = "generator.json"
FORMATS = ("onnx", "openvino", "saved_model", "litert")  # of graphs
WEIGHTS = ("float32", "float16", "int8")  # as they may be stored
MIN_SIZE = 32  # pixels, the shortest side that generators take


@dataclasses.dataclass(frozen=True)
class Description:
    """What `stylize` must know about a generator.

    Attributes:
        kind: Its class, `StyleGenerator` or `TransportGenerator`.
        graphs: Their format: `onnx`, `openvino`, `saved_model` or `litert`.
        noise: Whether it is trained with noise.
        strides: How many pixels a position of each layer stands for.
        receptive_radius: How many pixels further on the content can still matter.
        code_size: Length of the codes that modulate layers.
        moments_size: How many statistics its normalizations have in all.
        levels: Channels of the levels that a `TransportGenerator` moves, coarse to fine.
        ranges: `{graph: {tensor: (low, high)}}`: what 8 bits hold of maps that are convolved.
        format: Of the folder.
    """

    kind: str
    graphs: str
    noise: bool
    strides: tuple[int, ...]
    receptive_radius: int
    code_size: int
    moments_size: int
    levels: tuple[int, ...] = ()
    ranges: dict = dataclasses.field(default_factory=dict)
    format: int = FORMAT

    def write(self, folder: pathlib.Path) -> None:
        """Writes `generator.json` into the folder."""
        text = json.dumps(dataclasses.asdict(self), indent=1)
        (folder / NAME).write_text(text + "\n", encoding="utf-8")


def is_exported(path: str | os.PathLike) -> bool:
    """Returns whether the path is a folder that `export` wrote."""
    return (pathlib.Path(path) / NAME).is_file()


def read_description(folder: str | os.PathLike) -> Description:
    """Returns what the folder of an exported generator says about it.

    Raises:
        ValueError: It is damaged, or of another version.
    """
    path = pathlib.Path(folder) / NAME
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        version = fields["format"]
        expect(version == FORMAT, f"graphs of format {FORMAT}", path=str(path), format=version)
        sizes = {name: tuple(fields[name]) for name in ("strides", "levels")}
        description = Description(**{**fields, **sizes})
    except (TypeError, KeyError, json.JSONDecodeError, UnicodeError, RecursionError) as error:
        raise ValueError(
            f"Expected the description of an exported generator. Received: {path} ({error})"
        ) from None
    numbers = {name: fields[name] for name in ("receptive_radius", "code_size", "moments_size")}
    values = (*numbers.values(), *description.strides, *description.levels)
    fits = all(is_whole(value, 0) for value in values) and len(description.strides) > 0
    expect(fits, "whole numbers", path=str(path), **numbers, **sizes)
    fits = _are_ranges(description.ranges)
    expect(fits, "ranges (low, high) of tensors by graph and name", path=str(path))
    return description


def _are_ranges(ranges):
    graphs = [*ranges.values()] if isinstance(ranges, dict) else [None]
    if not all(isinstance(tensors, dict) for tensors in graphs):
        return False
    bounds = [bound for tensors in graphs for bound in tensors.values()]
    are_pairs = all(isinstance(bound, list) and len(bound) == 2 for bound in bounds)
    return are_pairs and all(is_number(low) and is_number(high, low) for low, high in bounds)
