"""Pictures through Apache Beam: painted as by `stylize`, nothing lost, nothing half done."""

import gzip
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

pytest.importorskip("apache_beam")

from apache_beam.io.filesystem import BeamIOError, FileMetadata, FileSystem
from apache_beam.io.localfilesystem import LocalFileSystem

import stylegan_transfer
from stylegan_transfer.commands import beam
from stylegan_transfer.commands.beaming import records
from stylegan_transfer.commands.beaming.handler import (
    Content,
    StyleHandler,
    encode_styles,
    load_once,
)
from stylegan_transfer.commands.beaming.options import BeamOptions
from stylegan_transfer.commands.beaming.plan import make_plan
from stylegan_transfer.commands.pairs import Style
from stylegan_transfer.pictures.files import load_image, load_picture, save_picture

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture
def photos(save_picture):
    """Five pictures of three sizes, one of them in a subfolder."""
    sizes = {"a.png": (64, 48), "b.jpg": (40, 48), "c.png": (64, 48), "below/a.png": (40, 48)}
    for seed, (name, size) in enumerate(sizes.items()):
        save_picture(f"photos/{name}", size, seed)
    return save_picture("photos/e.png", (33, 57), 9).parent


@pytest.fixture
def styles(save_picture):
    return [save_picture("s.png", (64, 64), 21), save_picture("t.png", (64, 64), 22)]


@pytest.fixture
def run_beam(run_command, styles, tmp_path):
    """Calls the command so that its paintings depend on nothing but content and style.

    Several pictures together, and OpenVINO's graphs for one size and for all, round differently.
    """

    def run(*flags, output="out", style=styles):
        named = [f"--style={path}" for path in style]
        exact = ["--runtime=onnx", "--batch_size=1"]
        shared = ["--style_size=64", f"--output={tmp_path / output}", *exact]
        return run_command(beam, *shared, *named, *flags)

    return run


def files_in(folder):
    paths = (  # unlike `rglob`, `walk` bears that folders vanish meanwhile
        pathlib.Path(top, name) for top, _, names in os.walk(folder) for name in names
    )
    return {str(path.relative_to(folder)) for path in paths}


def results_in(folder):
    return {name for name in files_in(folder) if name.endswith(".png")}


def painted_alone(content, style, tmp_path, **options):
    """What `stylize` paints, after it was written to a file."""
    generator = load_once(None, "onnx", "float32")
    picture = stylegan_transfer.stylize(
        generator, load_picture(content), style, style_size=64, **options
    )
    save_picture(picture, tmp_path / "alone.png")
    return load_image(tmp_path / "alone.png", "uint8")


@pytest.mark.parametrize(
    ("flags", "options"),
    [
        ([], {}),
        (["--strength=0.5", "--seed=3"], {"strength": 0.5, "seed": 3}),
        (["--preserve_color=match"], {"preserve_color": "match"}),
        (["--preserve_color=luminance"], {"preserve_color": "luminance"}),
    ],
)
def test_paintings_of_all_sizes_are_those_of_stylize(
    run_beam, photos, styles, tmp_path, flags, options
):
    process = run_beam(f"--content={photos}", *flags)
    assert (process.returncode, process.stderr) == (0, "")
    assert process.stdout == f"Wrote 10 of 10 pictures: {tmp_path / 'out'}\n"
    names = {f"{name}_{style}.png" for name in ("a", "b", "c", "e", "below/a") for style in "st"}
    assert files_in(tmp_path / "out") == names | {"beam.json"}
    for content in ("a.png", "b.jpg", "below/a.png", "e.png"):
        for style in styles:
            name = f"{content[:-4]}_{style.stem}.png"
            painted = load_image(tmp_path / "out" / name, "uint8")
            alone = painted_alone(photos / content, style, tmp_path, **options)
            np.testing.assert_array_equal(painted, alone)


@pytest.mark.parametrize("runtime", ["onnx", "openvino"])
def test_pictures_painted_together_differ_in_the_last_digit(
    run_beam, photos, styles, tmp_path, runtime
):
    flags = [f"--content={photos}", "--batch_size=4", f"--runtime={runtime}"]
    assert run_beam(*flags).returncode == 0
    for content in ("a.png", "b.jpg", "below/a.png", "e.png"):
        painted = load_image(tmp_path / "out" / f"{content[:-4]}_s.png", "uint8")
        difference = np.abs(
            np.int16(painted) - painted_alone(photos / content, styles[0], tmp_path)
        )
        assert difference.max() <= 1
        assert difference.mean() < 0.01


def test_weights_and_a_fine_style_are_those_of_stylize(run_beam, photos, styles, tmp_path):
    flags = [f"--content={photos / 'a.png'}", f"--fine_style={styles[0]}"]
    weighted = [f"{styles[0]}:1", f"{styles[1]}:3"]
    for match in ([], ["--preserve_color=match"]):
        process = run_beam(*flags, "--overwrite", *match, style=weighted)
        assert process.returncode == 0, process.stderr
        options = {"weights": [1, 3], "fine_style": styles[0]}
        options |= {"preserve_color": "match"} if match else {}
        alone = painted_alone(photos / "a.png", styles, tmp_path, **options)
        painted = load_image(tmp_path / "out" / "a_s+t.png", "uint8")
        np.testing.assert_array_equal(painted, alone)


def test_depth_format_and_size_are_as_asked_for(run_beam, save_picture, tmp_path):
    grey = stylegan_transfer.Picture(np.full((80, 96, 3), 0.4), is_grey=True, bits=16)
    stylegan_transfer.save_picture(grey, tmp_path / "deep" / "g.png")
    save_picture("deep/h.jpg", (80, 96))
    flags = [f"--content={tmp_path / 'deep'}", "--format=same", "--content_size=40"]
    assert run_beam(*flags).returncode == 0
    assert {*files_in(tmp_path / "out")} >= {"g_s.png", "g_t.png", "h_s.jpg", "h_t.jpg"}
    painted = load_picture(tmp_path / "out" / "g_s.png")
    assert (painted.is_grey, painted.bits, painted.image.shape) == (True, 16, (40, 48, 3))


def test_what_fails_is_listed_and_the_others_are_done(run_beam, photos, save_picture, tmp_path):
    (photos / "broken.png").write_bytes((photos / "a.png").read_bytes()[:50])
    save_picture("photos/small.png", (20, 40))  # can be read, not painted
    (tmp_path / "out" / "a_s.png").mkdir(parents=True)  # in the way of a result
    process = run_beam(f"--content={photos}")
    assert process.returncode == 1
    assert process.stdout == f"Wrote 9 of 14 pictures: {tmp_path / 'out'}\n"
    assert process.stderr == f"Error: 5 failed, see {tmp_path / 'out' / 'failures.jsonl'}\n"
    lines = (tmp_path / "out" / "failures.jsonl").read_text().splitlines()
    failures = {(row["content"], row["style"]): row["error"] for row in map(json.loads, lines)}
    broken, small, a = (str(photos / name) for name in ("broken.png", "small.png", "a.png"))
    assert set(failures) == {(broken, None), (small, None), (a, "s")}
    assert "Received: " in failures[broken, None]
    assert "32" in failures[small, None]
    assert len(results_in(tmp_path / "out")) == 9


def test_resume_makes_what_is_missing_and_nothing_else(run_beam, photos, styles, tmp_path):
    assert run_beam(f"--content={photos}").returncode == 0
    out = tmp_path / "out"
    before = {name: (out / name).read_bytes() for name in results_in(out)}
    for name in before:
        os.utime(out / name, (1, 1))
    (out / "e_t.png").unlink()
    (photos / "new.png").write_bytes((photos / "a.png").read_bytes())
    (out / ".saving-xyz").mkdir()  # of a process that was killed
    process = run_beam(f"--content={photos}", "--resume")
    assert process.returncode == 0, process.stderr
    assert process.stdout == f"Wrote 12 of 12 pictures, 9 of them before: {out}\n"
    fresh = {name for name in results_in(out) if (out / name).stat().st_mtime > 1}
    assert fresh == {"e_t.png", "new_s.png", "new_t.png"}
    assert {name: (out / name).read_bytes() for name in before} == before
    assert not (out / ".saving-xyz").exists()
    process = run_beam(f"--content={photos}", "--resume")
    assert process.stdout == f"Wrote 12 of 12 pictures, 12 of them before: {out}\n"
    process = run_beam(f"--content={photos}", "--resume", "--seed=1")
    assert process.returncode == 1
    assert "for --resume, or --overwrite. Received: another seed\n" in process.stderr
    styles[0].write_bytes(styles[1].read_bytes())
    process = run_beam(f"--content={photos}", "--resume")
    assert process.stderr.endswith("Received: another style s\n")
    (out / "beam.json").unlink()
    process = run_beam(f"--content={photos}", "--resume")
    assert process.returncode == 1
    assert "Received: results, and no such file" in process.stderr


def test_results_that_exist_are_refused_or_removed_first(run_beam, photos, tmp_path):
    stranger = tmp_path / "out" / "a_s.png"
    stranger.parent.mkdir()
    stranger.write_text("mine")
    process = run_beam(f"--content={photos}")
    assert process.returncode == 1
    assert process.stderr.startswith("Error: Expected --overwrite or --resume for results that ")
    assert files_in(tmp_path / "out") == {"a_s.png"}
    assert stranger.read_text() == "mine"
    assert run_beam(f"--content={photos}", "--overwrite").returncode == 0
    assert stranger.read_bytes()[:4] == b"\x89PNG"


def test_an_overwriting_run_that_is_cut_short_leaves_nothing_that_looks_done(
    run_beam, photos, tmp_path, monkeypatch
):
    assert run_beam(f"--content={photos}").returncode == 0

    def interrupt(work, verbose):
        raise KeyboardInterrupt

    from stylegan_transfer.commands.beaming import running

    with monkeypatch.context() as patch:
        patch.setattr(running, "run", interrupt)
        process = run_beam(f"--content={photos}", "--overwrite", "--seed=1")
    assert process.returncode == 130
    assert process.stderr.startswith("Interrupted. The same command with --resume goes on ")
    process = run_beam(f"--content={photos}", "--resume", "--seed=1")
    assert process.stdout == f"Wrote 10 of 10 pictures: {tmp_path / 'out'}\n"


def test_a_list_names_pictures_and_what_is_not_there_is_listed(run_beam, photos, tmp_path):
    names = ["a.png", "", "below/a.png", "nowhere.png", "a.png"]
    lines = [str(photos / name) if name else "" for name in names]
    (tmp_path / "list.txt").write_text("\n".join(lines))
    process = run_beam(f"--content={tmp_path / 'list.txt'}")
    assert process.returncode == 1
    expected = {f"{name}_{style}.png" for name in ("a", "below/a") for style in "st"}
    assert results_in(tmp_path / "out") == expected
    assert "nowhere.png, not found" in (tmp_path / "out" / "failures.jsonl").read_text()


def test_contents_that_would_share_a_result_keep_their_suffix(run_beam, save_picture, tmp_path):
    for name in ("x/a.png", "x/a.jpg", "y/a.png"):
        save_picture(name)
    assert run_beam(f"--content={tmp_path / 'x'}").returncode == 0
    expected = {f"{name}_{style}.png" for name in ("a.png", "a.jpg") for style in "st"}
    assert results_in(tmp_path / "out") == expected
    process = run_beam(f"--content={tmp_path / 'x/a.png'}", f"--content={tmp_path / 'y'}")
    assert process.returncode == 1
    assert "Expected contents of different names" in process.stderr


def test_results_are_no_contents(run_beam, photos):
    output = photos / "out"
    assert run_beam(f"--content={photos}", output=output).returncode == 0
    process = run_beam(f"--content={photos}", "--resume", output=output)
    assert "Wrote 10 of 10 pictures, 10 of them before" in process.stdout


def as_record(content):
    """A record of a TFRecord file, with checksums that nobody reads."""
    return len(content).to_bytes(8, "little") + b"crc." + content + b"crc."


def test_tfrecords_hold_pictures_or_examples(run_beam, photos, tmp_path):
    import tensorflow as tf

    a, b = ((photos / name).read_bytes() for name in ("a.png", "b.jpg"))

    def make_example(**features):
        features = {
            name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
            for name, value in features.items()
        }
        features["label"] = tf.train.Feature(int64_list=tf.train.Int64List(value=[7]))
        features["box"] = tf.train.Feature(float_list=tf.train.FloatList(value=[0.5, 1]))
        example = tf.train.Example(features=tf.train.Features(feature=features))
        return example.SerializeToString()

    with tf.io.TFRecordWriter(str(tmp_path / "x.tfrecord-00000-of-00002")) as writer:
        for record in (a, make_example(image=b), b"no picture", make_example(other=a)):
            writer.write(record)
    packed = gzip.compress(as_record(b) + as_record(a)[:-9])
    (tmp_path / "y.tfrecord.gz").write_bytes(packed)
    flags = [f"--content={tmp_path / '*.tfrecord*'}"]
    process = run_beam(*flags)
    assert process.returncode == 1
    out, x, y = tmp_path / "out", "x.tfrecord-00000-of-00002", "y.tfrecord.gz"
    expected = {f"{x}/00000000", f"{x}/00000001", f"{y}/00000000"}
    assert results_in(out) == {f"{name}_{style}.png" for name in expected for style in "st"}
    rows = [json.loads(line) for line in (out / "failures.jsonl").read_text().splitlines()]
    failed = {row["content"].rpartition("/")[2]: row["error"] for row in rows}
    assert set(failed) == {f"{x} #2", f"{x} #3", y}
    assert "Expected a feature image/encoded or image of bytes. Received: " in failed[f"{x} #3"]
    assert "Expected whole records." in failed[y]
    alone = run_beam(f"--content={photos / 'b.jpg'}", output="alone")
    assert alone.returncode == 0
    for style in "st":
        same = (tmp_path / "alone" / f"b_{style}.png").read_bytes()
        assert (out / x / f"00000001_{style}.png").read_bytes() == same
        assert (out / y / f"00000000_{style}.png").read_bytes() == same
    (out / x / "00000001_t.png").unlink()
    process = run_beam(*flags, "--resume", "--image_feature=image")
    assert (out / x / "00000001_t.png").exists()
    assert "5 of them before" in process.stdout


def test_features_are_those_that_tensorflow_finds():
    import tensorflow as tf

    values = {"image": b"\x0a\x00", "": b"", "long" * 50: b"x" * 300}
    features = {
        name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
        for name, value in values.items()
    }
    example = tf.train.Example(features=tf.train.Features(feature=features))
    for name, value in values.items():
        assert records.find_picture(example.SerializeToString(), name) == value


def test_random_bytes_are_no_example_and_no_endless_work():
    random = np.random.default_rng(5)
    for length in range(200):
        junk = b"\x0a" + random.bytes(length)
        assert records.find_picture(junk, None) == junk
        with pytest.raises(ValueError, match="Received: no Example"):
            records.find_picture(junk, "image")


def test_a_tensorflow_data_set_is_read_slice_by_slice(photos, styles, tmp_path, tfds_dir):
    from stylegan_transfer.commands.beaming.pipeline import _Open
    from stylegan_transfer.training.sources import ImageStore

    options = BeamOptions(
        content=("tfds:tiny_pictures:train[2:5]",),
        data_dir=str(tfds_dir),
        style=tuple(map(str, styles)),
        output=str(tmp_path / "out"),
    )
    plan = make_plan(options)
    line = json.dumps(vars(plan.entries[0]))
    found = [*_Open(options).process(line)]
    pictures = ImageStore(2**20, str(tfds_dir)).open(options.content[0], "content", 32)
    assert len(found) == len(pictures) == 3
    for index, (name, (path, encoded, names)) in enumerate(found, 2):
        assert name.startswith("tiny_pictures/") and name.endswith(f"/0000000{index}")
        assert path.endswith(f" #{index}")
        assert names == ("s", "t")
        expected, _ = pictures.load(index - 2)
        np.testing.assert_array_equal(load_image(encoded, "uint8"), expected)


class ToyCloud(FileSystem):
    """A file system of a scheme of its own, in a folder of this machine."""

    folder = None

    @classmethod
    def scheme(cls):
        return "toy"

    def _local(self, path):
        return path.replace("toy://", f"{self.folder}/")

    def join(self, basepath, *paths):
        return "/".join([basepath.rstrip("/"), *paths])

    def split(self, path):
        return tuple(path.rsplit("/", 1))

    def mkdirs(self, path):
        raise BeamIOError("no folders here")

    def has_dirs(self):
        return False

    def _list(self, prefix):
        for path in pathlib.Path(self.folder).rglob("*"):
            name = f"toy://{path.relative_to(self.folder)}"
            if path.is_file() and name.startswith(prefix):
                yield FileMetadata(name, path.stat().st_size)

    def create(self, path, mime_type="application/octet-stream", compression_type="auto"):
        pathlib.Path(self._local(path)).parent.mkdir(parents=True, exist_ok=True)
        return LocalFileSystem(None).create(self._local(path), mime_type, compression_type)

    def open(self, path, mime_type="application/octet-stream", compression_type="auto"):
        return LocalFileSystem(None).open(self._local(path), mime_type, compression_type)

    def exists(self, path):
        return os.path.exists(self._local(path))

    def size(self, path):
        return os.path.getsize(self._local(path))

    def metadata(self, path):
        return FileMetadata(path, self.size(path))

    def delete(self, paths):
        for path in paths:
            os.remove(self._local(path))

    def copy(self, source_file_names, destination_file_names):
        raise NotImplementedError

    rename = last_updated = checksum = copy


def test_a_cloud_is_read_and_written(run_command, photos, styles, tmp_path, monkeypatch):
    monkeypatch.setattr(ToyCloud, "folder", str(tmp_path))
    (photos / "e.png").write_text("no picture")
    flags = ["--content=toy://photos", f"--style={styles[0]}", "--output=toy://cloud/out"]
    flags += ["--style_size=64", "--runtime=onnx", "--batch_size=1"]
    process = run_command(beam, *flags)
    assert process.returncode == 1
    assert process.stdout == "Wrote 4 of 5 pictures: toy://cloud/out\n"
    out = tmp_path / "cloud" / "out"
    expected = {f"{name}_s.png" for name in ("a", "b", "c", "below/a")}
    assert files_in(out) == expected | {"beam.json", "failures.jsonl"}
    (photos / "e.png").write_bytes((photos / "a.png").read_bytes())
    process = run_command(beam, *flags, "--resume")
    assert process.stdout == "Wrote 5 of 5 pictures, 4 of them before: toy://cloud/out\n"
    assert files_in(out) == expected | {"beam.json", "e_s.png"}
    assert (out / "e_s.png").read_bytes() == (out / "a_s.png").read_bytes()
    process = run_command(beam, *flags, "--content=toy://nothing")
    assert process.returncode == 1
    assert "Received: --content=toy://nothing" in process.stderr


def test_pictures_of_one_size_are_painted_together(styles, tmp_path):
    batches = []

    class Counting:
        def __init__(self, generator):
            self.generator = generator

        def __getattr__(self, name):
            return getattr(self.generator, name)

        def synthesize(self, content, *args, **kwargs):
            batches.append(content.shape[:3])
            return self.generator.synthesize(content, *args, **kwargs)

    options = BeamOptions(
        content=("x",), style=("s",), output="o", style_size=64, batch_size=2, tile_size=64
    )
    encoded = encode_styles(options, [Style("s", (styles[0],))])
    handler = StyleHandler(options, encoded)
    sizes = [(40, 40), (48, 40), (40, 40), (40, 40), (72, 72)]
    contents = [
        Content(stylegan_transfer.Picture(np.full((*size, 3), 0.1 * i)), ("s",))
        for i, size in enumerate(sizes)
    ]
    results = [*handler.run_inference(contents, Counting(handler.load_model()))]
    assert [result.inference["s"].shape[:2] for result in results] == sizes
    assert batches[:3] == [(2, 40, 40), (1, 40, 40), (1, 48, 40)]
    weigh = handler.batch_elements_kwargs()["element_size_fn"]
    assert [weigh(("key", content)) for content in (contents[0], contents[4])] == [4, 11]
    large = Content(stylegan_transfer.Picture(np.zeros((512, 512, 3))), ("s",))
    assert weigh(("key", large)) == handler.batch_elements_kwargs()["max_batch_size"] == 16


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--content=nowhere"], "Received: nowhere"),
        (["--content=no*.tfrecord"], "Received: --content=no*.tfrecord"),
        (["--content=none.txt"], "No such file"),
        (["--content=gs://b/x"], "apache-beam[gcp]"),
        (["--content=what://b/x"], "Received: what://b/x"),
        (["--content=tfds:x"], "Expected a source like 'tfds:NAME:train'"),
        (["--strength=2"], "Expected strength: at least 0 and at most 1."),
        (["--tile_size=65"], "Expected tile_size: a multiple of 8."),
        (["--num_coarse_layers=2"], "none without --fine_style"),
        (["--resume", "--overwrite"], "either --resume or --overwrite"),
        (["--num_workers=0"], "Expected num_workers: at least 1"),
        (["--num_workers=2", "--beam_options=--x"], "none with --beam_options"),
        (["--beam_options=--runner=Nope"], "Expected --beam_options that Beam takes."),
        (["--beam_options=--direct_num_workers=x"], "invalid int value"),
        (["--beam_options='"], "No closing quotation"),
        (["--generator=nowhere"], "Received: --generator=nowhere, not found"),
        (["--fine_style=nowhere"], "Received: --fine_style=nowhere"),
        (["--style=nowhere"], "Received: nowhere"),
    ],
)
def test_wrong_input_is_one_line_and_nothing_is_written(run_beam, photos, tmp_path, flags, words):
    if not any(flag.startswith("--content") for flag in flags):
        flags = [f"--content={photos}", *flags]
    process = run_beam(*flags)
    assert process.returncode == 1
    assert process.stderr.startswith("Error: Expected ")
    assert process.stderr.count("\n") == 1
    assert words in process.stderr
    assert not (tmp_path / "out").exists()


def test_a_broken_style_ends_the_run_before_it_starts(run_beam, photos, tmp_path):
    (tmp_path / "bad.png").write_text("no picture")
    process = run_beam(f"--content={photos}", style=[tmp_path / "bad.png"])
    assert process.returncode == 1
    assert process.stderr.startswith("Error: Expected an image file")
    assert not (tmp_path / "out").exists()


def test_without_beam_one_line_says_what_to_install(run_beam, photos, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    process = run_beam(f"--content={photos}")
    assert process.returncode == 1
    assert process.stderr.startswith(
        'Error: Expected apache_beam: pip install "stylegan_transfer[beam]".'
    )


def test_a_pipeline_that_fails_as_a_whole_is_one_line(run_beam, photos, monkeypatch):
    from stylegan_transfer.commands.beaming import handler

    def explode(*args):
        raise RuntimeError("of no known kind\nin two lines")

    monkeypatch.setattr(handler, "stylize_with_code", explode)
    process = run_beam(f"--content={photos}")
    assert process.returncode == 1
    assert process.stderr.startswith("Error: Expected a pipeline that runs to its end. Received: ")
    assert process.stderr.endswith("the same command with --resume goes on from there\n")
    assert process.stderr.count("\n") == 1
    monkeypatch.undo()
    assert run_beam(f"--content={photos}", "--resume").returncode == 0


def start(*flags):
    return subprocess.Popen(
        [sys.executable, "experiments/stylize_beam.py", *map(str, flags)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def workers():
    """Beam's processes on this machine, by what `/proc` says, and the folders they work in."""
    found = []
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes().split(b"\0")
            is_ours = str(ROOT).encode() in (folder / "environ").read_bytes()
            if is_ours and b"apache_beam.runners.worker.sdk_worker_main" in line:
                found.append(int(folder.name))
        except OSError:  # ended meanwhile
            continue
    return found


def wait_for(condition, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def many(save_picture, styles, tmp_path):
    """The flags of a run of two processes that takes some seconds, and its folder."""
    for seed in range(150):
        save_picture(f"many/{seed}.png", (96, 96) if seed % 3 else (96, 80), seed)
    flags = [f"--content={tmp_path / 'many'}", f"--style={styles[0]}", "--style_size=64"]
    return [*flags, f"--output={tmp_path / 'out'}", "--num_workers=2"], tmp_path / "out"


def assert_finishes(flags, out):
    process = start(*flags, "--resume")
    printed, errors = process.communicate(timeout=300)
    assert (process.returncode, errors) == (0, "")
    assert printed.startswith("Wrote 150 of 150 pictures, ")
    assert results_in(out) == {f"{seed}_s.png" for seed in range(150)}
    assert files_in(out) == results_in(out) | {"beam.json"}
    assert all(load_image(out / name).shape[0] == 96 for name in results_in(out))


@pytest.mark.slow
def test_two_processes_paint_what_one_paints(many, run_beam, photos, tmp_path):
    (photos / "broken.png").write_text("no picture")
    assert run_beam(f"--content={photos}", output="one").returncode == 1
    process = run_beam(f"--content={photos}", "--num_workers=2", output="two")
    assert process.returncode == 1
    assert process.stdout == f"Wrote 10 of 12 pictures: {tmp_path / 'two'}\n"
    one, two = tmp_path / "one", tmp_path / "two"
    assert files_in(one) == files_in(two)
    for name in files_in(one):
        assert (one / name).read_bytes() == (two / name).read_bytes()


@pytest.mark.slow
def test_the_interface_of_clusters_takes_the_pipeline(run_beam, photos, tmp_path):
    """Beam's job server of this machine; with records, which its workers share."""
    packed = b"".join(as_record((photos / name).read_bytes()) for name in ("a.png", "b.jpg"))
    (tmp_path / "x.tfrecord").write_bytes(packed)
    contents = [f"--content={photos}", f"--content={tmp_path / 'x.tfrecord'}"]
    runner = "--runner=PortableRunner --job_endpoint=embed --environment_type=LOOPBACK"
    process = run_beam(*contents, f"--beam_options={runner}", output="one")
    assert (process.returncode, process.stderr) == (0, "")
    assert process.stdout == f"Wrote 14 of 14 pictures: {tmp_path / 'one'}\n"
    assert run_beam(*contents, output="two").returncode == 0
    one, two = tmp_path / "one", tmp_path / "two"
    assert files_in(one) == files_in(two)
    for name in files_in(one):
        assert (one / name).read_bytes() == (two / name).read_bytes()


@pytest.mark.slow
def test_a_worker_that_is_killed_ends_the_run_and_resume_finishes_it(many):
    flags, out = many
    process = start(*flags)
    try:
        wait_for(lambda: len(results_in(out)) > 10)
        (victim, *_) = sorted(workers(), reverse=True)
        os.kill(victim, signal.SIGKILL)
        printed, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, printed) == (75, "")
    assert errors.startswith("Error: Expected all processes to live. Received: one was lost; ")
    assert errors.count("\n") == 1
    assert workers() == []
    assert 10 < len(results_in(out)) < 150
    assert_finishes(flags, out)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_killed_leaves_no_process_and_resume_finishes_it(many, number):
    flags, out = many
    process = start(*flags)
    try:
        wait_for(lambda: len(results_in(out)) > 10)
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    if number == signal.SIGTERM:
        assert process.returncode == 130
        assert errors == "Interrupted. The same command with --resume goes on from there\n"
    wait_for(lambda: workers() == [], seconds=20)
    assert len(results_in(out)) < 150
    assert_finishes(flags, out)
