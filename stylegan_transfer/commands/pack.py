"""Packs photographs and paintings into one small file to train from, on a rented GPU for example.

stylegan-transfer pack --content=PHOTOS --style=PAINTINGS --output=pairs.zip
stylegan-transfer train --content=pairs.zip --style=pairs.zip --workdir=DIR
"""

import dataclasses
import io
import itertools
import pathlib
import warnings
import zipfile
from collections.abc import Iterator, Sequence

from stylegan_transfer.atomic import check_place, renamed_when_done
from stylegan_transfer.commands import launch
from stylegan_transfer.options import Options, option

_ENTRY = 256  # bytes that the archive spends on a picture beside its own, at most
FOLDERS = ("content", "style")  # where `training.sources` looks for them


@dataclasses.dataclass(frozen=True)
class PackOptions(Options):
    """What is packed, and how small."""

    content: str = option(description="Photographs: a file, a folder or a glob.", not_empty=True)
    style: str = option(description="Paintings: the same.", not_empty=True)
    output: str = option(description="The file to write: NAME.zip.", not_empty=True)
    size: int = option(
        320,
        description="Short side in pixels to which larger pictures are reduced.",
        minimum=32,
        maximum=4_096,
    )
    quality: int = option(80, description="Quality of the JPEG files.", minimum=1, maximum=100)
    max_mb: float = option(
        40.0, description="Most megabytes of the file.", minimum=0.01, maximum=65_536
    )
    seed: int = option(
        0, description="Which pictures are taken where not all fit.", minimum=0, maximum=2**31
    )
    overwrite: bool = option(False, description="Whether a file that exists is replaced.")

    def __post_init__(self):
        super().__post_init__()
        self.expect(self.output.lower().endswith(".zip"), "output", "a name that ends in .zip")


def main(argv: Sequence[str]) -> int:
    """Packs as the flags say; returns the exit code."""
    return pack(launch.Flags(argv, __doc__, PackOptions).make(PackOptions))


def pack(options: PackOptions) -> int:
    """Packs as many pictures as fit, photographs and paintings in turn; returns the exit code."""
    output = pathlib.Path(options.output)
    check_place(output)
    if output.exists() and not options.overwrite:
        raise FileExistsError(f"Expected --overwrite for a file that exists. Received: {output}")
    sources = (options.content, options.style)
    pictures = [_encode(source, options) for source in sources]
    counts, room = [0, 0], options.max_mb * 1e6 - _ENTRY
    with renamed_when_done(output) as temporary:
        with zipfile.ZipFile(temporary, "w") as archive:  # stored: JPEG files shrink no more
            for kind, encoded in _in_turn(pictures):
                room -= len(encoded) + _ENTRY
                if room < 0:
                    break
                archive.writestr(f"{FOLDERS[kind]}/{counts[kind]:06}.jpg", encoded)
                counts[kind] += 1
        if 0 in counts:
            raise ValueError(
                "Expected max_mb that holds a photograph and a painting. "
                f"Received: max_mb={options.max_mb:g}"
            )
        size = temporary.stat().st_size / 1e6
    print(f"Packed {counts[0]} photographs and {counts[1]} paintings: {output}, {size:.1f} MB")
    return 0


def _encode(source: str, options: PackOptions) -> Iterator[bytes]:
    """Yields the pictures of a source as JPEG files, in an order drawn by the seed."""
    import numpy as np
    import tqdm
    from PIL import Image

    from stylegan_transfer.pictures.files import list_images, load_image

    paths = list_images(source)
    np.random.default_rng(options.seed).shuffle(paths)
    for path in tqdm.tqdm(paths, unit="picture", leave=False, disable=None):
        try:
            image = load_image(path, "uint8", max_short_side=options.size)
        except (OSError, ValueError) as error:
            warnings.warn(f"Skipped a picture. {error}", stacklevel=2)
            continue
        file = io.BytesIO()
        Image.fromarray(image).save(file, "JPEG", quality=options.quality)
        yield file.getvalue()


def _in_turn(pictures: Sequence[Iterator[bytes]]) -> Iterator[tuple[int, bytes]]:
    """Yields a picture of each kind in turn, and those of the longer one to its end."""
    for row in itertools.zip_longest(*pictures):
        yield from ((kind, encoded) for kind, encoded in enumerate(row) if encoded is not None)
