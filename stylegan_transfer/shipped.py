"""Where the trained weights lie that come with the package."""

import pathlib

_FOLDER = pathlib.Path(__file__).parent / "weights"
GENERATOR = _FOLDER / "generator.keras"
GRAPHS = _FOLDER / "exported"  # the same generator, for other runtimes
FEATURES = {name: _FOLDER / f"vgg19_{name}.npz" for name in ("distilled", "slim")}
