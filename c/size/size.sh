#!/bin/sh
# How many bytes the runtime takes in a program that predicts with a perceptron, without libm and libc: what of libnnp.a
# the linker's map has kept, code and constants. Besides, what comes from libgcc: arithmetic that the processor has not.
# Takes OUT, ARM (the prefix of a compiler for ARM) and CC.
set -eu
cd "$(dirname "$0")/.."
CONFIG="-DNNP_ALL=0 -DNNP_HASH=0 -DNNP_MESSAGES=0"
FLAGS="-std=c99 -Os -ffunction-sections -fdata-sections -I include -I src"

# The bytes of a map's sections that come from the library, by what they are.
kept() {
    awk '
        function number(hex, n, i) {
            n = 0
            for (i = 3; i <= length(hex); i++) n = n * 16 + index("0123456789abcdef", substr(hex, i, 1)) - 1
            return n
        }
        /^Linker script and memory map/ { kept = 1 }
        /^ \.[a-z]/ { section = $1 }
        kept && /lib(nnp|gcc)\.a\(/ {
            bytes = number($(NF - 1))
            if (/libgcc/) { if (section ~ /^\.text/) helpers += bytes }
            else if (section ~ /^\.text/) code += bytes
            else if (section ~ /^\.(rodata|data\.rel\.ro)/) constants += bytes
            else if (section ~ /^\.(data|bss)/) ram += bytes
        }
        END {
            printf "%d bytes: %d of code, %d of constants; %d of static memory; libgcc: %d\n",
                   code + constants, code, constants, ram, helpers
        }
    ' "$1"
}

# measure NAME COMPILER AR FLAGS LIBRARIES SIZE: with all operators of two families, and with five operators.
measure() {
    out="$OUT/$1"
    rm -rf "$out"
    mkdir -p "$out"
    for source in src/*.c src/ops/*.c; do
        $2 $FLAGS $CONFIG $4 -c "$source" -o "$out/$(basename "$source" .c).o"
    done
    $3 rcs "$out/libnnp.a" "$out"/*.o
    for table in "" "-DSIZE_TABLE"; do
        $2 $FLAGS $CONFIG $4 $table size/perceptron.c "$out/libnnp.a" -lm $5 \
            -Wl,--gc-sections -Wl,-Map,"$out/map$table" -o "$out/perceptron$table"
        [ -z "$table" ] && what="core and activations" || what="dense relu sigmoid tanh softmax"
        printf '%-12s %-32s %s\n' "$1" "$what" "$(kept "$out/map$table")"
    done
    # Link-time optimization mixes the runtime with the program, so that what it saves shows in the whole.
    sources=$(ls src/*.c src/ops/*.c | grep -v -e nnp_file -e src/operators)
    $2 $FLAGS $CONFIG $4 -flto -DSIZE_TABLE size/perceptron.c $sources -lm $5 -Wl,--gc-sections -o "$out/perceptron-lto"
    plain=$($6 "$out/perceptron-DSIZE_TABLE" | awk 'END { print $1 }')
    optimized=$($6 "$out/perceptron-lto" | awk 'END { print $1 }')
    printf '%-12s %-32s %s\n' "$1" "the same with -flto" "$((plain - optimized)) bytes less"
}

if command -v "${ARM}gcc" > /dev/null; then
    measure cortex-m4 "${ARM}gcc" "${ARM}ar" "-mcpu=cortex-m4 -mthumb" "--specs=nosys.specs" "${ARM}size"
else
    echo "cortex-m4: there is no ${ARM}gcc"
fi
measure "$(uname -m)" "$CC" ar "" "" size
