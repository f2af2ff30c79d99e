"""The page: what stands where, and which click leads to which handler."""

import dataclasses

import gradio as gr

from stylegan_transfer.commands.paging.handlers import Handlers
from stylegan_transfer.commands.paging.options import PageOptions
from stylegan_transfer.commands.paging.wishes import Wish

TITLE = "Paint a photograph in the style of a painting"
_COLORS = {
    "The painting's": None,
    "The photograph's": "luminance",
    "Painting shifted to the photograph's": "match",
}
PROGRESS = gr.Progress()  # as a default, Gradio recognises it and hands one over
_SOURCES = ["upload", "webcam", "clipboard"]
# Of the reader's machine: nothing is fetched from elsewhere.
THEME = gr.themes.Soft(
    primary_hue="amber",
    neutral_hue="stone",
    font=["system-ui", "sans-serif"],
    font_mono=["ui-monospace", "monospace"],
)
CSS = """
.gradio-container {max-width: 1320px !important; margin: auto}
#title h1 {margin-bottom: 0}
#verdict {min-height: 1.5em}
footer {display: none !important}
"""


def build_page(
    handlers: Handlers,
    options: PageOptions,
    qualities: tuple[str, ...],
    samples: tuple[list[str], list[str]],
) -> gr.Blocks:
    """Returns the page, ready to be launched.

    Args:
        handlers: Answer its events.
        options: How many paint at once, and how long files are kept.
        qualities: Those to choose from.
        samples: Files of photographs and of paintings to choose from.
    """
    with gr.Blocks(
        title=TITLE,
        analytics_enabled=False,
        delete_cache=(60, 60 * options.keep_minutes),
        fill_width=True,
    ) as page:
        gr.Markdown(f"# {TITLE}", elem_id="title")
        with gr.Row(equal_height=False):
            with gr.Column(scale=5, min_width=420):
                with gr.Row():
                    photograph = _picture("Photograph", "photograph")
                    painting = _picture("Painting", "painting")
                if samples[0]:
                    with gr.Row():
                        _examples("Photographs to try", samples[0], photograph)
                        _examples("Paintings to try", samples[1], painting)
                with gr.Accordion("A second painting", open=False), gr.Row():
                    second = _picture("Second painting", "second")
                    mixture = _slider("mixture", "Mixture", 0.05)
                with gr.Accordion("Only here: paint with the brush where", open=False):
                    editor = gr.ImageEditor(
                        label="Where the photograph is painted; all of it without a stroke",
                        sources=[],
                        transforms=[],
                        brush=gr.Brush(default_size=40, colors=["#f59e0b"], color_mode="fixed"),
                        layers=gr.LayerOptions(allow_additional_layers=False, disabled=True),
                        buttons=[],
                        elem_id="brush",
                    )
            with gr.Column(scale=6, min_width=420):
                result = gr.ImageSlider(
                    label="Before and after",
                    interactive=False,
                    max_height=560,
                    height=460,
                    buttons=["fullscreen"],
                    elem_id="result",
                )
                with gr.Row():
                    start = gr.Button("Paint", variant="primary", elem_id="start")
                    download = gr.DownloadButton(
                        "Download in full size", interactive=False, elem_id="download"
                    )
                verdict = gr.Markdown(elem_id="verdict")
                with gr.Row():
                    strength = _slider("strength", "Strength", 0.05)
                    style_size = _slider("style_size", "Stroke size", 16)
                with gr.Row():
                    quality = gr.Radio(
                        [(name.capitalize(), name) for name in qualities],
                        value="fast",
                        label="Quality",
                        info=_description("quality"),
                        elem_id="quality",
                    )
                    colors = gr.Radio(
                        [*_COLORS],
                        value=next(iter(_COLORS)),
                        label="Colours",
                        info=_description("preserve_color"),
                    )
                with gr.Row():
                    seed = gr.Number(
                        0, precision=0, label="Seed", info=_description("seed"), elem_id="seed"
                    )
                    report = gr.Checkbox(
                        label="Check originality",
                        info=_description("report"),
                        visible=len(qualities) > 1,
                        elem_id="report",
                    )
        made = gr.State(None)

        def paint(
            photograph,
            painting,
            second,
            canvas,
            strength,
            style_size,
            mixture,
            quality,
            colors,
            seed,
            report,
            progress=PROGRESS,
        ):
            controls = {
                "strength": strength,
                "style_size": style_size,
                "mixture": mixture,
                "quality": quality,
                "preserve_color": _COLORS.get(colors, colors),
                "seed": seed,
                "report": report,
            }
            files = handlers.paint(
                photograph, painting, second, _layers(editor, canvas), controls, progress
            )
            judged = Wish(**controls).is_judged
            return (
                (files.before, files.after),
                gr.DownloadButton(value=files.result, interactive=True),
                "Checking originality ..." if judged else "",
                files if judged else None,
            )

        def judge(made):
            return handlers.judge(made) if made else gr.skip()

        private = {"api_visibility": "private", "preprocess": False}
        reading = {**private, "concurrency_limit": 4, "concurrency_id": "reading"}
        painting_ = {
            **private,
            "concurrency_limit": options.painters,
            "concurrency_id": "painting",
        }
        photograph.change(handlers.show_photograph, photograph, editor, **reading)
        painting.change(handlers.check_painting, painting, **reading)
        second.change(handlers.check_painting, second, **reading)
        start.click(
            paint,
            [
                photograph,
                painting,
                second,
                editor,
                strength,
                style_size,
                mixture,
                quality,
                colors,
                seed,
                report,
            ],
            [result, download, verdict, made],
            show_progress_on=result,
            **painting_,
        ).success(judge, made, verdict, show_progress="hidden", **painting_)
    return page.queue(max_size=options.queue_size)


def _picture(label, name):
    return gr.Image(
        label=label, sources=_SOURCES, type="filepath", height=260, buttons=[], elem_id=name
    )


def _examples(label, files, component):
    with gr.Column(min_width=160):
        gr.Examples(files, component, label=label, api_visibility="private")


def _field(name):
    return next(field for field in dataclasses.fields(Wish) if field.name == name)


def _description(name):
    return _field(name).metadata["description"]


def _slider(name, label, step):
    field = _field(name)
    return gr.Slider(
        field.metadata["minimum"],
        field.metadata["maximum"],
        value=field.default,
        step=step,
        label=label,
        info=_description(name),
        elem_id=name,
    )


def _layers(editor, canvas):
    """The encoded layers that the browser sent of a canvas."""
    key = (canvas or {}).get("id")
    blobs = editor.blob_storage.pop(key, None) if key else None
    return blobs.layers if blobs else []
