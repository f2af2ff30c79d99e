"""Measures time and memory, beside another package and beside the machine's limit.

python experiments/benchmark.py
python experiments/benchmark.py --help
"""

import sys

from stylegan_transfer.commands import benchmark, launch

if __name__ == "__main__":
    sys.exit(launch.run(benchmark.main, sys.argv))
