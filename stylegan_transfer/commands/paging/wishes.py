"""What a visitor wishes: the controls of the page, checked."""

import dataclasses

from stylegan_transfer.options import Options, option
from stylegan_transfer.stylizing.codes import STYLE_SIZE
from stylegan_transfer.stylizing.qualities import QUALITIES


@dataclasses.dataclass(frozen=True)
class Wish(Options):
    """How a photograph is to be painted. The descriptions stand beside the controls."""

    strength: float = option(
        1.0, description="0 is the photograph, 1 the full style.", minimum=0, maximum=1
    )
    style_size: int = option(
        STYLE_SIZE,
        description="Larger values give larger strokes.",
        minimum=64,
        maximum=1024,
    )
    mixture: float = option(
        0.5,
        description="0 is the first painting alone, 1 the second.",
        minimum=0,
        maximum=1,
    )
    preserve_color: str | None = option(
        None,
        description="Whose colours the result has; matched ones are in between.",
        choices=("luminance", "match"),
    )
    quality: str = option(
        "fast",
        description="Fine takes some seconds more, best a minute or several.",
        choices=tuple(QUALITIES),
    )
    seed: int = option(
        0,
        description="Another number gives other strokes.",
        minimum=-1_000_000_000,
        maximum=1_000_000_000,
    )
    report: bool = option(
        False,
        description="Say whether the result is a copy of a painting, or hardly changed.",
    )

    def shares(self, num_styles: int) -> list[float]:
        """Returns the share of each of one or two paintings."""
        return [1.0] if num_styles == 1 else [1.0 - self.mixture, self.mixture]

    @property
    def is_judged(self) -> bool:
        """Whether a verdict is given. `fine` and `best` have loaded what it needs."""
        return self.report or self.quality != "fast"
