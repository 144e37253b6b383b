#include "bench/numbers/svg_plot.h"

#include <math.h>

static const int WIDTH = 860;
static const int TOP = 84; /* above the first bar */
static const int ROW_HEIGHT = 46;
static const int BAR_HEIGHT = 22;
static const int LEFT = 250; /* where the bars start: names and descriptions are left of it */
static const int RIGHT = 76; /* room for the value after the longest whisker */
static const int BOTTOM = 94;
static const int TICK_COUNT_MAX = 6;

/* Colours for both a light and a dark page: the reader's setting decides. */
static const char style[] =
    "<style>\n"
    "text{font-family:system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif;"
    "font-size:13px;fill:#24292f}\n"
    ".title{font-size:18px;font-weight:600}\n"
    ".quiet{fill:#57606a;font-size:12px}\n"
    ".value{font-weight:600}\n"
    ".page{fill:#ffffff}\n"
    ".bar{fill:#2f81c7}\n"
    ".grid{stroke:#d0d7de;stroke-width:1}\n"
    ".whisker{stroke:#24292f;stroke-width:1.5}\n"
    ".baseline{stroke:#bc4c00;stroke-width:1.5;stroke-dasharray:5 4}\n"
    ".baseline-text{fill:#bc4c00;font-size:12px}\n"
    "@media(prefers-color-scheme:dark){\n"
    "text{fill:#e6edf3}.quiet{fill:#9198a1}.page{fill:#0d1117}.bar{fill:#388bfd}\n"
    ".grid{stroke:#30363d}.whisker{stroke:#e6edf3}.baseline{stroke:#f0883e}\n"
    ".baseline-text{fill:#f0883e}}\n"
    "</style>\n";

static void write_escaped(FILE *stream, const char *text) {
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '<':
            (void)fputs("&lt;", stream);
            break;
        case '>':
            (void)fputs("&gt;", stream);
            break;
        case '&':
            (void)fputs("&amp;", stream);
            break;
        default:
            (void)fputc(*text, stream);
        }
    }
}

static void write_text(FILE *stream, double x, double y, const char *class_name, const char *anchor,
                       const char *text) {
    (void)fprintf(stream, "<text x=\"%.1f\" y=\"%.1f\" class=\"%s\" text-anchor=\"%s\">", x, y,
                  class_name, anchor);
    write_escaped(stream, text);
    (void)fputs("</text>\n", stream);
}

static void write_line(FILE *stream, double x1, double y1, double x2, double y2,
                       const char *class_name) {
    (void)fprintf(stream, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" class=\"%s\"/>\n",
                  x1, y1, x2, y2, class_name);
}

/* The smallest of 1, 2, 2.5 and 5 times a power of ten that needs no more than the ticks
 * allowed. */
static double choose_tick_step(double maximum) {
    static const double steps[] = {1, 2, 2.5, 5, 10};
    double power = pow(10, floor(log10(maximum / TICK_COUNT_MAX)));
    size_t i = 0;
    while (steps[i] * power * TICK_COUNT_MAX < maximum) {
        i++;
    }
    return steps[i] * power;
}

static double find_maximum(const struct svg_plot *plot) {
    double maximum = 1; /* the baseline's line is always in the picture */
    for (size_t i = 0; i < plot->bar_count; i++) {
        maximum = fmax(maximum, plot->bars[i].maximum);
    }
    return maximum;
}

static void write_bar(FILE *stream, const struct svg_plot_bar *bar, double y, double scale) {
    char value[32];
    double middle = y + BAR_HEIGHT / 2.0;
    double low = LEFT + bar->minimum * scale;
    double high = LEFT + bar->maximum * scale;
    write_text(stream, LEFT - 12, y + 9, "value", "end", bar->name);
    write_text(stream, LEFT - 12, y + 24, "quiet", "end", bar->description);
    (void)fprintf(
        stream, "<rect x=\"%d\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" rx=\"3\" class=\"bar\"/>\n",
        LEFT, y, bar->median * scale, BAR_HEIGHT);
    write_line(stream, low, middle, high, middle, "whisker");
    write_line(stream, low, middle - 5, low, middle + 5, "whisker");
    write_line(stream, high, middle - 5, high, middle + 5, "whisker");
    (void)snprintf(value, sizeof value, "%.2f", bar->median);
    write_text(stream, fmax(high, LEFT + bar->median * scale) + 9, middle + 5, "value", "start",
               value);
}

bool svg_plot_write(const struct svg_plot *plot, FILE *stream) {
    double maximum = find_maximum(plot);
    double step = choose_tick_step(maximum);
    double scale = (WIDTH - LEFT - RIGHT) / maximum;
    double bars_end = TOP + (double)plot->bar_count * ROW_HEIGHT;
    double height = bars_end + BOTTOM;
    (void)fprintf(stream,
                  "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %.0f\" width=\"%d\" "
                  "height=\"%.0f\" role=\"img\">\n%s<title>",
                  WIDTH, height, WIDTH, height, style);
    write_escaped(stream, plot->title);
    (void)fprintf(stream,
                  "</title>\n<rect width=\"%d\" height=\"%.0f\" rx=\"6\" class=\"page\"/>\n", WIDTH,
                  height);
    write_text(stream, 24, 32, "title", "start", plot->title);
    write_text(stream, 24, 52, "quiet", "start", plot->subtitle);
    for (double tick = 0; tick <= maximum * 1.001; tick += step) {
        char label[32];
        double x = LEFT + tick * scale;
        (void)snprintf(label, sizeof label, "%g", tick);
        write_line(stream, x, TOP - 8, x, bars_end, "grid");
        write_text(stream, x, bars_end + 16, "quiet", "middle", label);
    }
    for (size_t i = 0; i < plot->bar_count; i++) {
        write_bar(stream, &plot->bars[i], TOP + (double)i * ROW_HEIGHT + 4, scale);
    }
    write_line(stream, LEFT + scale, TOP - 8, LEFT + scale, bars_end, "baseline");
    write_text(stream, LEFT + scale, TOP - 14, "baseline-text", "middle", "baseline");
    write_text(stream, LEFT, bars_end + 36, "quiet", "start", plot->axis_label);
    write_text(stream, 24, bars_end + 62, "quiet", "start", plot->footers[0]);
    write_text(stream, 24, bars_end + 79, "quiet", "start", plot->footers[1]);
    (void)fputs("</svg>\n", stream);
    return ferror(stream) == 0;
}
