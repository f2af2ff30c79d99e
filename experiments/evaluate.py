"""Measures how well generators, and folders of results, keep contents and meet styles.

python experiments/evaluate.py --content=PHOTOS --style=PAINTINGS --output=DIR
python experiments/evaluate.py --help
"""

import sys

from stylegan_transfer.commands import evaluate, launch

if __name__ == "__main__":
    sys.exit(launch.run(evaluate.main, sys.argv))
