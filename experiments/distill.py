"""Trains the distilled VGG19 features that ship with the package.

python experiments/distill.py --photos=DIR --paintings=DIR --teacher=imagenet --workdir=DIR
python experiments/distill.py --help
"""

import sys

from stylegan_transfer.commands import distill, launch

if __name__ == "__main__":
    sys.exit(launch.run(distill.main, sys.argv))
