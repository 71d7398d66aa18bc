package main

import (
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

// recall is a message of a type that only a newer version of the depot will
// know: it is in no generated code.
func recall() proto.Message {
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: proto.String("newer.proto"), Package: proto.String("newer"), Syntax: proto.String("proto3"),
		MessageType: []*descriptorpb.DescriptorProto{{Name: proto.String("Recall")}},
	}, nil)
	if err != nil {
		panic(err) // the descriptor above is wrong
	}
	return dynamicpb.NewMessage(file.Messages().Get(0))
}
