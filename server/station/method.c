#include "server/station/method.h"

#include <string.h>

static const struct {
    const char *path;
    enum method method;
} methods[] = {
    {"/numbers.Numbers/GetNumbers", METHOD_GET_NUMBERS},
    {"/station.v1.NumbersStation/Start", METHOD_START},
    {"/station.v1.NumbersStation/Resume", METHOD_RESUME},
    {"/grpc.health.v1.Health/Check", METHOD_HEALTH_CHECK},
    {"/grpc.health.v1.Health/Watch", METHOD_HEALTH_WATCH},
    {"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", METHOD_REFLECTION},
    {"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", METHOD_REFLECTION},
};

enum { METHOD_COUNT = sizeof methods / sizeof methods[0] };

enum method method_find(const char *path) {
    for (size_t i = 0; i < METHOD_COUNT; i++) {
        if (strcmp(path, methods[i].path) == 0) {
            return methods[i].method;
        }
    }
    return METHOD_UNKNOWN;
}

bool method_is_bidirectional(enum method method) {
    return method == METHOD_REFLECTION;
}

bool method_is_service(struct wire_bytes name) {
    for (size_t i = 0; i < METHOD_COUNT; i++) {
        const char *service = methods[i].path + 1;
        size_t size = (size_t)(strchr(service, '/') - service);
        if (name.size == size && memcmp(service, name.bytes, size) == 0) {
            return true;
        }
    }
    return name.size == 0;
}
