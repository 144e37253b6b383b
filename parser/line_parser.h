/*
 * Numbers lines: bytes in, numbers out.
 *
 * Purpose: find the valid lines (nine ASCII digits and '\n') at the start of a buffer, turn them
 * into numbers, and say why the parse stopped there. A streaming parser without state: the caller
 * keeps the bytes that were not consumed and passes them again in front of the bytes that follow.
 *
 * Ownership: nothing is allocated or kept. No I/O, no clock, no environment, no globals.
 * Threading: every function is reentrant. A struct line_parser is constant once selected and may
 * be shared by any number of threads.
 */
#ifndef PARSER_LINE_PARSER_H_
#define PARSER_LINE_PARSER_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    LINE_PARSER_LINE_SIZE = 10,  /* nine digits and the newline */
    LINE_PARSER_SLACK_COUNT = 16 /* numbers that a kernel may write beyond the last line */
};

enum line_parser_stop {
    LINE_PARSER_NEEDS_MORE, /* what is left may become a valid line: 0 to 9 bytes */
    LINE_PARSER_INVALID,    /* what is left can never become a valid line */
    LINE_PARSER_TERMINATE   /* the last line consumed is "terminate\n" */
};

struct line_parser_result {
    size_t consumed_size; /* bytes of the valid lines, "terminate\n" included */
    size_t number_count;  /* numbers written, one for each digits line, in order */
    enum line_parser_stop stop;
};

/* Opaque: one implementation of the parse for one instruction set. */
struct line_kernel;

struct line_parser {
    const struct line_kernel *kernel; /* set by line_parser_select, never NULL after success */
};

enum line_parser_select_status {
    LINE_PARSER_SELECTED,
    LINE_PARSER_KERNEL_UNKNOWN,    /* no kernel of that name was built for this architecture */
    LINE_PARSER_KERNEL_UNSUPPORTED /* the kernel exists, this CPU cannot run it */
};

/* Chooses the kernel. kernel_name: one of the names below, or NULL for the best that this CPU runs
 * (which always succeeds). On failure the parser is left as it was. */
enum line_parser_select_status line_parser_select(struct line_parser *parser,
                                                  const char *kernel_name);

/* The name of the chosen kernel: "scalar", "ssse3", "avx2", "avx512bw", "avx512vbmi", "neon". */
const char *line_parser_kernel_name(const struct line_parser *parser);

/* How many kernels this CPU runs: at least one. */
size_t line_parser_supported_count(void);

/* The name of a kernel that this CPU runs, from "scalar" (index 0) to the best
 * (line_parser_supported_count() - 1); NULL when the index is out of range. */
const char *line_parser_supported_name(size_t index);

/* Parses the valid lines at the start of bytes[0, size).
 *
 * numbers: room for size / LINE_PARSER_LINE_SIZE + LINE_PARSER_SLACK_COUNT. The entries behind
 * number_count may have been overwritten with anything. bytes may be NULL when size is 0.
 *
 * Result: the valid lines before the stop are always in numbers, and bytes[consumed_size, size) is
 *   NEEDS_MORE: empty or a proper prefix (at most 9 bytes) of a digits line or of "terminate\n";
 *   INVALID:    not the beginning of any valid line, whatever may follow. One byte that makes this
 *               certain is enough: "12a" is invalid without its newline;
 *   TERMINATE:  whatever the client sent behind "terminate\n". */
struct line_parser_result line_parser_parse(const struct line_parser *parser, const char *bytes,
                                            size_t size, uint32_t *numbers);

#ifdef __cplusplus
}
#endif

#endif /* PARSER_LINE_PARSER_H_ */
