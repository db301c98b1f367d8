"""`python conformance/naive` runs the adapter."""

import sys
from pathlib import Path

# A directory that is run is itself where modules are looked for; the package is one above.
sys.path[0] = str(Path(__file__).resolve().parents[1])

from naive.adapter import main  # noqa: E402

sys.exit(main(sys.argv[1:]))
