"""The options of `evaluate`."""

import dataclasses
import pathlib

from stylegan_transfer.measuring.footage import MAX_FRAMES, MOTIONS
from stylegan_transfer.options import Options, option

# What only the report of pictures has.
_OF_PICTURES = (
    *("reference", "strengths", "equal_content", "equal_gram", "originality", "update", "plot"),
    *("pairwise", "num_comparisons"),
)


@dataclasses.dataclass(frozen=True)
class EvaluateOptions(Options):
    """What is measured, in which sizes and by which features, and where the report goes."""

    style: tuple[str, ...] = option(
        description="Picture, folder or glob.", not_empty=True, repeatable=True
    )
    output: str = option(description="Folder of the report, which is renewed.", not_empty=True)
    content: tuple[str, ...] = option(
        (), description="Picture, folder or glob. Needed without --clip.", repeatable=True
    )
    clip: tuple[str, ...] = option(
        (),
        description="Clip, or folder of clips: measure how they flicker when they are painted, in "
        "place of pictures.",
        repeatable=True,
    )
    motions: tuple[str, ...] = option(
        (),
        description="Measure clips of these motions, rendered from --content, of 3 to 2 with a "
        f"short side of --paint_size: out of {', '.join(MOTIONS)}.",
    )
    keep_clips: bool = option(
        False,
        description="Whether the clips of --motions are written, as clips/CONTENT_MOTION.mkv in "
        "--output. Another program can paint them: CONTENT_MOTION_STYLE.mp4 for --results.",
    )
    num_frames: int = option(
        16, description="Of each clip, from its start.", minimum=2, maximum=100_000
    )
    generator: tuple[str, ...] = option(
        (),
        description="NAME=PATH of a generator (.keras). Without one: the one that ships.",
        repeatable=True,
    )
    generators: bool = option(True, description="Whether generators are measured at all.")
    results: tuple[str, ...] = option(
        (),
        description="NAME=FOLDER of finished results, made by any program: CONTENT_STYLE.png, of a "
        "clip CONTENT_STYLE.mp4, as `stylize` names them, or with another suffix. Or NAME=FILE of "
        "one content in one style. Clips have as many frames as their content, or --num_frames.",
        repeatable=True,
    )
    reference: str | None = option(
        None,
        description="NAME out of --results: which share of the Gram gap between the photographs "
        "and these do generators close? Meant for what `optimize` makes.",
    )
    strengths: tuple[float, ...] = option(
        (0.0, 0.25, 0.5, 0.75, 1.0),
        description="Of generators; 1 is always in.",
        minimum=0,
        maximum=1,
    )
    equal_content: float | None = option(
        None,
        description="Content distance at which the Gram distances of generators are compared. "
        "Default: the largest that all of them reach.",
        above=0,
    )
    equal_gram: float | None = option(
        None,
        description="Gram distance at which the content distances of generators are compared. "
        "Default: the least that all of them reach.",
        above=0,
    )
    style_size: int = option(
        384,
        description="Short side at which generators look at styles.",
        minimum=32,
        maximum=16_384,
    )
    paint_size: int = option(
        512,
        description="Short side at which is painted, and at which grid artefacts, hatching and "
        "halos are looked for.",
        minimum=128,
        maximum=8_192,
    )
    measure_size: int = option(
        256, description="Short side at which all else is measured.", minimum=32, maximum=8_192
    )
    features: tuple[str, ...] = option(
        ("distilled",),
        description='Weights of the features: "distilled", "imagenet", "random" or a path; of '
        "several, each layer comes from the first that holds it.",
        not_empty=True,
    )
    content_layers: tuple[str, ...] = option(
        ("relu3_1", "relu4_1"), description="Layers of the content distance.", not_empty=True
    )
    style_layers: tuple[str, ...] = option(
        ("relu1_1", "relu2_1", "relu3_1", "relu4_1"),
        description="Layers of the style distances.",
        not_empty=True,
    )
    originality: bool = option(
        False, description="Whether to judge if results are copies; takes long."
    )
    seed: int = option(
        0,
        description="Of the intervals, and of --features=random.",
        minimum=0,
        maximum=1_000_000_000,
    )
    update: str | None = option(
        None,
        description="File whose part from <!-- results --> to <!-- /results --> becomes the "
        "table of the main figures.",
    )
    plot: str | None = option(None, description="File of a copy of the plot (SVG).")
    pairwise: bool = option(
        False,
        description="Whether to write pairwise.html: a page on which one chooses, blindly, between "
        "the results of generators, and of --results.",
    )
    num_comparisons: int = option(
        40, description="Of the pairwise page; each takes some 200 KB.", minimum=1
    )

    def __post_init__(self):
        super().__post_init__()
        self._check_clips()
        for name in ("generator", "results"):
            texts = getattr(self, name)
            named = _split_names(texts)
            fits = len(named) == len(texts) and all(map(all, named.items()))
            self.expect(fits, name, "NAME=PATH, each name once")
        fits = self.generators or not self.generator
        self.expect(fits, "generator", "none with --nogenerators, or no --nogenerators")
        fits = not self.named_results.keys() & self.named_generators.keys()
        self.expect(fits, "results", "other names than the generators'")
        num_compared = len(self.named_generators) + len(self.named_results)
        fits = not self.pairwise or num_compared > 1
        self.expect(fits, "pairwise", "at least two generators and results to compare")
        fits = self.reference is None or self.reference in self.named_results
        self.expect(fits, "reference", "a name out of --results")

    def _check_clips(self):
        fits = not (self.clip and self.motions)
        self.expect(fits, "motions", "none with --clip, or no --clip")
        self.expect(set(self.motions) <= set(MOTIONS), "motions", f"out of {', '.join(MOTIONS)}")
        if self.clip:
            self.expect(not self.content, "content", "none with --clip")
        else:
            self.expect(bool(self.content), "content", "at least one, or --clip")
        fits = bool(self.motions) or not self.keep_clips
        self.expect(fits, "keep_clips", "none without --motions")
        fits = not self.motions or self.num_frames <= MAX_FRAMES
        self.expect(fits, "num_frames", f"at most {MAX_FRAMES} with --motions")
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            fits = field.name not in _OF_PICTURES or value == field.default
            self.expect(fits or not self.is_of_clips, field.name, "none with --clip and --motions")

    @property
    def is_of_clips(self) -> bool:
        """Whether clips are measured in place of pictures."""
        return bool(self.clip or self.motions)

    @property
    def named_generators(self) -> dict[str, str | None]:
        """The generators' files by name, or names on the hub; None is the one that ships."""
        if not self.generators:
            return {}
        return _split_names(self.generator) or {"shipped": None}

    @property
    def named_results(self) -> dict[str, pathlib.Path]:
        """The folders, or files, of results by name."""
        return {name: pathlib.Path(path) for name, path in _split_names(self.results).items()}


@dataclasses.dataclass(frozen=True)
class ChoicesOptions(Options):
    """What the command does in place of measuring."""

    choices: tuple[str, ...] = option(
        (),
        description="File that the pairwise page saved, or several: print the table of wins, and "
        "measure nothing.",
        repeatable=True,
    )


def _split_names(texts):
    parts = (text.partition("=") for text in texts)
    return {name: path for name, _, path in parts}
