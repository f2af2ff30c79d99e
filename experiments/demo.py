"""Stylises the sample pictures of the package with the generator that ships; needs no download.

python experiments/demo.py --output=demo
"""

import sys

from stylegan_transfer.commands import demo, launch

if __name__ == "__main__":
    sys.exit(launch.run(demo.main, sys.argv))
