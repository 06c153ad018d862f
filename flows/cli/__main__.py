"""`python -m flows.cli`: the command `seogo`."""

from flows.cli.process import main

main()
