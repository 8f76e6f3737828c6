"""`python Testing/benchmarks` is `python Testing/benchmarks/run.py`."""

import sys

from run import main

sys.exit(main())
