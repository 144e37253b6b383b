/* The file in which a client keeps what it has received, line by line, so that it can go on after
 * it was killed.
 *
 * The file is its owner's alone (0600) and locked, so that two clients cannot use one. A file of
 * somebody else's is never touched: what is there must be a regular file, reached without a
 * symbolic link, and be empty or begin as the caller's files do. A new content takes its place by
 * rename, so that there is the old one or the new one at any time. It survives the death of the
 * process, not the loss of power: it is not synced to the disk.
 *
 * Ownership: the struct owns its descriptor; the path is the caller's. Threading: one thread.
 */
#ifndef SERVER_SESSIONS_STATE_FILE_H_
#define SERVER_SESSIONS_STATE_FILE_H_

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    STATE_FILE_PATH_SIZE = 4096,
    STATE_FILE_HEAD_SIZE = 256, /* what is looked at to tell whether a file is the caller's */
};

struct state_file {
    int fd;
    int error;        /* the errno value behind the last IO_ERROR */
    const char *path; /* what it was opened by */
};

enum state_file_result {
    STATE_FILE_OK,
    STATE_FILE_IN_USE,   /* another client holds it */
    STATE_FILE_EMPTY,    /* for the caller, who reads it: there is nothing in it, or nothing more */
    STATE_FILE_FOREIGN,  /* it is something else; it was left alone */
    STATE_FILE_IO_ERROR, /* file.error tells more */
};

/* Says whether a file that begins with these `size` bytes, STATE_FILE_HEAD_SIZE at most, is one of
 * the caller's. */
typedef bool state_file_checker(const char *bytes, size_t size);

/* Opens and locks the file at `path`, creating an empty one if there is none. Unless the result is
 * OK nothing is left open. `path` must outlive the struct. */
enum state_file_result state_file_open(struct state_file *file, const char *path,
                                       state_file_checker *is_own);

/* Puts a file with these bytes in its place: OK or IO_ERROR. */
enum state_file_result state_file_replace(struct state_file *file, const char *bytes, size_t size);

/* Writes at the end: OK or IO_ERROR. */
enum state_file_result state_file_append(struct state_file *file, const char *bytes, size_t size);

/* Cuts it off at `size` and goes on writing there: OK or IO_ERROR. */
enum state_file_result state_file_cut(struct state_file *file, off_t size);

void state_file_close(struct state_file *file);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_SESSIONS_STATE_FILE_H_ */
