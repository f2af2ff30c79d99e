"""Paints millions of pictures with Apache Beam.

python experiments/stylize_beam.py --content=PHOTOS --style=a.jpg --output=DIR --num_workers=2
python experiments/stylize_beam.py --help
"""

import sys

from stylegan_transfer.commands import beam, launch

if __name__ == "__main__":
    sys.exit(launch.run(beam.main, sys.argv))
