"""The options of `page`."""

import dataclasses

from stylegan_transfer.commands.stylization.options import StylizeOptions
from stylegan_transfer.options import Options, option, same_option


@dataclasses.dataclass(frozen=True)
class PageOptions(Options):
    """Where the page is, what paints, and how much a visitor may ask for."""

    host: str = option(
        "127.0.0.1",
        description="Address to listen at. The default is reached from this machine alone; 0.0.0.0 "
        "is reached from all that can reach it.",
        not_empty=True,
    )
    port: int | None = option(
        None,
        description="Port to listen at. Without it: the first that is free from 7860 on.",
        minimum=1,
        maximum=65_535,
    )
    browser: bool = option(True, description="Open the page in the browser.")
    generator: str | None = same_option(StylizeOptions, "generator")
    runtime: str = same_option(StylizeOptions, "runtime")
    painters: int = option(
        2,
        description="Pictures that are painted at once; others wait for their turn.",
        minimum=1,
        maximum=64,
    )
    queue_size: int = option(
        20, description="Pictures that may wait; more are turned away.", minimum=1, maximum=10_000
    )
    time_limit: float = option(
        600.0, description="Seconds after which a picture is given up.", above=0, maximum=86_400
    )
    max_mb: int = option(25, description="Of a file, in megabytes.", minimum=1, maximum=1_000)
    max_megapixels: int = option(
        24, description="Of a picture. Memory grows with it.", minimum=1, maximum=256
    )
    keep_minutes: int = option(
        60,
        description="Uploads and results are deleted after this time, and when the page ends.",
        minimum=1,
        maximum=10_080,
    )
    sample_size: int = option(
        384,
        description="Side of the sample pictures in pixels; 0 leaves them out.",
        minimum=0,
        maximum=2_048,
    )

    def __post_init__(self):
        super().__post_init__()
        self.expect(self.sample_size not in range(1, 32), "sample_size", "0, or at least 32")
