# A perceptron from its CSV files: a kernel and a bias for each layer, then the rows. See csv_folder.py.

BEGIN { FS = ","; LAYERS = 2 }

FNR == 1 { file++ }

# A kernel has a line for each input, a bias one line; both have a number for each unit.
file <= 2 * LAYERS {
    for (j = 1; j <= NF; j++) weight[file, FNR, j] = $j
    units[file] = NF
    next
}

{
    n = NF
    for (i = 1; i <= n; i++) x[i] = $i
    for (layer = 1; layer <= LAYERS; layer++) {
        kernel = 2 * layer - 1; bias = 2 * layer
        for (j = 1; j <= units[bias]; j++) {
            y[j] = weight[bias, 1, j]
            for (i = 1; i <= n; i++) y[j] += x[i] * weight[kernel, i, j]
        }
        n = units[bias]
        for (j = 1; j <= n; j++) x[j] = layer < LAYERS && y[j] < 0 ? 0 : y[j]   # relu, but for the last
    }
    for (j = 1; j <= n; j++) if (j == 1 || x[j] > largest) largest = x[j]
    total = 0
    for (j = 1; j <= n; j++) total += x[j] = exp(x[j] - largest)   # softmax
    for (j = 1; j <= n; j++) printf "%.9g%s", x[j] / total, j < n ? "," : "\n"
}
