#include "bench/numbers/svg_plot.h"

#include <cstdlib>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace {

std::string Draw(const std::vector<svg_plot_bar> &bars, const char *title = "Title") {
    svg_plot plot = {};
    plot.title = title;
    plot.subtitle = "subtitle";
    plot.axis_label = "ratio";
    plot.footers[0] = "machine";
    plot.footers[1] = "run";
    plot.bars = bars.data();
    plot.bar_count = bars.size();
    char *text = nullptr;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    EXPECT_TRUE(svg_plot_write(&plot, stream));
    fclose(stream);
    std::string result(text, size);
    free(text);
    return result;
}

size_t Count(const std::string &text, const std::string &part) {
    size_t count = 0;
    for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
        count++;
    }
    return count;
}

TEST(SvgPlot, DrawsABarAWhiskerAndAValueForEachScenario) {
    std::string svg = Draw({{"first", "a", 0.4, 0.5, 0.6}, {"second", "b", 0.9, 1.23, 1.5}});
    EXPECT_EQ(Count(svg, "class=\"bar\""), 2u);
    EXPECT_EQ(Count(svg, "class=\"whisker\""), 6u);
    EXPECT_EQ(Count(svg, ">0.50</text>"), 1u);
    EXPECT_EQ(Count(svg, ">1.23</text>"), 1u);
    EXPECT_EQ(Count(svg, "class=\"baseline\""), 1u);
    EXPECT_EQ(svg.rfind("</svg>\n"), svg.size() - 7);
}

TEST(SvgPlot, LongestWhiskerStaysInsideThePicture) {
    for (double greatest : {0.01, 0.99, 1.0, 3.7, 1000.0}) {
        std::string svg = Draw({{"bar", "", 0, greatest / 2, greatest}});
        size_t at = 0;
        while ((at = svg.find("x2=\"", at)) != std::string::npos) {
            at += 4;
            EXPECT_LE(std::atof(svg.c_str() + at), 860) << greatest;
        }
    }
}

TEST(SvgPlot, EscapesTexts) {
    std::string svg = Draw({}, "a < b & c > d");
    EXPECT_EQ(Count(svg, "a &lt; b &amp; c &gt; d"), 2u);
}

TEST(SvgPlot, ReportsAFullDevice) {
    svg_plot plot = {"t", "s", "a", {"f", "g"}, nullptr, 0};
    FILE *full = fopen("/dev/full", "w");
    ASSERT_NE(full, nullptr);
    setvbuf(full, nullptr, _IONBF, 0);
    EXPECT_FALSE(svg_plot_write(&plot, full));
    fclose(full);
}

} // namespace
