/* What the kernels with lanes of sixteen bytes share: one line a lane, six bytes of the next line
 * behind it. Internal to //parser; see line_kernel_lanes.h. */
#ifndef PARSER_LINE_LANE_H_
#define PARSER_LINE_LANE_H_

#include <stdint.h>

#include "parser/line_parser.h"

enum {
    LANE_SIZE = 16,
    REGISTERS_PER_BLOCK = 4,
    LANE_STRIDE = REGISTERS_PER_BLOCK * LINE_PARSER_LINE_SIZE
};

/* What to subtract from a line's bytes, and how much may be left: anything in the next line's. */
static const uint8_t lane_base[LANE_SIZE] = {'0', '0', '0', '0', '0', '0', '0', '0', '0', '\n'};
static const uint8_t lane_limits[LANE_SIZE] = {9, 9, 9,   9,   9,   9,   9,   9,
                                               9, 0, 255, 255, 255, 255, 255, 255};

#endif /* PARSER_LINE_LANE_H_ */
