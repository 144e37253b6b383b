/*
 * Which version of the sources a program was built from.
 *
 * Threading: none; a constant.
 */
#ifndef SERVER_RUNTIME_VERSION_H_
#define SERVER_RUNTIME_VERSION_H_

#ifdef __cplusplus
extern "C" {
#endif

/* "1.0.0 (3e30ece8b1f2)": the version and the commit, with "-dirty" where files were changed after
 * it. "1.0.0" where it is not known: in tests, which are not run anew for a commit that changes
 * nothing of theirs (.bazelrc), or without a repository. */
const char *version_text(void);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RUNTIME_VERSION_H_ */
