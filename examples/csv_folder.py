"""The network as CSV files, for languages that know nothing else: csv_predict.awk and csv_predict.c read them.

python examples/csv_folder.py FOLDER
awk -f examples/csv_predict.awk FOLDER/iris_csv/weights/{hidden_kernel,hidden_bias,kind_kernel,kind_bias}.csv \
    FOLDER/iris_rows.csv
cc examples/csv_predict.c -lm -o csv_predict && ./csv_predict FOLDER/iris_csv/weights < FOLDER/iris_rows.csv
"""

from __future__ import annotations

import sys
from pathlib import Path

from nnpack.converters import csv_folder

folder = Path(sys.argv[1])
csv_folder.write(folder / "iris.nnpack", folder / "iris_csv")
for path in sorted((folder / "iris_csv").rglob("*.*")):
    print(path.relative_to(folder))
