"""The pipeline: a list of contents -> pictures -> paintings -> files, and a list of failures."""

import dataclasses
import itertools
import json
from collections.abc import Iterator

import apache_beam as beam
from apache_beam.metrics import Metrics
from apache_beam.ml.inference.base import KeyedModelHandler, RunInference
from apache_beam.pvalue import TaggedOutput

from stylegan_transfer.commands.beaming import places
from stylegan_transfer.commands.beaming.contents import Entry, name_result
from stylegan_transfer.commands.beaming.handler import Content, StyleCode, StyleHandler
from stylegan_transfer.commands.beaming.options import BeamOptions
from stylegan_transfer.commands.beaming.records import find_picture, is_records, read_records
from stylegan_transfer.pictures.files import load_picture, save_picture
from stylegan_transfer.pictures.inputs import resize_picture

NAMESPACE = "stylegan_transfer"
_FAILURES = "failures"


@dataclasses.dataclass(frozen=True)
class Work:
    """All that a run needs, as it travels to where the pipeline is built.

    Attributes:
        options: Of the run.
        styles: From `encode_styles`.
        todo: The file of the entries, one a line as JSON.
        has_records: Whether some of them are TFRecord files.
        failures: The file for what fails.
    """

    options: BeamOptions
    styles: dict[str, StyleCode]
    todo: str
    has_records: bool
    failures: str


def build(pipeline: beam.Pipeline, work: Work) -> None:
    """Adds the whole run to a pipeline."""
    handler = KeyedModelHandler(StyleHandler(work.options, work.styles))
    found = (
        pipeline
        | "list contents" >> beam.io.ReadFromText(work.todo)
        | "to all workers" >> beam.Reshuffle()
        | "open" >> beam.ParDo(_Open(work.options)).with_outputs(_FAILURES, main="contents")
    )
    contents = found.contents
    # A cluster's workers share what one of them reads. This machine's memory would have to hold it.
    if work.has_records and work.options.beam_options:
        contents |= "records to all workers" >> beam.Reshuffle()
    loaded = contents | "decode" >> beam.ParDo(_Decode(work.options)).with_outputs(
        _FAILURES, main="pictures"
    )
    unwritten = (
        loaded.pictures
        | "paint" >> RunInference(handler)
        | "write" >> beam.ParDo(_Write(work.options))
    )
    _ = (
        (found[_FAILURES], loaded[_FAILURES], unwritten)
        | "all failures" >> beam.Flatten()
        | "sort" >> beam.combiners.ToList()
        | "write failures" >> beam.Map(_write_failures, work.failures)
    )


class _Open(beam.DoFn):
    """Makes `(name, (path, encoded or None, styles))` of the entries: of records one for each."""

    def __init__(self, options):
        self._options = options
        self._failed = Metrics.counter(NAMESPACE, "failed")

    def process(self, line: str) -> Iterator:
        entry = Entry(**json.loads(line))
        if not is_records(entry.path):
            yield entry.name, (entry.path, None, tuple(entry.styles))
            return
        try:
            yield from self._read(entry)
        except Exception as error:  # of packed files, of many kinds
            self._failed.inc()
            yield _fail(entry.path, None, error)

    def _read(self, entry):
        done = {*entry.done}
        with places.open_file(entry.path) as file:
            records = enumerate(read_records(file, entry.path))
            for index, record in itertools.islice(records, entry.first, entry.last):
                name, path = f"{entry.name}/{index:08}", f"{entry.path} #{index}"
                suffix = self._options.format
                todo = [s for s in entry.styles if name_result(name, path, s, suffix) not in done]
                if not todo:
                    continue
                try:
                    yield name, (path, find_picture(record, entry.feature), tuple(todo))
                except ValueError as error:
                    self._failed.inc(len(todo))
                    yield _fail(path, None, error)


class _Decode(beam.DoFn):
    """Reads pictures, in the size in which they are painted."""

    def __init__(self, options):
        self._size = options.content_size
        self._failed = Metrics.counter(NAMESPACE, "failed")

    def process(self, element: tuple) -> Iterator:
        name, (path, encoded, styles) = element
        try:
            if encoded is None and places.is_remote(path):
                encoded = places.read_bytes(path)
            picture = load_picture(path if encoded is None else encoded, path)
            if self._size and min(picture.image.shape[:2]) > self._size:
                picture = resize_picture(picture, short_side=self._size)
            yield (name, path), Content(picture, styles)
        except (ValueError, OSError, ImportError) as error:
            self._failed.inc(len(styles))
            yield _fail(path, None, error)


class _Write(beam.DoFn):
    """Writes the paintings, each at once and whole; yields what fails."""

    def __init__(self, options):
        self._options = options
        self._painted = Metrics.counter(NAMESPACE, "painted")
        self._failed = Metrics.counter(NAMESPACE, "failed")

    def process(self, element: tuple) -> Iterator[str]:
        (name, path), (content, painted, *_) = element
        if isinstance(painted, Exception):
            self._failed.inc(len(content.styles))
            yield _describe(path, None, painted)
            return
        for style, image in painted.items():
            result = dataclasses.replace(content.picture, image=image)
            if not self._options.keep_depth:
                result = dataclasses.replace(result, is_grey=False, bits=8)
            file = name_result(name, path, style, self._options.format)
            try:
                self._save(result, places.join(self._options.output, file))
                self._painted.inc()
            except (ValueError, OSError) as error:
                self._failed.inc()
                yield _describe(path, style, error)

    def _save(self, picture, path):
        quality = self._options.compression_quality
        if not places.is_remote(path):
            save_picture(picture, path, quality)
            return
        with places.written_whole(path) as temporary:
            save_picture(picture, temporary, quality)


def _fail(path, style, error):
    return TaggedOutput(_FAILURES, _describe(path, style, error))


def _describe(path, style, error):
    """A failure as a line of JSON."""
    return json.dumps({"content": path, "style": style, "error": " ".join(str(error).split())})


def _write_failures(lines, path):
    if lines:
        with places.written_whole(path) as temporary:
            temporary.write_text("".join(f"{line}\n" for line in sorted(lines)), encoding="utf-8")
