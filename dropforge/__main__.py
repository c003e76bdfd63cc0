"""`python -m dropforge`: the command line."""

from dropforge.cli.main import main

main()
