"""Trains a generator; the same command on the same workdir resumes.

python experiments/train.py --preset=laptop --content=PHOTOS --style=PAINTINGS --workdir=DIR
tensorboard --logdir=DIR
python experiments/train.py --help
"""

import sys

from stylegan_transfer.commands import launch, train

if __name__ == "__main__":
    sys.exit(launch.run(train.main, sys.argv))
