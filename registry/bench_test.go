package registry

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"
	"unique"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/registry/internal/rig"
	"github.com/topos-go/topos/remote/memory"
)

// many is how many names these benchmarks are about.
const many = 100_000

func manyNames() []string {
	names := make([]string, many)
	for i := range names {
		names[i] = fmt.Sprintf("customer/%d/cart", i)
	}
	return names
}

// filled returns a table of all names, held by different processes.
func filled(b *testing.B, names []string) *Names {
	b.Helper()
	n := NewNames(NamesConfig{Node: testNode(1)})
	node := unique.Make(testNode(1))
	for i, name := range names {
		if err := n.Register(name, actor.MakePID(node, uint64(1<<28+i))); err != nil {
			b.Fatal(err)
		}
	}
	return n
}

// BenchmarkWhereisOfRandomNames looks up random ones of 100,000 names.
func BenchmarkWhereisOfRandomNames(b *testing.B) {
	names := manyNames()
	n := filled(b, names)
	order := rand.New(rand.NewPCG(1, 1)).Perm(many)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if _, ok := n.Whereis(names[order[i]]); !ok {
			b.Fatal("gone")
		}
		if i++; i == many {
			i = 0
		}
	}
}

// BenchmarkWhereisWhileOthersRegister does so on all processors while names are
// registered and unregistered.
func BenchmarkWhereisWhileOthersRegister(b *testing.B) {
	names := manyNames()
	n := filled(b, names)
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		pid := testPID(1, 1)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				name := fmt.Sprint("new", i%1000)
				_ = n.Register(name, pid)
				n.Unregister(name, pid)
			}
		}
	}()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		i := rand.IntN(many)
		for pb.Next() {
			if _, ok := n.Whereis(names[i]); !ok {
				b.Error("gone")
				return
			}
			i = (i + 7919) % many
		}
	})
	close(stop)
	<-done
}

// BenchmarkUpdateAmongManyNames registers and unregisters a name while there
// are 100,000 others: two updates.
func BenchmarkUpdateAmongManyNames(b *testing.B) {
	names := manyNames()
	n := filled(b, names)
	pid := testPID(1, 1)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		name := names[i]
		i = (i + 7919) % many
		held, _ := n.Whereis(name)
		n.Unregister(name, held)
		if err := n.Register(name, pid); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkMemoryOfANameOfAnotherNode reports what a name costs on a node that
// does not own it, the name's own bytes included.
func BenchmarkMemoryOfANameOfAnotherNode(b *testing.B) {
	for b.Loop() {
		w := newTableWorld(2, nil)
		node := unique.Make(testNode(0))
		before := heap()
		for i := range many {
			if err := w.register(0, fmt.Sprintf("customer/%d/cart", i), actor.MakePID(node, uint64(1<<28+i)), int64(i)); err != nil {
				b.Fatal(err)
			}
			w.queues[0][1] = w.queues[0][1][:0:0]
		}
		own := heap()
		w.sync()
		if w.tables[1].holders.Len() != many {
			b.Fatal("not all are there")
		}
		b.ReportMetric(float64(own-before)/many, "B/own-name")
		b.ReportMetric(float64(heap()-own)/many, "B/name")
		runtime.KeepAlive(w)
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkHundredThousandNamesOnFiveNodes registers 100,000 processes by name,
// a fifth on each of five nodes of the real remote layer in one process, and
// lets a sixth join.
func BenchmarkHundredThousandNamesOnFiveNodes(b *testing.B) {
	for b.Loop() {
		net := memory.New(memory.Config{})
		var tables []*Names
		var nodes []*rig.Node
		var others []string
		start := func(i int) {
			var names *Names
			name := fmt.Sprint("n", i)
			n := rig.Start(b, net, rig.Config{
				Name: name, Join: others,
				Names: func(id actor.NodeID) actor.Names {
					names = NewNames(NamesConfig{Node: id})
					return names
				},
				Ready: func(n *rig.Node) { names.Start(n.Cluster(), n.System.Exit) },
			})
			b.Cleanup(names.Close)
			tables, nodes, others = append(tables, names), append(nodes, n), append(others, name)
		}
		until := func(names *Names) {
			for names.Len() < many {
				<-time.After(time.Millisecond)
			}
		}
		for i := range 5 {
			start(i)
		}
		for _, n := range nodes {
			for len(n.Remote.Members()) < 5 {
				<-time.After(time.Millisecond)
			}
		}
		begun := time.Now()
		nothing := actor.Func(func(*actor.Self, any) error { return nil })
		for i, name := range manyNames() {
			if _, err := nodes[i%5].Spawn(context.Background(), nothing, actor.ClusterName(name)); err != nil {
				b.Fatal(err)
			}
		}
		for _, names := range tables {
			until(names)
		}
		b.ReportMetric(time.Since(begun).Seconds(), "s/all-registered")
		begun = time.Now()
		start(5)
		until(tables[5])
		b.ReportMetric(time.Since(begun).Seconds(), "s/joined")
	}
}

// BenchmarkPlainMapOfRandomNames is what BenchmarkWhereisOfRandomNames compares to: a
// map that nobody may write meanwhile. It is the floor of the machine at the time.
func BenchmarkPlainMapOfRandomNames(b *testing.B) {
	names := manyNames()
	m := make(map[string]actor.PID)
	node := unique.Make(testNode(1))
	for i, name := range names {
		m[name] = actor.MakePID(node, uint64(1<<28+i))
	}
	order := rand.New(rand.NewPCG(1, 1)).Perm(many)
	i := 0
	for b.Loop() {
		if _, ok := m[names[order[i]]]; !ok {
			b.Fatal("gone")
		}
		if i++; i == many {
			i = 0
		}
	}
}
