package crdtactor_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/crdtactor"
	"github.com/topos-go/topos/crdtactor/crdt"
	"github.com/topos-go/topos/remote"
	"github.com/topos-go/topos/remote/codec"
)

// tcpNode is a node on loopback.
type tcpNode struct {
	*actor.System
	remote *remote.Node
}

func (n *tcpNode) members() []actor.NodeID {
	list := []actor.NodeID{n.remote.ID()}
	for _, m := range n.remote.Members() {
		list = append(list, m.Node)
	}
	return list
}

// tcpNodes starts n nodes that have met.
func tcpNodes(b *testing.B, n int) []*tcpNode {
	var nodes []*tcpNode
	var join []string
	for i := range n {
		r, err := remote.New(remote.Config{Name: fmt.Sprint("n", i), Listen: "127.0.0.1:0", Cluster: "bench", Secret: "s",
			Join: slices.Clone(join), Types: codec.Types(crdtactor.WireTypes()...)})
		if err != nil {
			b.Fatal(err)
		}
		sys, err := actor.NewSystem(actor.Config{Node: r.ID(), Router: r})
		if err != nil {
			b.Fatal(err)
		}
		if err := r.Start(sys); err != nil {
			b.Fatal(err)
		}
		node := &tcpNode{sys, r}
		nodes, join = append(nodes, node), append(join, r.Addr())
		b.Cleanup(func() {
			sys.Close(context.Background())
			r.Close(context.Background())
		})
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for _, node := range nodes {
		for len(node.members()) < n {
			<-tick.C
		}
	}
	return nodes
}

// sighting is when updates became visible on one node.
type sighting struct {
	mu   sync.Mutex
	upTo map[string]int64
	at   map[string][]time.Time // by the updating node, from its first update on
}

func (s *sighting) see(m *crdt.MaxMap) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for node, n := range m.All() {
		for ; s.upTo[node] < n; s.upTo[node]++ {
			s.at[node] = append(s.at[node], now)
		}
	}
}

// BenchmarkEagerVisibleEverywhere makes 1,000 updates a second on five nodes, by
// turns, over TCP, and reports how long it takes until each is visible on the
// other nodes.
func BenchmarkEagerVisibleEverywhere(b *testing.B) {
	const name = actor.Name("marks")
	nodes := tcpNodes(b, 5)
	seen := make([]*sighting, len(nodes))
	for i, node := range nodes {
		if _, err := node.Spawn(b.Context(), crdtactor.New(crdtactor.Config[*crdt.MaxMap]{
			Name: name, New: func() *crdt.MaxMap { return new(crdt.MaxMap) }, Members: node.members,
		}), name); err != nil {
			b.Fatal(err)
		}
		seen[i] = &sighting{upTo: make(map[string]int64), at: make(map[string][]time.Time)}
		stop, err := crdtactor.Watch(b.Context(), node, name, seen[i].see)
		if err != nil {
			b.Fatal(err)
		}
		defer stop()
	}
	made := make([][]time.Time, len(nodes))
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for n := 0; b.Loop(); n++ {
		<-tick.C
		i := n % len(nodes)
		made[i] = append(made[i], time.Now())
		if err := crdtactor.Update(b.Context(), nodes[i], name, func(m *crdt.MaxMap, _ crdt.ReplicaID) *crdt.MaxMap {
			return m.Raise(fmt.Sprint(i), int64(len(made[i])))
		}); err != nil {
			b.Fatal(err)
		}
	}
	var took []time.Duration
	for i := range nodes {
		for j, s := range seen {
			if i == j {
				continue
			}
			for waited := 0; ; waited++ {
				s.mu.Lock()
				all := s.upTo[fmt.Sprint(i)] == int64(len(made[i]))
				s.mu.Unlock()
				if all {
					break
				}
				if <-tick.C; waited > 10_000 {
					b.Fatal("an update did not arrive")
				}
			}
			for k, at := range s.at[fmt.Sprint(i)] {
				took = append(took, at.Sub(made[i][k]))
			}
		}
	}
	slices.Sort(took)
	if len(took) > 0 {
		b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
		b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
		b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, "max-ms")
	}
}

// BenchmarkHundredThousandCarts fills the stores of five nodes with 100,000
// carts of five items and reports the memory of one node, what it sends when
// nothing changes, and how long a node that joins takes to have all.
func BenchmarkHundredThousandCarts(b *testing.B) {
	const nodes, keys = 5, 100_000
	for b.Loop() {
		w := newWorld(b, nodes+1)
		everybody := w.nodes
		w.nodes = w.nodes[:nodes]
		before := heap()
		all := w.stores(nil)
		began := time.Now()
		for n := range keys {
			i := n % nodes
			err := all[i].Update(b.Context(), w.sys(i), fmt.Sprintf("customer %06d", n), func(c *crdt.Cart, me crdt.ReplicaID) *crdt.Cart {
				delta := c.Add(me, "item 0", 1)
				for k := 1; k < 5; k++ {
					delta.Join(c.Add(me, fmt.Sprint("item ", k), int64(k)))
				}
				return delta
			})
			if err != nil {
				b.Fatal(err)
			}
		}
		w.awaitKeys(all, keys)
		b.ReportMetric(float64(keys)/time.Since(began).Seconds(), "updates/s")
		b.ReportMetric(float64(heap()-before)/nodes/(1<<20), "MiB/node")
		pause := time.NewTimer(5 * time.Second)
		<-pause.C // what was sent again has come
		m := w.meter()
		pause.Reset(10 * time.Second)
		<-pause.C
		b.ReportMetric(float64(m.bytes.Load())/10/nodes, "quiet-B/s/node")
		w.nodes = everybody
		began = time.Now()
		late, err := crdtactor.NewStore(crdtactor.Config[*crdt.Cart]{Name: carts, New: func() *crdt.Cart { return new(crdt.Cart) }, Members: w.members})
		if err != nil {
			b.Fatal(err)
		}
		if err := late.Spawn(b.Context(), w.sys(nodes)); err != nil {
			b.Fatal(err)
		}
		w.awaitKeys(append(all, late), keys)
		b.ReportMetric(time.Since(began).Seconds(), "join-s")
		for i := range w.nodes {
			w.crash(i)
		}
	}
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// awaitKeys waits until every store has so many keys.
func (w *world) awaitKeys(all []*crdtactor.Store[*crdt.Cart], want int) {
	w.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for i, store := range all {
		for waited := 0; ; waited++ {
			keys, err := store.Keys(w.t.Context(), w.sys(i))
			if err == nil && len(keys) == want {
				break
			}
			if <-tick.C; waited > 5000 {
				w.t.Fatalf("node %d has %d of %d keys: %v", i, len(keys), want, err)
			}
		}
	}
}
