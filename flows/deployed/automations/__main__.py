"""`python -m flows.deployed.automations`."""

import sys

from flows.deployed.automations.registration import main

if __name__ == "__main__":
    sys.exit(main())
