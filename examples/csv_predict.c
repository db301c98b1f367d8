/* A perceptron from its CSV files: the directory of the weights is its argument, the rows are its input.
   See csv_folder.py. */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { INPUTS = 4, HIDDEN = 8, KINDS = 3 };

static float hidden_kernel[INPUTS * HIDDEN], hidden_bias[HIDDEN], kind_kernel[HIDDEN * KINDS], kind_bias[KINDS];

/* Reads n numbers between which stand commas and ends of lines; how many there were. */
static int numbers(FILE *file, float *into, int n) {
    int i = 0;
    while (i < n && fscanf(file, "%f%*1[,]", &into[i]) == 1) i++;
    return i;
}

static void load(const char *directory, const char *name, float *into, int n) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.csv", directory, name);
    FILE *file = fopen(path, "r");
    if (file == NULL || numbers(file, into, n) != n) {
        fprintf(stderr, "%s: expected %d numbers\n", path, n);
        exit(1);
    }
    fclose(file);
}

/* y[j] = bias[j] + the sum of x[i] * kernel[i][j] */
static void dense(const float *x, int inputs, const float *kernel, const float *bias, float *y, int units) {
    for (int j = 0; j < units; j++) {
        y[j] = bias[j];
        for (int i = 0; i < inputs; i++) y[j] += x[i] * kernel[i * units + j];
    }
}

int main(int argc, char **argv) {
    if (argc != 2) return fprintf(stderr, "usage: %s WEIGHTS < ROWS\n", argv[0]), 2;
    load(argv[1], "hidden_kernel", hidden_kernel, INPUTS * HIDDEN);
    load(argv[1], "hidden_bias", hidden_bias, HIDDEN);
    load(argv[1], "kind_kernel", kind_kernel, HIDDEN * KINDS);
    load(argv[1], "kind_bias", kind_bias, KINDS);
    float x[INPUTS], h[HIDDEN], y[KINDS];
    while (numbers(stdin, x, INPUTS) == INPUTS) {
        dense(x, INPUTS, hidden_kernel, hidden_bias, h, HIDDEN);
        for (int j = 0; j < HIDDEN; j++) h[j] = fmaxf(h[j], 0); /* relu */
        dense(h, HIDDEN, kind_kernel, kind_bias, y, KINDS);
        float largest = fmaxf(fmaxf(y[0], y[1]), y[2]), total = 0;
        for (int j = 0; j < KINDS; j++) total += y[j] = expf(y[j] - largest); /* softmax */
        for (int j = 0; j < KINDS; j++) printf("%.9g%c", (double)(y[j] / total), j < KINDS - 1 ? ',' : '\n');
    }
    return 0;
}
