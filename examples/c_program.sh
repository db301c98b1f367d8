#!/bin/sh
# The network as a C program, of the file of nnpack_dump.py: converted, built, and asked about the first flower.
#
#   sh examples/c_program.sh FOLDER
set -e
nnpack convert "$1/iris.nnpack" --to c -o "$1/iris_c"
make --silent -C "$1/iris_c"
"$1/iris_c/predict" $(head -n 1 "$1/iris_rows.csv" | tr , ' ')
