// The same service by grpc-go, for comparison: station.v1.NumbersStation/Start only, as fast as the
// client reads. The messages are the structs that protoc-gen-go made until 2020, by hand.
package main

import (
	"fmt"
	"hash/crc32"
	"math/rand"
	"net"
	"os"
	"strconv"

	"github.com/golang/protobuf/proto"
	"google.golang.org/grpc"
)

type StartRequest struct {
	ClientId string `protobuf:"bytes,1,opt,name=client_id,json=clientId,proto3"`
	Count    uint32 `protobuf:"varint,2,opt,name=count,proto3"`
}

func (m *StartRequest) Reset()         { *m = StartRequest{} }
func (m *StartRequest) String() string { return proto.CompactTextString(m) }
func (*StartRequest) ProtoMessage()    {}

type Number struct {
	Index    uint32 `protobuf:"varint,1,opt,name=index,proto3"`
	Number   uint32 `protobuf:"varint,2,opt,name=number,proto3"`
	Checksum uint32 `protobuf:"varint,3,opt,name=checksum,proto3"`
}

func (m *Number) Reset()         { *m = Number{} }
func (m *Number) String() string { return proto.CompactTextString(m) }
func (*Number) ProtoMessage()    {}

func start(_ interface{}, stream grpc.ServerStream) error {
	request := new(StartRequest)
	if err := stream.RecvMsg(request); err != nil {
		return err
	}
	random := rand.New(rand.NewSource(rand.Int63()))
	checksum := uint32(0)
	text := make([]byte, 0, 10)
	for index := uint32(0); index < request.Count; index++ {
		message := Number{Index: index, Number: random.Uint32()}
		text = strconv.AppendUint(text[:0], uint64(message.Number), 10)
		checksum = crc32.Update(checksum, crc32.IEEETable, text)
		if index == request.Count-1 {
			message.Checksum = checksum
		}
		if err := stream.SendMsg(&message); err != nil {
			return err
		}
	}
	return nil
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	server := grpc.NewServer()
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "station.v1.NumbersStation",
		HandlerType: (*interface{})(nil),
		Streams: []grpc.StreamDesc{
			{StreamName: "Start", Handler: start, ServerStreams: true},
		},
	}, nil)
	fmt.Fprintf(os.Stderr, "listening on %s\n", listener.Addr())
	if err := server.Serve(listener); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
