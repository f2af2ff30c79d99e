"""The page: what stands where, and which click leads to which handler."""

import dataclasses

import gradio as gr

from stylegan_transfer.commands.paging.handlers import Handlers
from stylegan_transfer.commands.paging.options import PageOptions
from stylegan_transfer.commands.paging.wishes import Wish

TITLE = "Paint a photograph in the style of a painting"
_INTRODUCTION = (
    "Choose a photograph and a painting, and press Paint. Pictures stay on the machine that runs "
    "this page, and are deleted after {minutes} minutes."
)
_COLORS = {
    "Painting": None,
    "Photograph": "luminance",
    "Matched": "match",
}
_PROGRESS = gr.Progress()  # as a default, Gradio recognises it and hands one over


@dataclasses.dataclass(frozen=True)
class _Inputs:
    """What a visitor brings."""

    photograph: gr.Image
    painting: gr.Image
    second: gr.Image
    brush: gr.ImageEditor


@dataclasses.dataclass(frozen=True)
class _Outputs:
    """What a visitor gets."""

    start: gr.Button
    stop: gr.Button
    compared: gr.ImageSlider
    download: gr.DownloadButton
    verdict: gr.Markdown
    made: gr.State


def build_page(
    handlers: Handlers,
    options: PageOptions,
    qualities: tuple[str, ...],
    samples: tuple[list[str], list[str]],
) -> gr.Blocks:
    """Returns the page, ready to be launched.

    Args:
        handlers: Answer its events.
        options: How many pictures are painted at once, and how long files are kept.
        qualities: Those to choose from.
        samples: Files of photographs and of paintings to choose from.
    """
    delete_cache = (60, 60 * options.keep_minutes)
    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=delete_cache) as page:
        introduction = _INTRODUCTION.format(minutes=options.keep_minutes)
        gr.Markdown(f"# {TITLE}\n{introduction}", elem_id="title")
        controls = {}
        with gr.Row():
            with gr.Column(scale=5, min_width=400):
                inputs = _place_inputs(samples, controls)
            with gr.Column(scale=6, min_width=400):
                outputs = _place_outputs()
        with gr.Row():
            controls |= _place_controls(qualities)
        _connect(handlers, options, inputs, controls, outputs)
    return page.queue(max_size=options.queue_size)


def _place_inputs(samples, controls):
    with gr.Row():
        photograph, painting = _picture("Photograph"), _picture("Painting")
    if samples[0]:
        with gr.Row():
            _offer("Photographs to try", samples[0], photograph)
            _offer("Paintings to try", samples[1], painting)
    with gr.Accordion("A second painting", open=False), gr.Row():
        second = _picture("Second painting")
        controls["mixture"] = _slider("mixture", "Mixture", 0.05)
    with gr.Accordion("Paint only a part of the photograph", open=False):
        brush = gr.ImageEditor(
            label="Brush over what is to be painted",
            sources=[],
            transforms=[],
            brush=gr.Brush(default_size=40, colors=["#f59e0b"], color_mode="fixed"),
            layers=gr.LayerOptions(allow_additional_layers=False, disabled=True),
            buttons=[],
            elem_id="brush",
        )
    return _Inputs(photograph, painting, second, brush)


def _place_outputs():
    compared = gr.ImageSlider(
        label="Before and after",
        interactive=False,
        height=420,
        max_height=420,
        buttons=["fullscreen"],
        elem_id="compared",
    )
    with gr.Row():
        start = gr.Button("Paint", variant="primary", scale=3, elem_id="start")
        stop = gr.Button("Stop", scale=1, min_width=80, elem_id="stop")
        download = gr.DownloadButton(
            "Download in full size", interactive=False, scale=3, elem_id="download"
        )
    verdict = gr.Markdown(elem_id="verdict")
    return _Outputs(start, stop, compared, download, verdict, gr.State(None))


def _place_controls(qualities):
    """Returns the controls by the names of a `Wish`."""
    with gr.Column(min_width=280):
        strength = _slider("strength", "Strength", 0.05)
        style_size = _slider("style_size", "Stroke size", 16)
    with gr.Column(min_width=280):
        quality = gr.Radio(
            [(name.capitalize(), name) for name in qualities],
            value="fast",
            label="Quality",
            **_texts("quality"),
        )
        colors = gr.Radio([*_COLORS], value="Painting", label="Colours", **_texts("preserve_color"))
    with gr.Column(min_width=280):
        seed = gr.Number(0, precision=0, label="Seed", **_texts("seed"))
        report = gr.Checkbox(
            label="Check originality", visible=len(qualities) > 1, **_texts("report")
        )
    return {
        "strength": strength,
        "style_size": style_size,
        "quality": quality,
        "preserve_color": colors,
        "seed": seed,
        "report": report,
    }


def _connect(handlers, options, inputs, controls, outputs):
    """Says what happens at which event."""
    raw = {"api_visibility": "private", "preprocess": False}
    reading = {**raw, "concurrency_id": "reading", "concurrency_limit": 4}
    working = {**raw, "concurrency_id": "working", "concurrency_limit": options.painters}

    def paint(values, request: gr.Request, progress=_PROGRESS):
        wish = {name: values[control] for name, control in controls.items()}
        wish["preserve_color"] = _COLORS.get(wish["preserve_color"], wish["preserve_color"])
        files = inputs.photograph, inputs.painting, inputs.second, inputs.brush
        pictures = [values[file] for file in files]
        made = handlers.paint(*pictures, wish, progress, request.session_hash)
        is_judged = Wish(**wish).is_judged
        return {
            outputs.compared: (made.before, made.after),
            outputs.download: gr.DownloadButton(value=made.result, interactive=True),
            outputs.verdict: "Checking originality ..." if is_judged else "",
            outputs.made: made if is_judged else None,
        }

    def stop(request: gr.Request):
        handlers.stop(request.session_hash)

    def judge(made):
        return handlers.judge(made) if made else ""

    inputs.photograph.change(handlers.show_photograph, inputs.photograph, inputs.brush, **reading)
    for painting in (inputs.painting, inputs.second):
        painting.change(handlers.check_painting, painting, **reading)
    run = outputs.start.click(
        paint,
        {inputs.photograph, inputs.painting, inputs.second, inputs.brush, *controls.values()},
        [outputs.compared, outputs.download, outputs.verdict, outputs.made],
        show_progress_on=outputs.compared,
        **working,
    )
    run.success(judge, outputs.made, outputs.verdict, show_progress="hidden", **working)
    outputs.stop.click(stop, cancels=run, queue=False, api_visibility="private")


def _picture(label):
    return gr.Image(
        label=label,
        sources=["upload", "webcam", "clipboard"],
        type="filepath",
        height=260,
        buttons=[],
        elem_id=label.lower().replace(" ", "_"),
    )


def _offer(label, files, component):
    with gr.Column(min_width=160, elem_classes="samples"):
        gr.Examples(files, component, label=label, api_visibility="private")


def _slider(name, label, step):
    field = next(field for field in dataclasses.fields(Wish) if field.name == name)
    limits = field.metadata
    return gr.Slider(
        limits["minimum"],
        limits["maximum"],
        value=field.default,
        step=step,
        label=label,
        **_texts(name),
    )


def _texts(name):
    """The explanation of a control, and its name in the page."""
    field = next(field for field in dataclasses.fields(Wish) if field.name == name)
    return {"info": field.metadata["description"], "elem_id": name}
