package secure_test

import (
	"bytes"
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote"
	"github.com/topos-go/topos/remote/memory"
	"github.com/topos-go/topos/remote/secure"
)

// node is a node of a cluster that speaks TLS.
type node struct {
	*remote.Node
	sys *actor.System
	met chan actor.NodeID
}

// mirror answers with what it has got.
type mirror struct{}

func (mirror) Receive(self *actor.Self, msg any) error { return self.Reply(msg) }

func start(t *testing.T, over secure.Carrier, cfg secure.Config, name, listen string, join ...string) (*node, *secure.Transport) {
	t.Helper()
	tr := transport(t, over, cfg)
	n, err := remote.New(remote.Config{Name: name, Listen: listen, Secret: "known to all nodes", Join: join, Transport: tr})
	if err != nil {
		t.Fatal(err)
	}
	sys, err := actor.NewSystem(actor.Config{Node: n.ID(), Router: n})
	if err != nil {
		t.Fatal(err)
	}
	met := make(chan actor.NodeID, 10)
	n.Subscribe(func(ev remote.MemberEvent) {
		if ev.Kind == remote.MemberUp {
			met <- ev.Node
		}
	})
	if err := n.Start(sys); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := n.Close(ctx); err != nil {
			t.Error(err)
		}
		if err := sys.Close(ctx); err != nil {
			t.Error(err)
		}
		tr.Close()
	})
	return &node{n, sys, met}, tr
}

// checkCalls checks that processes on two nodes can call each other.
func checkCalls(t *testing.T, from, to *node) {
	t.Helper()
	pid, err := to.sys.Spawn(t.Context(), mirror{})
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{1, 100, 1 << 20} {
		data := bytes.Repeat([]byte("x"), size)
		got, err := actor.Call[[]byte](t.Context(), from.sys, pid, data)
		if !bytes.Equal(got, data) || err != nil {
			t.Fatalf("%d bytes: got %d, %v", size, len(got), err)
		}
	}
}

func TestNodesTalkOverTLS(t *testing.T) {
	ca := authority(t, "good")
	meter := new(gauge)
	a, tr := start(t, meter, memoryConfig(t, ca, "127.0.0.1"), "a", "127.0.0.1:0")
	b, _ := start(t, tcp{}, memoryConfig(t, ca, "127.0.0.1"), "b", "127.0.0.1:0", a.Addr())
	if met := receive(t, a.met); met != b.ID() {
		t.Fatalf("a met %v", met)
	}
	receive(t, b.met)
	checkCalls(t, a, b)
	checkCalls(t, b, a)
	if err := tr.Claim(a.Addr()); err != nil {
		t.Error(err)
	}
	if s := tr.Stats(); s.Dialled+s.Accepted == 0 || meter.writes.Load() == 0 {
		t.Errorf("not over TLS: %+v", s)
	}
}

// In virtual time, so that clusters in tests may use TLS, too.
func TestNodesTalkOverTLSInVirtualTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ca, network := authority(t, "good"), memory.NewNetwork()
		a, _ := start(t, network.Host("a"), memoryConfig(t, ca, "a"), "a", "a:1")
		b, _ := start(t, network.Host("b"), memoryConfig(t, ca, "b"), "b", "b:1", a.Addr())
		receive(t, a.met)
		receive(t, b.met)
		checkCalls(t, a, b)
		time.Sleep(time.Hour) // lanes hang up and are made again
		checkCalls(t, b, a)
	})
}

// It knows the secret and the address, but its certificate is not ours.
func TestNodeOfAnotherAuthorityDoesNotJoin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, network := newWorld(t), memory.NewNetwork()
		a, tr := start(t, network.Host("a"), memoryConfig(t, w.good, "a"), "a", "a:1")
		b, _ := start(t, network.Host("b"), memoryConfig(t, w.good, "b"), "b", "b:1", a.Addr())
		receive(t, a.met)
		receive(t, b.met)
		evil, _ := start(t, network.Host("evil"), memoryConfig(t, w.evil, "evil"), "evil", "evil:1", a.Addr(), b.Addr())
		time.Sleep(time.Minute)
		if len(a.met)+len(b.met)+len(evil.met) > 0 || len(evil.Members()) != 1 {
			t.Errorf("it has joined: %v", evil.Members())
		}
		if n := tr.Stats().RefusedByPeer; n == 0 { // it is evil that does not trust a
			t.Error("nothing was refused")
		}
		checkCalls(t, a, b)
	})
}
