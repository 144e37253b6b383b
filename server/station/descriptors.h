/* The .proto files in protos/ as a google.protobuf.FileDescriptorSet, as protoc makes it. */
#ifndef SERVER_STATION_DESCRIPTORS_H_
#define SERVER_STATION_DESCRIPTORS_H_

#include "server/station/wire.h"

#ifdef __cplusplus
extern "C" {
#endif

struct wire_bytes descriptors_set(void);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_STATION_DESCRIPTORS_H_ */
