"""Paints every content, picture or clip, in every style.

python experiments/stylize.py --content=photo.jpg --style=painting.jpg --output=out.png
python experiments/stylize.py --content=PHOTOS --style=a.jpg --style=b.jpg --output=DIR
python experiments/stylize.py --content=photo.jpg --style=a.jpg:0.7 --style=b.jpg:0.3 --output=c.png
python experiments/stylize.py --help
"""

import sys

from stylegan_transfer.commands import launch, stylize

if __name__ == "__main__":
    sys.exit(launch.run(stylize.main, sys.argv))
