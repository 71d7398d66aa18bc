package cluster

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/overlay/directory"
	"github.com/topos-go/topos/overlay/hyparview"
	"github.com/topos-go/topos/overlay/plumtree"
	"github.com/topos-go/topos/overlay/swim"
)

// crowded are cores of one goroutine, each with one neighbor, that can be told of
// newcomers by broadcasts.
type crowded struct {
	cores []*Core
	said  []directory.Broadcast
	from  overlay.Node
	now   time.Time
}

func newCrowd(tb testing.TB, n int) *crowded {
	w := &crowded{from: overlay.Node{Name: "0@a", Boot: 1}, now: epoch}
	var names overlay.NodePool
	var records directory.Pool
	for i := range n {
		self := overlay.Node{Name: fmt.Sprintf("self%d@a", i), Boot: 1}
		rng := rand.New(rand.NewPCG(uint64(i), 3))
		top, err := hyparview.New(hyparview.Config{Self: self, Rand: rng, Pool: &names})
		if err != nil {
			tb.Fatal(err)
		}
		c, err := New(Config{
			Self: self, Topology: top, Rand: rng,
			Directory: directory.Config{Pool: &records}, Swim: swim.Config{Pool: &names},
			Encode: func(any) ([]byte, error) { return []byte{1}, nil },
			Decode: func(at []byte) (any, error) { return w.said[binary.BigEndian.Uint32(at)], nil },
		})
		if err != nil {
			tb.Fatal(err)
		}
		c.Tick(w.now)
		c.Step(w.now, overlay.LinkUp{Node: w.from, Accepted: true})
		c.Step(w.now, overlay.Received{From: w.from, Message: hyparview.Neighbor{Number: 1, High: true}})
		w.cores = append(w.cores, c)
	}
	return w
}

// tell has all hear of newcomers, in one broadcast.
func (w *crowded) tell(newcomers []directory.Fact) {
	seq := uint64(len(w.said)) + 1
	w.said = append(w.said, directory.Broadcast{Facts: newcomers})
	payload := append([]byte{ofParts}, binary.BigEndian.AppendUint32(nil, uint32(seq-1))...)
	w.now = w.now.Add(time.Millisecond)
	for _, c := range w.cores {
		c.Step(w.now, overlay.Received{From: w.from, Message: plumtree.Gossip{
			ID: plumtree.ID{Origin: w.from, Seq: seq}, Round: 1, Payload: payload,
		}})
	}
}

func manyNewcomers() []directory.Fact {
	facts := make([]directory.Fact, 10_000)
	for i := range facts {
		facts[i] = directory.Fact{Node: overlay.Node{Name: fmt.Sprintf("%d@%d", i, i), Boot: 1}, Status: directory.Alive, Version: 1}
	}
	return facts
}

// Ten thousand that all know each other are 10^8 pairs: in 16 GiB, these may have some
// hundred bytes each, with what the collector of garbage leaves lying about.
func TestPairOfASimulationTakesSomeSixtyBytes(t *testing.T) {
	facts := manyNewcomers()
	inUse := func() int {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int(m.HeapAlloc)
	}
	const cores = 20
	w := newCrowd(t, cores)
	one := newCrowd(t, 1) // by which the test itself is measured
	before := inUse()
	for at := 0; at < len(facts); at += 16 {
		one.tell(facts[at : at+16])
	}
	alone := inUse() - before
	for at := 0; at < len(facts); at += 16 {
		w.tell(facts[at : at+16])
	}
	pair := (inUse() - before - 2*alone) / (len(facts) * (cores - 1))
	t.Logf("%d bytes a pair, and %d for the first core", pair, alone/len(facts))
	if pair > 80 {
		t.Errorf("%d bytes a pair", pair)
	}
	if got := w.cores[cores-1].dir.Len(); got != len(facts)+2 {
		t.Errorf("%d members", got)
	}
	runtime.KeepAlive(w)
	runtime.KeepAlive(one)
}

// What it takes to learn of one of ten thousand newcomers, of whom sixteen are in a
// broadcast; where there are more cores than fit into a cache, it waits for memory.
func BenchmarkHearOfNewcomer(b *testing.B) {
	facts := manyNewcomers()
	for _, n := range []int{1, 300} {
		b.Run(fmt.Sprintf("cores=%d", n), func(b *testing.B) {
			heard := 0
			b.ReportAllocs()
			for heard < b.N {
				b.StopTimer()
				w := newCrowd(b, n)
				rand.New(rand.NewPCG(1, 1)).Shuffle(len(facts), func(i, j int) { facts[i], facts[j] = facts[j], facts[i] })
				b.StartTimer()
				for at := 0; at+16 <= len(facts) && heard < b.N; at += 16 {
					w.tell(facts[at : at+16])
					heard += 16 * n
				}
				for _, c := range w.cores[:1] {
					if want := len(w.said)*16 + 2; c.dir.Len() != want {
						b.Fatalf("%d members, not %d", c.dir.Len(), want)
					}
				}
			}
		})
	}
}
