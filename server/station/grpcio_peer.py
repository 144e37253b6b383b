"""A client by gRPC's own library (python3-grpcio), for grpcio_process_test.

    grpcio_peer.py PROTOS PORT SCENARIO [PORT2]      a PORT with a slash is a Unix socket's path

Its messages are made from the .proto files by protoc, but in the reflection scenario, which asks
the server for them. Exits 0 when the scenario went as it must.
"""
import subprocess
import sys
import tempfile
import threading
import uuid
import zlib

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

FILES = ["numbers.proto", "station/v1/station.proto", "grpc/health/v1/health.proto",
         "grpc/reflection/v1/reflection.proto", "grpc/reflection/v1alpha/reflection.proto"]


class Messages:
    def __init__(self, files):
        self.pool = descriptor_pool.DescriptorPool()
        for file in files:
            self.pool.Add(file)
        self.factory = message_factory.MessageFactory(self.pool)

    def __getitem__(self, name):
        return self.factory.GetPrototype(self.pool.FindMessageTypeByName(name))


def compile_protos(folder):
    with tempfile.NamedTemporaryFile() as output:
        subprocess.check_call(["protoc", "--proto_path=" + folder,
                               "--descriptor_set_out=" + output.name] +
                              [folder + "/" + name for name in FILES])
        return Messages(descriptor_pb2.FileDescriptorSet.FromString(output.read()).file)


class Station:
    def __init__(self, messages, port, options=()):
        target = "unix:" + port if "/" in port else "127.0.0.1:" + port
        self.channel = grpc.insecure_channel(target, options=list(options))
        self.messages = messages

    def method(self, path, response, kind="unary_stream"):
        return getattr(self.channel, kind)(
            path, request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=self.messages[response].FromString)

    def start(self, client_id, count, **options):
        request = self.messages["station.v1.StartRequest"](client_id=client_id, count=count)
        return self.method("/station.v1.NumbersStation/Start", "station.v1.Number")(
            request, **options)

    def resume(self, client_id, first_index, **options):
        request = self.messages["station.v1.ResumeRequest"](client_id=client_id,
                                                            first_index=first_index)
        return self.method("/station.v1.NumbersStation/Resume", "station.v1.Number")(
            request, **options)

    def get_numbers(self, client_id, count=None, **options):
        request = self.messages["numbers.NumbersRequest"](UUID=client_id)
        if count is not None:
            request.Count = count
        return self.method("/numbers.Numbers/GetNumbers", "numbers.NumbersResponse")(
            request, **options)

    def check(self, service, **options):
        request = self.messages["grpc.health.v1.HealthCheckRequest"](service=service)
        return self.method("/grpc.health.v1.Health/Check", "grpc.health.v1.HealthCheckResponse",
                           "unary_unary")(request, **options)

    def watch(self, service):
        request = self.messages["grpc.health.v1.HealthCheckRequest"](service=service)
        return self.method("/grpc.health.v1.Health/Watch",
                           "grpc.health.v1.HealthCheckResponse")(request)

    def questions(self, version, requests):
        prefix = "grpc.reflection." + version
        return self.method("/%s.ServerReflection/ServerReflectionInfo" % prefix,
                           prefix + ".ServerReflectionResponse", "stream_stream")(
            iter([self.messages[prefix + ".ServerReflectionRequest"](**request)
                  for request in requests]))


def new_id():
    return str(uuid.uuid4())


def checksum_of(numbers):
    return zlib.crc32("".join(map(str, numbers)).encode())


def expect(left, right):
    assert left == right, "%r is not %r" % (left, right)


def expect_status(code, call):
    try:
        response = list(call()) if callable(call) else list(call)
    except grpc.RpcError as error:
        expect(error.code(), code)
        return error
    raise AssertionError("no error but %r" % response[:3])


def expect_sequence(numbers, first_index=0):
    expect([number.index for number in numbers],
           list(range(first_index, first_index + len(numbers))))
    assert all(not number.HasField("checksum") for number in numbers[:-1])
    assert numbers[-1].HasField("checksum")


def stream(station):
    for count in (1, 2, 100, 65535):
        client_id = new_id()
        numbers = list(station.start(client_id, count))
        expect(len(numbers), count)
        expect_sequence(numbers)
        expect(numbers[-1].checksum, checksum_of(number.number for number in numbers))
        for first_index in {0, count // 2, count - 1}:
            expect(list(station.resume(client_id, first_index)), numbers[first_index:])
    lengths = {len(list(station.start(new_id(), 0))) for _ in range(3)}
    assert len(lengths) > 1 and max(lengths) <= 65535, "random counts"
    many = [number.number for number in station.start(new_id(), 65535)]
    assert max(many) > 0xfff00000 and min(many) < 0x000fffff, "all of 32 bits"


def get_numbers(station):
    client_id = new_id()
    first = list(station.get_numbers(client_id, 2))
    expect(first[1].Checksum, checksum_of(number.Number for number in first))
    assert not first[0].HasField("Checksum") and not first[1].HasField("Error")
    # The last message is there for whoever lost it, under any spelling of the id.
    for spelling in (client_id.upper(), "{%s}" % client_id, "urn:uuid:" + client_id,
                     client_id.replace("-", "")):
        expect(list(station.get_numbers(spelling)), first[1:])
    assert len(list(station.get_numbers(new_id()))) >= 1
    assert len(list(station.get_numbers(new_id(), 0))) >= 1
    expect(len(list(station.get_numbers(new_id(), 65535))), 65535)


def position(station):
    # The server ticks: a client that leaves goes on where the server stands.
    client_id = new_id()
    seen = []
    for _ in range(4):
        call = station.get_numbers(client_id, 8)
        seen += [next(call), next(call)]
        call.cancel()
    expect(seen[-1].Checksum, checksum_of(number.Number for number in seen))


def statuses(station):
    code = grpc.StatusCode
    client_id = new_id()
    list(station.start(client_id, 3))
    expect_status(code.ALREADY_EXISTS, station.start(client_id, 3))
    expect_status(code.ALREADY_EXISTS, station.start(client_id.upper(), 3))
    expect_status(code.NOT_FOUND, station.resume(new_id(), 0))
    expect_status(code.INVALID_ARGUMENT, station.resume(client_id, 3))
    expect_status(code.INVALID_ARGUMENT, station.resume("x", 0))
    expect_status(code.INVALID_ARGUMENT, station.start("", 3))
    expect_status(code.INVALID_ARGUMENT, station.start(new_id(), 65536))
    expect_status(code.INVALID_ARGUMENT, station.start(new_id(), 2 ** 32 - 1))
    expect_status(code.INVALID_ARGUMENT, station.get_numbers(new_id(), 65536))
    expect_status(code.INVALID_ARGUMENT, station.get_numbers(new_id(), 2 ** 64 - 1))
    expect_status(code.INVALID_ARGUMENT, station.get_numbers("no-uuid"))
    expect_status(code.RESOURCE_EXHAUSTED, station.start("x" * 600, 3))
    for path in ("/station.v1.NumbersStation/Stop", "/no.Such/Method",
                 "/numbers.Numbers/getnumbers", "/" + "p" * 300):
        call = station.method(path, "station.v1.Number")
        expect_status(code.UNIMPLEMENTED, call(station.messages["station.v1.StartRequest"]()))
    expect_status(code.UNIMPLEMENTED,
                  station.start(new_id(), 3, compression=grpc.Compression.Gzip))
    expect_status(code.NOT_FOUND, lambda: [station.check("no.Such")])
    metadata = [("x-padding-%d" % i, "p" * 100) for i in range(80)]
    assert expect_status(code.RESOURCE_EXHAUSTED,
                         station.start(new_id(), 3, metadata=metadata)).code()
    expect(len(list(station.start(new_id(), 3))), 3)


def exhausted(station):
    # Started with --max-sessions=2.
    list(station.start(new_id(), 1))
    list(station.start(new_id(), 1))
    expect_status(grpc.StatusCode.RESOURCE_EXHAUSTED, station.start(new_id(), 1))


def cancel(station):
    # At every message, the first and the last one too; the session is always left whole.
    client_id = new_id()
    numbers = list(station.start(client_id, 40))
    for message_count in range(41):
        call = station.resume(client_id, 0)
        expect([next(call) for _ in range(message_count)], numbers[:message_count])
        call.cancel()
    expect(list(station.resume(client_id, 0)), numbers)


def deadline(station):
    # The server ticks every second; a stream that waits is ended in the middle.
    call = station.start(new_id(), 100, timeout=1.5)
    expect(next(call).index, 0)
    expect_status(grpc.StatusCode.DEADLINE_EXCEEDED, call)


def many(station):
    # Ten times as many calls as a connection may have streams: the library holds them back.
    calls = [station.start(new_id(), 50) for _ in range(1000)]
    for call in calls:
        numbers = list(call)
        expect(numbers[-1].checksum, checksum_of(number.number for number in numbers))


def health(station):
    serving = station.messages["grpc.health.v1.HealthCheckResponse"].SERVING
    for service in ("", "numbers.Numbers", "station.v1.NumbersStation", "grpc.health.v1.Health"):
        expect(station.check(service).status, serving)
        call = station.watch(service)
        expect(next(call).status, serving)
        call.cancel()
    call = station.watch("no.Such")
    expect(next(call).status,
           station.messages["grpc.health.v1.HealthCheckResponse"].SERVICE_UNKNOWN)
    call.cancel()


def reflection(station):
    for version in ("v1", "v1alpha"):
        answers = list(station.questions(version, [{"list_services": "*"}]))
        names = [service.name for service in answers[0].list_services_response.service]
        assert "numbers.Numbers" in names and len(names) == 5, names
        expect(answers[0].original_request.list_services, "*")
        # Many questions on one stream, one of them about nothing.
        questions = [{"file_containing_symbol": name} for name in names + ["no.Such"]] * 20
        answers = list(station.questions(version, questions))
        expect(len(answers), len(questions))
        expect(answers[len(names)].error_response.error_code, grpc.StatusCode.NOT_FOUND.value[0])
        # What was found out is enough to call by it.
        files = {}
        for answer in answers[:len(names)]:
            for data in answer.file_descriptor_response.file_descriptor_proto:
                file = descriptor_pb2.FileDescriptorProto.FromString(data)
                files[file.name] = file
        learned = Station(Messages(files.values()), sys.argv[2])
        numbers = list(learned.start(new_id(), 5))
        expect(numbers[-1].checksum, checksum_of(number.number for number in numbers))
        expect(len(list(learned.get_numbers(new_id(), 5))), 5)


def drain(station):
    # Called while the server ticks: it is told to end when the first number has come.
    watch = station.watch("")
    expect(next(watch).status, 1)
    call = station.start(new_id(), 5)
    numbers = [next(call)]
    print("READY", flush=True)
    numbers += list(call)
    expect_sequence(numbers)
    expect(len(numbers), 5)
    expect([answer.status for answer in read_to_error(watch, grpc.StatusCode.UNAVAILABLE)], [2])


def read_to_error(call, code):
    answers = []
    try:
        for answer in call:
            answers.append(answer)
    except grpc.RpcError as error:
        expect(error.code(), code)
    return answers


def drain_late(station):
    # More numbers than there is time for.
    call = station.start(new_id(), 1000)
    next(call)
    print("READY", flush=True)
    expect_status(grpc.StatusCode.UNAVAILABLE, call)


def fail_every(station):
    # --fail-every=7: the seventh message of all is not sent.
    client_id = new_id()
    numbers, failures = [], 0
    while len(numbers) < 30:
        call = station.get_numbers(client_id, 30)
        received = read_to_error(call, grpc.StatusCode.UNAVAILABLE)
        failures += 1 if call.code() == grpc.StatusCode.UNAVAILABLE else 0
        numbers += received
    expect(failures, 4)
    expect(numbers[-1].Checksum, checksum_of(number.Number for number in numbers))


def offline(station):
    # --fail-every=3 --offline-for=1: everything is answered so, and then nothing is.
    expect_status(grpc.StatusCode.UNAVAILABLE, station.start(new_id(), 10))
    error = expect_status(grpc.StatusCode.UNAVAILABLE, lambda: [station.check("")])
    expect(error.details(), "offline")
    while True:
        try:
            station.check("")
            break
        except grpc.RpcError as error:
            expect(error.code(), grpc.StatusCode.UNAVAILABLE)
    expect(len(list(station.start(new_id(), 2))), 2)


def stale(station):
    # --session-ttl=0.2 --tombstone-ttl=60
    client_id = new_id()
    call = station.get_numbers(client_id, 5)
    next(call)
    call.cancel()
    print("READY", flush=True)
    sys.stdin.readline()  # until the server has purged it
    error = expect_status(grpc.StatusCode.NOT_FOUND, station.get_numbers(client_id))
    assert "stale" in error.details()
    expect_status(grpc.StatusCode.NOT_FOUND, station.resume(client_id, 0))
    expect(len(list(station.start(client_id, 2))), 2)


def two_servers(station):
    # Sessions and positions are in a store that both share.
    other = Station(station.messages, sys.argv[4])
    client_id = new_id()
    numbers = list(station.start(client_id, 20))
    expect(list(other.resume(client_id, 7)), numbers[7:])
    expect_status(grpc.StatusCode.ALREADY_EXISTS, other.start(client_id, 20))
    client_id = new_id()
    seen = []
    for server in (station, other, station, other):
        call = server.get_numbers(client_id, 4)
        seen.append(next(call))
        call.cancel()
        call.code()
    expect(seen[-1].Checksum, checksum_of(number.Number for number in seen))


def concurrent(station):
    # Several connections at once, each with streams and cancels of its own.
    failures = []

    def work():
        try:
            own = Station(station.messages, sys.argv[2],
                          [("grpc.use_local_subchannel_pool", 1)])
            for _ in range(5):
                client_id = new_id()
                numbers = list(own.start(client_id, 3000))
                expect(numbers[-1].checksum, checksum_of(number.number for number in numbers))
                call = own.resume(client_id, 0)
                next(call)
                call.cancel()
        except BaseException as error:  # pylint: disable=broad-except
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures


if __name__ == "__main__":
    globals()[sys.argv[3]](Station(compile_protos(sys.argv[1]), sys.argv[2]))
