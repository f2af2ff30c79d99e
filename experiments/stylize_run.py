"""How `stylize.py` paints its jobs, by its flags."""

import dataclasses
import functools
import hashlib
import json
import pathlib

import numpy as np
import stylize_plan
from absl import flags

from stylegan_transfer.atomic import renamed_when_done
from stylegan_transfer.measuring.originality import judge_originality
from stylegan_transfer.networks.features import VGG19Features
from stylegan_transfer.networks.saving import DEFAULT_PATH
from stylegan_transfer.pictures.colors import match_colors
from stylegan_transfer.pictures.files import load_image, load_picture, save_picture
from stylegan_transfer.pictures.inputs import resize_image
from stylegan_transfer.stylizing.stylize import encode_style, join_codes, stylize_with_code

FLAGS = flags.FLAGS
CACHE = pathlib.Path.home() / ".cache" / "stylegan_transfer"


class Run:
    """The painting of many jobs: what they share, and what went wrong."""

    def __init__(self, generator, timer):
        self.generator, self.timer, self.bar = generator, timer, None
        self.failures, self.failed, self.reports = {}, set(), {}
        self._code = functools.lru_cache(maxsize=None)(self._encode)
        self._picture = functools.lru_cache(maxsize=2)(self._read)

    def batches(self, jobs):
        """Yields lists of `(job, picture, pixels, code)` of one size, in the order of the jobs."""
        batch, shape, limit = [], None, 1
        for job in jobs:
            if job.content.suffix.lower() in stylize_plan.VIDEO_SUFFIXES:
                self._guard([job], self._paint_clip, job)
                continue
            loaded = self._guard([job], self._load, job)
            if loaded is None:
                continue
            _, pixels, _ = loaded
            if batch and (len(batch) == limit or pixels.shape != shape):
                yield batch
                batch = []
            batch.append((job, *loaded))
            shape = pixels.shape
            limit = 1 if shape[0] * shape[1] > FLAGS.tile_size**2 else FLAGS.batch_size
        if batch:
            yield batch

    def paint(self, batch):
        """Paints and writes a batch."""
        self._guard([job for job, *_ in batch], self._paint_pictures, batch)

    def _guard(self, jobs, function, *args):
        """What the function returns; None if it fails, whereupon the jobs count as failed."""
        try:
            return function(*args)
        except (ValueError, OSError) as error:
            self.failures.setdefault(str(error))
            self.failed.update(jobs)
            self.bar.update(len(jobs))

    def _read(self, path):
        with self.timer("reading"):
            picture = load_picture(path)
        if FLAGS.content_size and min(picture.image.shape[:2]) > FLAGS.content_size:
            image = resize_image(picture.image, short_side=FLAGS.content_size)
            alpha = picture.alpha
            if alpha is not None:
                alpha = resize_image(alpha, size=image.shape[:2])[..., 0]
            picture = dataclasses.replace(picture, image=image, alpha=alpha)
        return picture

    def _paint_pictures(self, batch):
        jobs, pictures, contents, codes = zip(*batch, strict=True)
        code = [np.concatenate(c) for c in zip(*codes, strict=True)]
        pixels = np.stack(contents) if len(contents) > 1 else contents[0][None]  # copies nothing
        with self.timer("painting"):
            painted = stylize_with_code(
                self.generator,
                pixels,
                code if FLAGS.mask else code[0],
                masks=FLAGS.mask or None,
                strength=FLAGS.strength,
                style_size=FLAGS.style_size,
                preserve_color="luminance" if FLAGS.preserve_color == "luminance" else None,
                seed=FLAGS.seed,
                tileable=FLAGS.tileable,
                tile_size=FLAGS.tile_size,
                progress=self._show_tiles,
            )
        for job, picture, pixels in zip(jobs, pictures, painted, strict=True):
            result = dataclasses.replace(picture, image=pixels[..., :3])
            if not FLAGS.keep_depth:
                result = dataclasses.replace(result, is_grey=False, bits=8)
            with self.timer("writing"):
                save_picture(result, job.output, FLAGS.quality)
            if FLAGS.report:
                with self.timer("judging"):
                    self.reports[job] = self._judge(job, picture, result)
            self.bar.update()

    def _show_tiles(self, done, total):
        self.bar.set_postfix_str("" if done == total else f"tile {done} of {total}")

    def _paint_clip(self, job):
        from stylegan_transfer.stylizing.video import stylize_video

        if FLAGS.mask or FLAGS.preserve_color or FLAGS.tileable or FLAGS.seed:
            raise ValueError(
                "Expected no --mask, --preserve_color, --tileable or --seed for a clip. "
                f"Received: --content={job.content}"
            )
        options = {} if FLAGS.smoothing is None else {"smoothing": FLAGS.smoothing}
        with self.timer("painting clips"):
            stylize_video(
                self.generator,
                job.content,
                self._code(job.style)[0],
                job.output,
                strength=FLAGS.strength,
                style_size=FLAGS.style_size,
                **options,
            )
        self.bar.update()

    def _load(self, job):
        """The picture of a job, its pixels with alpha, and the code of its style."""
        picture = self._picture(job.content)
        with self.timer("encoding styles"):
            if FLAGS.preserve_color == "match":
                code = self._encode(job.style, picture.image)
            else:
                code = self._code(job.style)
        return picture, _pixels(picture), code

    def _encode(self, style, match=None):
        """The style's code, in a list; with masks one for each painting."""
        if FLAGS.mask:
            codes = [self._encode_paintings([path], None, match) for path in style.paths]
        else:
            codes = [self._encode_paintings(style.paths, style.weights, match)]
        if FLAGS.fine_style:
            fine = self._encode_paintings([FLAGS.fine_style], None, match)
            return [join_codes(self.generator, c, fine, FLAGS.num_coarse_layers) for c in codes]
        return codes

    def _encode_paintings(self, paths, weights, match):
        encode = functools.partial(
            encode_style, self.generator, style_size=FLAGS.style_size, weights=weights
        )
        if match is not None:
            return encode([match_colors(load_image(path), match) for path in paths])
        if len(paths) < 10:
            return encode(list(paths))
        return _cached(lambda: encode(list(paths)), paths, weights)

    def _judge(self, job, picture, result):
        """The report on the painting that the result is closest to."""
        reports = [
            judge_originality(result.image, picture.image, load_image(path), self._features)
            for path in job.style.paths
        ]
        return max(reports, key=lambda report: report.style.patch_correlation)

    @functools.cached_property
    def _features(self):
        return VGG19Features()

    def save_reports(self, path):
        """Prints the reports and writes them to a file, with --resume beside the earlier ones."""
        for job, report in self.reports.items():
            print(f"{job.output}: {report}")
        rows = {
            str(job.output): {"verdict": report.verdict, **dataclasses.asdict(report)}
            for job, report in self.reports.items()
        }
        if FLAGS.resume and path.exists():
            rows = {**json.loads(path.read_text()), **rows}
        with renamed_when_done(path) as temporary:
            temporary.write_text(json.dumps(rows, indent=2) + "\n")


def _pixels(picture):
    if picture.alpha is None:
        return picture.image
    return np.concatenate([picture.image, picture.alpha[..., None]], axis=-1)


def _cached(compute, paths, weights):
    """A code that takes long, from a file that is named after everything it depends on."""
    generator = pathlib.Path(FLAGS.generator or DEFAULT_PATH)
    files = [(str(p.resolve()), p.stat().st_size, p.stat().st_mtime_ns) for p in paths]
    key = repr((hashlib.sha256(generator.read_bytes()).digest(), FLAGS.style_size, files, weights))
    path = CACHE / f"{hashlib.sha256(key.encode()).hexdigest()}.npy"
    if path.exists():
        return np.load(path)
    code = compute()
    with renamed_when_done(path) as temporary:
        np.save(temporary, code)
    return code
