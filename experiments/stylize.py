"""Paints every content, picture or clip, in every style.

python experiments/stylize.py --content=photo.jpg --style=painting.jpg --output=out.png
python experiments/stylize.py --content=PHOTOS --style=a.jpg --style=b.jpg --output=DIR
python experiments/stylize.py --content=photo.jpg --style=a.jpg:0.7 --style=b.jpg:0.3 --output=c.png
"""

import functools
import pathlib
import sys

import launch
import stylize_plan
from absl import flags

FLAGS = flags.FLAGS
flags.DEFINE_multi_string(
    "content", None, "Picture, clip, folder or glob; repeatable.", required=True
)
flags.DEFINE_multi_string(
    "style",
    [],
    "Picture, folder or glob; repeatable. Each is a style of its own; written PATH:WEIGHT, all of "
    "them are mixed into one.",
)
flags.DEFINE_string("style_collection", None, "Folder of paintings that together are one style.")
flags.DEFINE_string(
    "output",
    None,
    "Where to write: a file, for one pair, or a folder, for all pairs and a contact sheet.",
    required=True,
)
flags.DEFINE_string("generator", None, "Trained generator (.keras). Default: the one that ships.")

flags.DEFINE_float("strength", 1.0, "From 0, the photograph, to 1, the full style.", 0.0, 1.0)
flags.DEFINE_integer(
    "style_size", 384, "Short side at which styles are looked at: stroke size.", 32
)
flags.DEFINE_integer(
    "content_size", None, "Short side at which larger contents are painted. Default: their own.", 32
)
flags.DEFINE_string("fine_style", None, "Picture: strokes and colours come from this style.")
flags.DEFINE_integer(
    "num_coarse_layers", None, "Layers that keep --style beside a --fine_style. Default: half.", 0
)
flags.DEFINE_enum(
    "preserve_color",
    None,
    ["luminance", "match"],
    "Keep the content's colours: by painting its luma alone, or by giving them to the style first.",
)
flags.DEFINE_multi_string(
    "mask",
    [],
    "Grey picture that says where a style goes (white); one for each --style, in their order. What "
    "no mask covers stays as it is.",
)
flags.DEFINE_integer("seed", 0, "Seed of the strokes in flat areas: each gives another painting.")
flags.DEFINE_boolean("tileable", False, "Whether results repeat without a seam (textures).")
flags.DEFINE_float("smoothing", None, "Of a clip's statistics over its frames, 0 to 1.", 0.0, 1.0)

flags.DEFINE_enum(
    "format", "png", ["png", "jpg", "tif", "webp", "same"], "Of the pictures in an --output folder."
)
flags.DEFINE_integer("quality", 95, "Of JPEG and WebP.", 1, 100)
flags.DEFINE_boolean("keep_depth", True, "Whether grey stays grey and 16 bits stay 16 bits.")
flags.DEFINE_boolean("overwrite", False, "Whether existing results are replaced.")
flags.DEFINE_boolean("resume", False, "Whether existing results are kept, and the others made.")
flags.DEFINE_boolean("report", False, "Whether to say how original each picture is.")
flags.DEFINE_integer("batch_size", 4, "Pictures of one size that are painted together.", 1)
flags.DEFINE_integer("tile_size", 1024, "Larger pictures are painted in tiles of this side.", 64)
flags.DEFINE_boolean("verbose", False, "Whether to print where the time went.")

CELL_SIZE = 256  # pixels, of the contact sheet
CONTACT_SHEET_LIMIT = 600  # pictures
SETTINGS = (  # the flags that decide what a result looks like
    *("generator", "style", "style_collection", "fine_style", "num_coarse_layers", "mask"),
    *("strength", "style_size", "content_size", "preserve_color", "seed", "tileable", "smoothing"),
    *("tile_size", "format", "quality", "keep_depth"),
)


def main() -> int:
    """Stylises as the flags say; returns the exit code."""
    timer = launch.Timer()
    contents = stylize_plan.read_contents(FLAGS.content)
    styles = stylize_plan.read_styles(FLAGS.style, FLAGS.style_collection, bool(FLAGS.mask))
    suffix = FLAGS.format if FLAGS.format == "same" else f".{FLAGS.format}"
    plan = stylize_plan.plan_jobs(contents, styles, FLAGS.output, suffix)
    settings = {name: FLAGS[name].value for name in SETTINGS}
    jobs = stylize_plan.remaining(plan, settings, FLAGS.overwrite, FLAGS.resume)
    report = None
    if FLAGS.report and jobs:
        report = stylize_plan.plan_report(jobs, FLAGS.output, FLAGS.overwrite)
    with timer("loading TensorFlow"):
        import stylize_run
        import tqdm

        from stylegan_transfer.networks.saving import load_generator
    with timer("loading the generator"):
        generator = load_generator(FLAGS.generator)
    stylize_plan.save_settings(plan, settings)
    run = stylize_run.Run(generator, timer)
    with tqdm.tqdm(total=len(jobs), unit="picture", disable=None) as run.bar:
        for batch in run.batches(jobs):
            run.paint(batch)
    done = [job for job in plan if job.output.exists() and job not in run.failed]
    if len(plan) > 1:
        _save_contact_sheet(contents, styles, done)
    kept = f", {len(plan) - len(jobs)} of them before" if len(plan) > len(jobs) else ""
    print(f"Wrote {len(done)} of {len(plan)} pictures{kept}: {FLAGS.output}")
    if run.reports:
        run.save_reports(report)
    if FLAGS.verbose:
        print(timer.report())
    for failure in run.failures:
        print(f"Error: {failure}", file=sys.stderr)
    return 1 if run.failures else 0


def _save_contact_sheet(contents, styles, done):
    """One page of all results, where there are not too many of them."""
    from stylegan_transfer.pictures.contact_sheet import make_contact_sheet
    from stylegan_transfer.pictures.files import load_image, save_image

    outputs = {(job.content, job.style): job.output for job in done}
    contents = [c for c in contents if c.suffix.lower() not in stylize_plan.VIDEO_SUFFIXES]
    styles = [style for style in styles if any(s == style for _, s in outputs)]
    contents = [c for c in contents if all((c, style) in outputs for style in styles)]
    if not contents or len(contents) * len(styles) > CONTACT_SHEET_LIMIT:
        return
    load = functools.partial(load_image, max_short_side=CELL_SIZE)
    sheet = make_contact_sheet(
        [load(content) for content in contents],
        [load(style.paths[0]) for style in styles],
        [[load(outputs[content, style]) for style in styles] for content in contents],
        CELL_SIZE,
    )
    save_image(sheet, pathlib.Path(FLAGS.output) / stylize_plan.CONTACT_SHEET)


if __name__ == "__main__":
    launch.run(main)
