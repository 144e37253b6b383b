#include "bench/built_program.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool built_program_choose(char *path, size_t capacity, const char *given, const char *built) {
    if (given != NULL) {
        return (size_t)snprintf(path, capacity, "%s", given) < capacity;
    }
    ssize_t size = readlink("/proc/self/exe", path, capacity - 1);
    path[size < 0 ? 0 : size] = '\0';
    char *slash = strrchr(path, '/');
    size_t folder_size = slash == NULL ? 0 : (size_t)(slash - path) + 1;
    return (size_t)snprintf(path + folder_size, capacity - folder_size, "%s", built) <
           capacity - folder_size;
}
