/*
 * For programs that are linked statically: in place of the C library's functions that load others,
 * which would bring in a second C library. Whatever is loaded only when it is asked for (profile.h,
 * http/microhttpd.h) is then told that there is none.
 */
#include <dlfcn.h>
#include <stddef.h>

void *dlopen(const char *file, int mode) {
    (void)file;
    (void)mode;
    return NULL;
}

void *dlsym(void *restrict handle, const char *restrict name) {
    (void)handle;
    (void)name;
    return NULL;
}

char *dlerror(void) {
    static char reason[] = "this program is linked statically and can load no library";
    return reason;
}
