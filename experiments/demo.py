"""Stylises the embedded sample pictures with the generator that ships, without any download.

python experiments/demo.py --output=demo
"""

import pathlib
import subprocess
import sys

import launch
from absl import flags

FLAGS = flags.FLAGS
flags.DEFINE_string("output", "demo", "Folder for the samples and the stylized pictures.")
flags.DEFINE_integer("size", 384, "Side of the pictures in pixels.", lower_bound=32)

STYLIZE = pathlib.Path(__file__).with_name("stylize.py")


def main() -> int:
    """Draws the samples and runs `stylize.py` on them; returns its exit code."""
    from stylegan_transfer import samples
    from stylegan_transfer.pictures.files import save_image

    output = pathlib.Path(FLAGS.output)
    for kind, names, draw in (
        ("content", samples.CONTENT_NAMES, samples.draw_content),
        ("style", samples.STYLE_NAMES, samples.draw_style),
    ):
        for name in names:
            save_image(draw(name, FLAGS.size), output / kind / f"{name}.png")
    command = [
        sys.executable,
        str(STYLIZE),
        f"--content={output / 'content'}",
        f"--style={output / 'style'}",
        f"--output={output / 'stylized'}",
        "--overwrite",
    ]
    print("python", *command[1:], flush=True)
    code = subprocess.run(command, check=False).returncode
    if code == 0:
        print(f"All of them on one page: {output / 'stylized' / 'contact_sheet.png'}")
    return code


if __name__ == "__main__":
    launch.run(main)
