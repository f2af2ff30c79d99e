"""Packs photographs and paintings into one small file to train from.

python experiments/pack.py --content=PHOTOS --style=PAINTINGS --output=pairs.zip
python experiments/pack.py --help
"""

import sys

from stylegan_transfer.commands import launch, pack

if __name__ == "__main__":
    sys.exit(launch.run(pack.main, sys.argv))
