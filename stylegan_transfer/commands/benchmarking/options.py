"""The options of `benchmark`."""

import dataclasses
import os

from stylegan_transfer.options import Options, option

PARTS = ("stylising", "commands", "clips", "formats", "training", "curves")
EXPORTED = {
    "onnx": "stylegan_transfer, onnxruntime",
    "openvino": "stylegan_transfer, OpenVINO",
    "openvino-fast": "stylegan_transfer, OpenVINO, fast",
}


@dataclasses.dataclass(frozen=True)
class BenchmarkOptions(Options):
    """What is measured, how often, and beside whom."""

    parts: tuple[str, ...] = option(
        PARTS, description=f"What to measure, out of {', '.join(PARTS)}.", not_empty=True
    )
    output: str = option(
        "benchmark.json", description="File of all figures; replaced.", not_empty=True
    )
    repetitions: int = option(
        7, description="Whose median counts, after two to warm up.", minimum=1, maximum=10_000
    )
    threads: int = option(
        os.cpu_count(), description="Of every contestant.", minimum=1, maximum=1_024
    )
    sizes: tuple[int, ...] = option(
        (256, 512, 1024, 2048),
        description="Sides of the pictures to paint.",
        minimum=32,
        maximum=16_384,
        not_empty=True,
    )
    runtimes: tuple[str, ...] = option(
        tuple(EXPORTED),
        description="That run our exported graphs, beside TensorFlow: out of "
        f"{', '.join(EXPORTED)}; empty: none.",
    )
    megapixels: tuple[float, ...] = option(
        (1.0, 4.0, 12.0, 48.0),
        description="Of pictures that we alone paint, in tiles; empty: none.",
        minimum=0.01,
        maximum=256,
    )
    peer_python: str | None = option(
        None, description="Python that has the other package. Without it: one is installed."
    )
    cache_dir: str = option(
        "~/.cache/stylegan_transfer/peers",
        description="Where the other package is installed.",
        not_empty=True,
    )
    training_sizes: tuple[int, ...] = option(
        (128, 256),
        description="Sides of the training crops.",
        minimum=32,
        maximum=4_096,
        not_empty=True,
    )
    batch_size: int = option(8, description="Of the training steps.", minimum=2, maximum=4_096)
    vgg: str | None = option(
        None, description="VGG19 weights (.h5 or .npz) to train with, too.", not_empty=True
    )

    def __post_init__(self):
        super().__post_init__()
        self.expect(set(self.parts) <= set(PARTS), "parts", f"out of {', '.join(PARTS)}")
        known = f"out of {', '.join(EXPORTED)}"
        self.expect(set(self.runtimes) <= set(EXPORTED), "runtimes", known)
        for name in ("peer_python", "vgg"):
            path = getattr(self, name)
            if path is not None and not os.path.isfile(path):
                raise FileNotFoundError(f"Expected {name}: a file. Received: {name}={path!r}")

    @property
    def exported(self) -> list[str]:
        """The contestants that paint with exported graphs."""
        return [EXPORTED[runtime] for runtime in self.runtimes]
