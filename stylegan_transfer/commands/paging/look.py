"""How the page looks: colours, fonts and distances."""

import gradio as gr

# Fonts are those of the reader's machine: nothing is fetched from elsewhere.
THEME = gr.themes.Soft(
    primary_hue="amber",
    neutral_hue="stone",
    spacing_size="sm",
    font=["system-ui", "sans-serif"],
    font_mono=["ui-monospace", "monospace"],
).set(
    body_background_fill="*neutral_100",
    block_label_background_fill="*background_fill_primary",
    block_label_text_color="*body_text_color",
    block_title_background_fill="transparent",
    block_title_text_color="*body_text_color",
    block_title_padding="0",
    button_primary_text_color="*neutral_950",
    # The same in the dark.
    block_label_background_fill_dark="*background_fill_primary",
    block_label_text_color_dark="*body_text_color",
    block_title_background_fill_dark="transparent",
    block_title_text_color_dark="*body_text_color",
    button_primary_text_color_dark="*neutral_950",
)
CSS = """
.gradio-container {max-width: 1320px !important; margin: auto}
#title {padding-top: 8px}
#title h1 {margin-bottom: 0}
#title p {margin-top: 4px; color: var(--body-text-color-subdued)}
.samples .gallery {display: grid !important; grid-template-columns: repeat(4, 1fr); gap: 6px}
.samples .gallery-item {border: 0 !important; padding: 0 !important; overflow: hidden}
.samples .gallery-item span, .samples .container {
  display: block !important; width: 100% !important; height: auto !important; max-width: none}
.samples img {width: 100% !important; height: auto !important; aspect-ratio: 1}
#verdict {min-height: 1.6em; padding-left: 4px}
"""
