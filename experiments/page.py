"""Opens a page in the browser to paint pictures on; ends with Ctrl-C.

python experiments/page.py
python experiments/page.py --help
"""

import sys

from stylegan_transfer.commands import launch, page

if __name__ == "__main__":
    sys.exit(launch.run(page.main, sys.argv))
