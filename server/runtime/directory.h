/*
 * The directory a file is in.
 *
 * Threading: no state.
 */
#ifndef SERVER_RUNTIME_DIRECTORY_H_
#define SERVER_RUNTIME_DIRECTORY_H_

#ifdef __cplusplus
extern "C" {
#endif

/* Makes the entry of the file at file_path in its directory durable: after a power loss a file that
 * was just created may otherwise be gone, though its content was synced. 0, or a negative errno
 * value; -EACCES: the directory may not be read. */
int directory_sync(const char *file_path);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RUNTIME_DIRECTORY_H_ */
