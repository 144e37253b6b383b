#include "server/station/descriptors.h"

static const uint8_t set[] = {
#include "server/station/descriptors.inc"
};

struct wire_bytes descriptors_set(void) {
    return (struct wire_bytes){set, sizeof set};
}
