#include "server/runtime/profile.h"

#include <dlfcn.h>
#include <gperftools/profiler.h>
#include <stddef.h>

static const char LIBRARY[] = "libprofiler.so.0";

static bool fail_to_load(const struct logger *logger) {
    logger_print(logger, LOG_LEVEL_ERROR,
                 "cannot load the profiler (Debian: libgoogle-perftools4): %s", dlerror());
    return false;
}

bool profile_start(struct profile *profile, const char *path, const struct logger *logger) {
    /* Never closed: the profiler's signal handler and its threads' keys point into it. */
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        return fail_to_load(logger);
    }
    __typeof__(&ProfilerStart) start = (__typeof__(start))dlsym(library, "ProfilerStart");
    if (start != NULL) {
        profile->stop = (__typeof__(&ProfilerStop))dlsym(library, "ProfilerStop");
    }
    if (start == NULL || profile->stop == NULL) {
        return fail_to_load(logger);
    }
    if (!start(path)) {
        logger_print(logger, LOG_LEVEL_ERROR, "cannot write a profile to %s", path);
        return false;
    }
    return true;
}

void profile_stop(const struct profile *profile) {
    profile->stop();
}
