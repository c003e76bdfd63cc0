"""`python -m dropforge`: the command line."""

import sys

from dropforge.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
