package rpc_test

import (
	"testing"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/actor/actortest"
	"github.com/topos-go/topos/behaviours/rpc"
)

// BenchmarkCall is a reliable call on one node; compare with BenchmarkBareCall.
func BenchmarkCall(b *testing.B) {
	sys := actortest.NewSystem(b)
	server := serve(b, sys, rpc.ServerConfig{Handler: double})
	c := client(b, sys, rpc.Config{})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := rpc.Call[int](b.Context(), c, sys, server, get{1}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBareCall(b *testing.B) {
	sys := actortest.NewSystem(b)
	pid, err := sys.Spawn(b.Context(), actor.Func(func(self *actor.Self, msg any) error { return self.Reply(2 * msg.(get).N) }))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := actor.Call[int](b.Context(), sys, pid, get{1}); err != nil {
			b.Fatal(err)
		}
	}
}
