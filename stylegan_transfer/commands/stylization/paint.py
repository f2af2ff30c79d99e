"""How `stylize` paints the jobs of a plan."""

import contextlib
import dataclasses
import functools
import time
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from stylegan_transfer.commands.launch import explain
from stylegan_transfer.commands.pairs import Job, Style, is_clip
from stylegan_transfer.commands.stylization.options import StylizeOptions
from stylegan_transfer.commands.stylization.record import Makings, Record
from stylegan_transfer.commands.stylization.styles import StyleEncoder
from stylegan_transfer.commands.timing import Timer
from stylegan_transfer.pictures.clips import read_frames
from stylegan_transfer.pictures.files import load_image, load_picture, save_picture
from stylegan_transfer.pictures.inputs import resize_picture
from stylegan_transfer.pictures.picture import Picture
from stylegan_transfer.stylizing.contents import repaint
from stylegan_transfer.stylizing.stylize import load_refiner
from stylegan_transfer.stylizing.with_code import stylize_with_code

_SECONDS_BETWEEN_RECORDS = 1.0


@dataclasses.dataclass(frozen=True, eq=False)
class _Loaded:
    """A job with all that its painting needs."""

    job: Job
    picture: Picture
    codes: list[np.ndarray]  # with masks one for each painting
    makings: dict


class Painter:
    """Paints jobs; remembers what is done and what went wrong.

    Args:
        generator: From `load_generator`.
        options: Of the run.
        makings: Says what results are made of.
        record: Of the output folder, or None.
        timer: Adds up where the time goes.
        bar: A `Bar` that counts the jobs.

    Attributes:
        done: The jobs whose results are written.
        failures: What went wrong, one line each.
        reports: How original results are, by job, if that was asked for.
    """

    def __init__(
        self,
        generator,
        options: StylizeOptions,
        makings: Makings,
        record: Record | None,
        timer: Timer,
        bar,
    ):
        self.done: set[Job] = set()
        self.failures: list[str] = []
        self.reports = {}
        self._generator, self._options, self._makings = generator, options, makings
        self._record, self._timer, self._bar = record, timer, bar
        self._recorded_at = time.monotonic()
        # Jobs come content by content.
        self._picture = functools.lru_cache(maxsize=2)(self._read)
        self._repainting = functools.lru_cache(maxsize=2)(self._repaint)
        self._styles = StyleEncoder(generator, options)
        self._refiner = functools.lru_cache(maxsize=256)(self._load_refiner)

    def paint(self, jobs: Sequence[Job]) -> None:
        """Paints and writes jobs, several of one size together."""
        for batch in self._batches(jobs):
            with self._guard([loaded.job for loaded in batch]):
                self._paint_pictures(batch)

    def guard(self, subject) -> contextlib.AbstractContextManager:
        """Turns an error of the block into one of `failures` that names the subject."""
        return self._guard([], subject)

    def _batches(self, jobs: Iterable[Job]) -> Iterator[list[_Loaded]]:
        """Yields loaded pictures of one size, and paints clips in between."""
        batch, shape, limit = [], None, 1
        for job in jobs:
            loaded = None
            with self._guard([job]):
                loaded = self._paint_clip(job) if is_clip(job.content) else self._load(job)
            if loaded is None:
                continue
            pixels = loaded.picture.pixels.shape
            if batch and (len(batch) == limit or pixels != shape):
                yield batch
                batch = []
            batch.append(loaded)
            shape = pixels
            fits = shape[0] * shape[1] <= self._options.tile_size**2
            is_together = fits and self._options.quality == "fast"
            limit = self._options.batch_size if is_together else 1
        if batch:
            yield batch

    @contextlib.contextmanager
    def _guard(self, jobs, subject=None):
        """Notes an error in place of raising it. Each is one line that names a file."""
        try:
            yield
        except (ValueError, OSError, ImportError) as error:
            message = explain(error) if isinstance(error, ImportError) else str(error)
            files = [str(path) for job in jobs for path in (job.content, *job.style.paths)]
            if isinstance(error, ImportError) or any(file in message for file in files):
                lines = [message]
            else:
                subjects = [subject] if subject else [job.content for job in jobs]
                lines = [f"{subject}: {message}" for subject in subjects]
            self.failures += [line for line in dict.fromkeys(lines) if line not in self.failures]
            self._bar.update(len(jobs))

    def _load(self, job):
        makings = self._makings.of(job)
        picture = self._picture(job.content)
        match = picture if self._options.preserve_color == "match" else None
        with self._timer("encoding styles"):
            codes = self._styles.encode(job.style, match)
        return _Loaded(job, picture, codes, makings)

    def _read(self, path):
        with self._timer("reading"):
            picture = load_picture(path)
            size = self._options.content_size
            if size and min(picture.image.shape[:2]) > size:
                picture = resize_picture(picture, short_side=size)
        return picture

    def _find_refiner(self, style, match):
        return self._refiner(style) if match is None else self._load_refiner(style, match)

    def _load_refiner(self, style: Style, match=None):
        """What refines pictures in this style; None for a quality of fast."""
        options = self._options
        return load_refiner(
            options.quality,
            list(style.paths),
            weights=style.weights,
            fine_style=options.fine_style,
            is_masked=bool(options.mask),
            style_size=options.style_size,
            match=match,
        )

    def _repaint(self, content):
        """What a strength below 1 needs of a content, whatever the style."""
        return repaint(
            self._generator,
            self._picture(content),
            style_size=self._options.style_size,
            seed=self._options.seed,
            tileable=self._options.tileable,
            tile_size=self._options.tile_size,
            progress=self._show_tiles,
        )

    def _paint_pictures(self, batch):
        options = self._options
        codes = [np.concatenate(c) for c in zip(*(loaded.codes for loaded in batch), strict=True)]
        pixels = [loaded.picture.pixels for loaded in batch]
        pixels = np.stack(pixels) if len(pixels) > 1 else pixels[0][None]  # copies nothing
        with self._timer("painting"):
            repainting = None
            match = batch[0].picture if options.preserve_color == "match" else None
            if 0 < options.strength < 1:
                repainting = [self._repainting(loaded.job.content) for loaded in batch]
            painted = stylize_with_code(
                self._generator,
                pixels,
                codes if options.mask else codes[0],
                masks=options.mask or None,
                strength=options.strength,
                style_size=options.style_size,
                preserve_color="luminance" if options.preserve_color == "luminance" else None,
                seed=options.seed,
                tileable=options.tileable,
                tile_size=options.tile_size,
                progress=self._show_tiles,
                repainting=repainting,
                refiner=self._find_refiner(batch[0].job.style, match),  # with one, batches are of 1
            )
        for loaded, image in zip(batch, painted, strict=True):
            with self._guard([loaded.job], loaded.job.output):
                self._finish(loaded, image[..., :3])

    def _finish(self, loaded, image):
        """Writes a result, and judges it."""
        result = dataclasses.replace(loaded.picture, image=image)
        if not self._options.keep_depth:
            result = dataclasses.replace(result, is_grey=False, bits=8)
        with self._timer("writing"):
            save_picture(result, loaded.job.output, self._options.compression_quality)
        if self._options.report:
            with self._timer("judging"):
                self.reports[loaded.job] = self._judge(loaded, result)
        self._count(loaded.job, loaded.makings)

    def _count(self, job, makings):
        self.done.add(job)
        self._bar.update()
        if self._record is None:
            return
        self._record.finish(job, makings)
        if time.monotonic() - self._recorded_at > _SECONDS_BETWEEN_RECORDS:
            self._recorded_at = time.monotonic()
            with self.guard(self._record.path):
                self._record.save()

    def _show_tiles(self, done, total):
        if total > 1:
            self._bar.note("" if done == total else f"part {done} of {total}")

    def _paint_clip(self, job):
        from stylegan_transfer.commands.stylization.clip import paint_clip

        if self._options.tileable:
            raise ValueError(
                "Expected no --tileable for a clip: its frames move. "
                f"Received: --content={job.content}"
            )
        makings, match = self._makings.of(job), None
        if self._options.preserve_color == "match":
            match = next(read_frames(job.content))  # as all frames: codes that change flicker
        with self._timer("encoding styles"):
            codes = self._styles.encode(job.style, match)
        refiner = self._find_refiner(job.style, match)
        with self._timer("painting clips"):
            paint_clip(self._generator, job, codes, self._options, refiner, makings, self._bar)
        self._bar.note("")
        self._count(job, makings)

    def _judge(self, loaded, result):
        """The report on the painting that the result is closest to."""
        from stylegan_transfer.measuring.originality import judge_originality

        reports = [
            judge_originality(result.image, loaded.picture.image, load_image(path), self._features)
            for path in loaded.job.style.paths
        ]
        return max(reports, key=lambda report: report.style.patch_correlation)

    @functools.cached_property
    def _features(self):
        from stylegan_transfer.networks.features import VGG19Features

        return VGG19Features()
