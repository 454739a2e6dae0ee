"""`python -m coplay` is `coplay`."""

from coplay.cli import main

main()
