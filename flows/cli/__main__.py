"""`python -m flows.cli`: the command `seogo`."""

from flows.cli.app import main

main()
