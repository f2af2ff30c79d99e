"""Paints every content picture in every style.

python experiments/stylize.py --content=photo.jpg --style=painting.jpg --output=out.png
python experiments/stylize.py --content=PHOTOS --style=a.jpg --style=b.jpg --output=DIR
"""

import itertools
import pathlib
import sys

import launch
from absl import flags

FLAGS = flags.FLAGS
flags.DEFINE_multi_string("content", None, "Picture, folder or glob; repeatable.", required=True)
flags.DEFINE_multi_string("style", None, "Picture, folder or glob; repeatable.", required=True)
flags.DEFINE_string(
    "output",
    None,
    "Where to write: a file, for one pair, or a folder, for all pairs and a contact sheet.",
    required=True,
)
flags.DEFINE_string("generator", None, "Trained generator (.keras). Default: the one that ships.")
flags.DEFINE_float("strength", 1.0, "From 0, the photograph, to 1, the full style.", 0.0, 1.0)
flags.DEFINE_integer(
    "style_size", 256, "Short side at which styles are looked at: stroke size.", 32
)
flags.DEFINE_boolean("verbose", False, "Whether to print where the time went.")

CELL_SIZE = 256  # pixels, of the contact sheet
CONTACT_SHEET = "contact_sheet.png"


def main() -> int:
    """Stylises as the flags say; returns the exit code."""
    timer = launch.Timer()
    with timer("loading TensorFlow"):
        import keras

        from stylegan_transfer.images import list_images, load_image, save_image
        from stylegan_transfer.saving import load_generator
        from stylegan_transfer.stylization import encode_style, stylize_with_code

    contents = list(dict.fromkeys(p for source in FLAGS.content for p in list_images(source)))
    styles = list(dict.fromkeys(p for source in FLAGS.style for p in list_images(source)))
    output = _plan_output(contents, styles)
    with timer("loading the generator"):
        generator = load_generator(FLAGS.generator)
    failures = []
    with timer("encoding styles"):
        codes = _each(styles, lambda p: encode_style(generator, p, FLAGS.style_size), failures)
    thumbnails = {}
    progress = keras.utils.Progbar(len(contents) * len(codes), unit_name="picture")

    def paint_in_all_styles(content):
        with timer("reading photographs"):
            photo = load_image(content)
        for style, code in codes.items():
            with timer("painting"):
                picture = stylize_with_code(
                    generator, photo, code, strength=FLAGS.strength, style_size=FLAGS.style_size
                )
            with timer("writing"):
                save_image(picture, output[content, style])
            thumbnails[content, style] = _thumbnail(picture)
            progress.add(1)
        return _thumbnail(photo)

    photos = _each(contents, paint_in_all_styles, failures)
    if len(thumbnails) > 1:
        _save_contact_sheet(photos, list(codes), thumbnails)
    print(f"Wrote {len(thumbnails)} of {len(contents) * len(styles)} pictures: {FLAGS.output}")
    if FLAGS.verbose:
        print(timer.report())
    for failure in failures:
        print(f"Error: {failure}", file=sys.stderr)
    return 1 if failures else 0


def _plan_output(contents, styles):
    """Returns the output path of each pair; none is used twice."""
    from stylegan_transfer.images import SAVE_FORMATS

    output, pairs = pathlib.Path(FLAGS.output), list(itertools.product(contents, styles))
    if output.suffix.lower() in SAVE_FORMATS and not output.is_dir():
        if len(pairs) > 1:
            raise ValueError(
                f"Expected a folder as --output for {len(contents)} contents and {len(styles)} "
                f"styles. Received: --output={output}"
            )
        return {pairs[0]: output}
    paths, taken = {}, {CONTACT_SHEET}
    for content, style in pairs:
        stem = f"{content.stem}_{style.stem}"
        numbered = (f"{stem}-{number}.png" for number in itertools.count(2))
        name = next(n for n in itertools.chain([f"{stem}.png"], numbered) if n not in taken)
        taken.add(name)
        paths[content, style] = output / name
    return paths


def _save_contact_sheet(photos, styles, thumbnails):
    from stylegan_transfer.images import load_image, make_contact_sheet, save_image

    paintings = [_thumbnail(load_image(style)) for style in styles]
    rows = [[thumbnails[content, style] for style in styles] for content in photos]
    sheet = make_contact_sheet(list(photos.values()), paintings, rows, CELL_SIZE)
    save_image(sheet, pathlib.Path(FLAGS.output) / CONTACT_SHEET)


def _each(paths, function, failures):
    """Returns `{path: function(path)}` of those that can be read; adds the others' errors."""
    results = {}
    for path in paths:
        try:
            results[path] = function(path)
        except (ValueError, OSError) as error:
            failures.append(error)
    return results


def _thumbnail(picture):
    from stylegan_transfer.images import resize_image

    return resize_image(picture, short_side=min(CELL_SIZE, *picture.shape[:2]))


if __name__ == "__main__":
    launch.run(main)
