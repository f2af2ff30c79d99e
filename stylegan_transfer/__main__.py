"""`python -m stylegan_transfer COMMAND`: the same as the installed `stylegan-transfer`."""

import sys

from stylegan_transfer.commands.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv))
