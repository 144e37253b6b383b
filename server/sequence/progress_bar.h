/* A progress bar for a terminal, as text.
 *
 * Threading: pure functions.
 */
#ifndef SERVER_SEQUENCE_PROGRESS_BAR_H_
#define SERVER_SEQUENCE_PROGRESS_BAR_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { PROGRESS_BAR_WIDTH = 40, PROGRESS_BAR_TEXT_SIZE = PROGRESS_BAR_WIDTH + 48 };

/* Writes "\r[#####.....]  50 % (5/10)", terminated, to `text`; it replaces the line that the cursor
 * is on. done <= total; of 0 numbers all are there. */
void progress_bar_write(uint32_t done, uint32_t total, char text[PROGRESS_BAR_TEXT_SIZE]);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_SEQUENCE_PROGRESS_BAR_H_ */
