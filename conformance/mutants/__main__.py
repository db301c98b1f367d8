"""python conformance/mutants              lists the mistakes
python conformance/mutants NAME         a runtime that makes one of them, with naive's adapter: a conversation
python conformance/mutants NAME …       the same, with the adapter's arguments
"""

import sys
from pathlib import Path
from unittest.mock import patch

# A directory that is run is itself where modules are looked for; the package is one above.
sys.path[0] = str(Path(__file__).resolve().parents[1])

from mutants import MUTANTS  # noqa: E402
from naive import adapter  # noqa: E402


def main(arguments: list[str]) -> int:
    if not arguments:
        for mutant in MUTANTS.values():
            sys.stdout.write(f"{mutant.name}\n    {mutant.says} ({mutant.page})\n")
        return 0
    name, *others = arguments
    if name not in MUTANTS:
        sys.stderr.write(f"no mutant {name!r}; without a name, all are listed\n")
        return 2
    mutant = MUTANTS[name]
    with mutant.applied(), patch.object(adapter, "FLOAT64", mutant.arithmetic):
        return adapter.main(others)


sys.exit(main(sys.argv[1:]))
