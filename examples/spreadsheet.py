"""The network as a spreadsheet, of the file of nnpack_dump.py: type rows into its first sheet, and it answers.

python examples/spreadsheet.py FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

from nnpack.converters import spreadsheet

folder = Path(sys.argv[1])
spreadsheet.write(folder / "iris.nnpack", folder / "iris.xlsx", rows=3)
print(f"{folder / 'iris.xlsx'}: open it with LibreOffice or Excel")
