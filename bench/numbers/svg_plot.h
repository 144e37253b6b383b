/*
 * A horizontal bar chart with whiskers as an SVG file: one bar a scenario, from 0 to the median, a
 * whisker from the least to the greatest value, and a line at 1, the baseline.
 *
 * Ownership: borrows everything. Threading: pure but for the stream it writes to.
 */
#ifndef BENCH_NUMBERS_SVG_PLOT_H_
#define BENCH_NUMBERS_SVG_PLOT_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

struct svg_plot_bar {
    const char *name;
    const char *description;
    double minimum, median, maximum;
};

struct svg_plot {
    const char *title;
    const char *subtitle;
    const char *axis_label;
    const char *footers[2]; /* two lines under the chart: the machine, the run */
    const struct svg_plot_bar *bars;
    size_t bar_count;
};

/* Writes the chart. The texts are escaped. Returns false when the stream reports an error. */
bool svg_plot_write(const struct svg_plot *plot, FILE *stream);

#ifdef __cplusplus
}
#endif

#endif /* BENCH_NUMBERS_SVG_PLOT_H_ */
