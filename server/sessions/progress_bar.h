/*
 * A progress bar for a line of a terminal, as text.
 *
 * Threading: pure functions.
 */
#ifndef SERVER_SESSIONS_PROGRESS_BAR_H_
#define SERVER_SESSIONS_PROGRESS_BAR_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Empties the line that the cursor is on. */
#define PROGRESS_BAR_CLEAR "\r\033[K"

enum { PROGRESS_BAR_TEXT_SIZE = 88 };

/* Writes PROGRESS_BAR_CLEAR and "[#####.....]  50 % (5/10)", terminated, to `text`. It is shorter
 * than the terminal's line of `column_count` columns: the bar is as long as fits, 40 cells at most.
 * done <= total; of 0 numbers all are there. */
void progress_bar_write(uint32_t done, uint32_t total, size_t column_count,
                        char text[PROGRESS_BAR_TEXT_SIZE]);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_SESSIONS_PROGRESS_BAR_H_ */
