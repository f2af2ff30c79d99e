"""Writes a generator in a format that other runtimes run.

python experiments/export.py --output=FOLDER
python experiments/export.py --help
"""

import sys

from stylegan_transfer.commands import export, launch

if __name__ == "__main__":
    sys.exit(launch.run(export.main, sys.argv))
