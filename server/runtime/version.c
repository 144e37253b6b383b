#include "server/runtime/version.h"

#ifdef IS_STAMPED
#include "server/runtime/commit.h" /* made by the build: COMMIT, a text that may be empty */
#else
#define COMMIT ""
#endif

#define VERSION "1.0.0"

const char *version_text(void) {
    return sizeof COMMIT > 1 ? VERSION " (" COMMIT ")" : VERSION;
}
