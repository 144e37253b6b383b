"""The same service by gRPC's library for Python, for comparison: Start only, as fast as the client
reads.

    grpcio_server.py PROTOS
"""
import asyncio
import random
import subprocess
import sys
import tempfile
import zlib

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

with tempfile.NamedTemporaryFile() as output:
    subprocess.check_call(["protoc", "--proto_path=" + sys.argv[1],
                           "--descriptor_set_out=" + output.name,
                           sys.argv[1] + "/station/v1/station.proto"])
    FILES = descriptor_pb2.FileDescriptorSet.FromString(output.read())
POOL = descriptor_pool.DescriptorPool()
POOL.Add(FILES.file[0])
FACTORY = message_factory.MessageFactory(POOL)
REQUEST = FACTORY.GetPrototype(POOL.FindMessageTypeByName("station.v1.StartRequest"))
NUMBER = FACTORY.GetPrototype(POOL.FindMessageTypeByName("station.v1.Number"))


async def start(request, _):
    checksum = 0
    for index in range(request.count):
        message = NUMBER(index=index, number=random.getrandbits(32))
        checksum = zlib.crc32(str(message.number).encode(), checksum)
        if index == request.count - 1:
            message.checksum = checksum
        yield message


async def main():
    server = grpc.aio.server()
    handler = grpc.unary_stream_rpc_method_handler(
        start, request_deserializer=REQUEST.FromString,
        response_serializer=lambda message: message.SerializeToString())
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(
        "station.v1.NumbersStation", {"Start": handler}),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print("listening on 127.0.0.1:%d" % port, file=sys.stderr, flush=True)
    await server.wait_for_termination()


asyncio.run(main())
