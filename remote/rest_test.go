package remote

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/remote/memory"
)

// started returns a node that runs until the end of the test.
func started(t *testing.T, network *memory.Network, host string, join ...string) *Node {
	t.Helper()
	return startedAs(t, network, Config{Name: host, Join: join})
}

// startedAs is started with more to say of the node.
func startedAs(t *testing.T, network *memory.Network, cfg Config) *Node {
	t.Helper()
	cfg.Secret, cfg.Listen, cfg.Transport = "a secret of some length", cfg.Name+":1", network.Host(cfg.Name)
	n, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close(context.Background()) })
	sys, err := actor.NewSystem(actor.Config{Node: n.ID(), Router: n})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sys.Close(context.Background()) })
	if err := n.Start(sys); err != nil {
		t.Fatal(err)
	}
	return n
}

// What a busy moment of the overlay has taken is given back like that of messages.
func TestMembershipLaneGivesUpMemoryWhenItRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memory.NewNetwork()
		var nodes []*Node
		for i := range 2 {
			host := fmt.Sprint("n", i)
			nodes = append(nodes, started(t, network, host, "n0:1"))
		}
		time.Sleep(5300 * time.Millisecond) // between two looks of the lane, which are a heartbeat apart
		p := nodes[0].peers.find(handleOf(overlayNode(nodes[1].ID())))
		if p == nil || !p.membership.connected() {
			t.Fatal("the nodes are not linked")
		}
		kept := func() (bytes int) {
			p.membership.stream.mu.Lock()
			defer p.membership.stream.mu.Unlock()
			memory := &p.membership.out.queue.memory
			for _, c := range slices.Concat(memory.free, []*chunk{memory.filling}) {
				if c != nil {
					bytes += len(c.memory)
				}
			}
			return bytes
		}
		p.membership.stream.mu.Lock() // so that all of it waits
		for range 4000 {
			p.membership.pushLocked(0, encodeMembership(overlay.Pong{Seq: 1}), nil)
		}
		p.membership.rouse()
		p.membership.stream.mu.Unlock()
		synctest.Wait()
		if kept() < 4*minChunk {
			t.Fatalf("%d bytes of memory are no busy moment", kept())
		}
		time.Sleep(10 * time.Second)
		if kept() > minChunk {
			t.Errorf("%d bytes of memory are kept", kept())
		}
	})
}
