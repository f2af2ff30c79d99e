"""Paints one picture in the style of one or several others by optimizing its pixels.

python experiments/optimize.py --content=photo.jpg --style=painting.jpg --output=out.png
python experiments/optimize.py --content=photo.jpg --style=a.jpg:2 --style=b.jpg:1 --output=out.png
python experiments/optimize.py --help
"""

import sys

from stylegan_transfer.commands import launch, optimize

if __name__ == "__main__":
    sys.exit(launch.run(optimize.main, sys.argv))
