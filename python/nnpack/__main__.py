"""`python -m nnpack`: the command line."""

import sys

from nnpack.cli import main

if __name__ == "__main__":
    sys.exit(main())
