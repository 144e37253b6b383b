// A client by grpc-go (golang-google-grpc-dev), for grpc_go_process_test: streams, resumes, statuses,
// cancels, deadlines, health. Exits 0 when all went as it must. The messages are the structs that
// protoc-gen-go made until 2020, by hand.
package main

import (
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/golang/protobuf/proto"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

// StartRequest and ResumeRequest have the same form.
type Request struct {
	ClientId string `protobuf:"bytes,1,opt,name=client_id,json=clientId,proto3"`
	Argument uint32 `protobuf:"varint,2,opt,name=argument,proto3"`
}

func (m *Request) Reset()         { *m = Request{} }
func (m *Request) String() string { return proto.CompactTextString(m) }
func (*Request) ProtoMessage()    {}

type Number struct {
	Index    uint32 `protobuf:"varint,1,opt,name=index,proto3"`
	Number   uint32 `protobuf:"varint,2,opt,name=number,proto3"`
	Checksum uint32 `protobuf:"varint,3,opt,name=checksum,proto3"`
}

func (m *Number) Reset()         { *m = Number{} }
func (m *Number) String() string { return proto.CompactTextString(m) }
func (*Number) ProtoMessage()    {}

func expect(condition bool, what ...interface{}) {
	if !condition {
		fmt.Fprintln(os.Stderr, what...)
		os.Exit(1)
	}
}

func call(ctx context.Context, connection *grpc.ClientConn, method string, request *Request) grpc.ClientStream {
	stream, err := connection.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true},
		"/station.v1.NumbersStation/"+method)
	expect(err == nil, err)
	expect(stream.SendMsg(request) == nil, "send")
	expect(stream.CloseSend() == nil, "close")
	return stream
}

// All numbers up to the end of the stream, and how it ended.
func readAll(stream grpc.ClientStream) ([]Number, codes.Code) {
	var numbers []Number
	for {
		var number Number
		if err := stream.RecvMsg(&number); err == io.EOF {
			return numbers, codes.OK
		} else if err != nil {
			return numbers, status.Code(err)
		}
		numbers = append(numbers, number)
	}
}

func checksumOf(numbers []Number) uint32 {
	text := []byte{}
	for _, number := range numbers {
		text = strconv.AppendUint(text, uint64(number.Number), 10)
	}
	return crc32.ChecksumIEEE(text)
}

func id(number int) string {
	return fmt.Sprintf("%08d-0000-4000-8000-000000000000", number)
}

// Against a server that does not tick.
func fast(connection *grpc.ClientConn) {
	background := context.Background()
	numbers, code := readAll(call(background, connection, "Start", &Request{id(1), 65535}))
	expect(code == codes.OK && len(numbers) == 65535, code, len(numbers))
	expect(numbers[65534].Checksum == checksumOf(numbers), "checksum")
	rest, code := readAll(call(background, connection, "Resume", &Request{id(1), 65000}))
	expect(code == codes.OK && len(rest) == 535 && rest[0] == numbers[65000], code, len(rest))
	for _, test := range []struct {
		method   string
		request  Request
		expected codes.Code
	}{
		{"Start", Request{id(1), 5}, codes.AlreadyExists},
		{"Start", Request{"x", 5}, codes.InvalidArgument},
		{"Resume", Request{id(2), 0}, codes.NotFound},
		{"Resume", Request{id(1), 65535}, codes.InvalidArgument},
		{"Stop", Request{id(1), 0}, codes.Unimplemented},
	} {
		_, code := readAll(call(background, connection, test.method, &test.request))
		expect(code == test.expected, test, code)
	}
	for count := 0; count <= 20; count++ {
		ctx, cancel := context.WithCancel(background)
		stream := call(ctx, connection, "Resume", &Request{id(1), 0})
		for i := 0; i < count; i++ {
			expect(stream.RecvMsg(new(Number)) == nil, "receive")
		}
		cancel()
		_, code := readAll(stream)
		expect(code == codes.Canceled, code)
	}
	var streams []grpc.ClientStream
	done := make(chan bool)
	for i := 0; i < 1000; i++ {
		go func(i int) {
			numbers, code := readAll(call(background, connection, "Start", &Request{id(1000 + i), 20}))
			done <- code == codes.OK && numbers[19].Checksum == checksumOf(numbers)
		}(i)
	}
	for i := 0; i < 1000; i++ {
		expect(<-done, "one of a thousand calls", streams)
	}
	answer, err := grpc_health_v1.NewHealthClient(connection).Check(background,
		&grpc_health_v1.HealthCheckRequest{Service: "station.v1.NumbersStation"})
	expect(err == nil && answer.Status == grpc_health_v1.HealthCheckResponse_SERVING, err)
}

// Against one that does.
func ticking(connection *grpc.ClientConn) {
	ctx, cancel := context.WithTimeout(context.Background(), 1500*time.Millisecond)
	defer cancel()
	numbers, code := readAll(call(ctx, connection, "Start", &Request{id(1), 100}))
	expect(code == codes.DeadlineExceeded && len(numbers) < 5, code, len(numbers))
}

func main() {
	connection, err := grpc.Dial("127.0.0.1:"+os.Args[1], grpc.WithInsecure(), grpc.WithBlock())
	expect(err == nil, err)
	if os.Args[2] == "fast" {
		fast(connection)
	} else {
		ticking(connection)
	}
}
