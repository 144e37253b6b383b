#include "server/runtime/http/microhttpd.h"

#include <dlfcn.h>
#include <stddef.h>

static const char LIBRARY[] = "libmicrohttpd.so.12";

#define MICROHTTPD_LOAD(name)                                                                      \
    library->name = (__typeof__(library->name))dlsym(handle, "MHD_" #name);                        \
    if (library->name == NULL) {                                                                   \
        return dlerror();                                                                          \
    }

const char *microhttpd_load(struct microhttpd *library) {
    /* Never closed: nothing is gained by it. */
    void *handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) {
        return dlerror();
    }
    MICROHTTPD_FUNCTIONS(MICROHTTPD_LOAD)
    return NULL;
}
