package swim

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/topos-go/topos/overlay"
)

// fewNodes are some of which several have one name, and so one hash.
func fewNodes(n int) []overlay.Node {
	nodes := make([]overlay.Node, n)
	for i := range nodes {
		nodes[i] = overlay.Node{Name: fmt.Sprintf("n%d@x", i/4), Boot: uint64(i/2) % 2, Unique: fmt.Sprint(i % 2)}
	}
	return nodes
}

func TestIndexAgreesWithAMapAfterAnyChanges(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 1))
		nodes := fewNodes(1 + rng.IntN(100))
		all := &table{all: make([]member, len(nodes)), pool: overlay.NodesApart()}
		for i, at := range rng.Perm(len(nodes)) {
			all.all[at].node = all.pool.Keep(nodes[i])
		}
		var x index
		is := make(map[overlay.Node]id)
		for step := range 1000 {
			i := id(rng.IntN(len(nodes)))
			node := all.node(i)
			if _, ok := is[node]; !ok {
				x.add(all, i)
				is[node] = i
			} else if rng.IntN(1000) < step { // it fills, and then it empties
				x.remove(all, node)
				delete(is, node)
			}
			for _, node := range nodes {
				want, ok := is[node]
				if !ok {
					want = nobody
				}
				if got := x.find(all, node); got != want {
					t.Fatalf("seed %d, step %d: %v is found at %d, not %d", seed, step, node, got, want)
				}
			}
			if x.count != len(is) {
				t.Fatalf("seed %d, step %d: it counts %d of %d", seed, step, x.count, len(is))
			}
		}
	}
}

// When all are removed, the index is as empty as a new one.
func TestRemovalLeavesNoTraceInTheIndex(t *testing.T) {
	nodes := fewNodes(100)
	all := &table{all: make([]member, len(nodes)), pool: overlay.NodesApart()}
	var x index
	for i, node := range nodes {
		all.all[i].node = all.pool.Keep(node)
		x.add(all, id(i))
	}
	for _, node := range nodes {
		x.remove(all, node)
	}
	for at, s := range x.slots {
		if s != empty {
			t.Errorf("slot %d has %#x", at, s)
		}
	}
}

// A slot with an id of 0 must not look empty, whatever the hash.
func TestAnyHashMarksItsSlot(t *testing.T) {
	for _, h := range []uint64{0, 1, 1<<56 - 1, 1 << 56, 1<<64 - 1} {
		if m := mark(h); m&^idMask == empty || m&idMask != 0 {
			t.Errorf("%#x has the mark %#x", h, m)
		}
	}
}

// One core has its table in the cache, a hundred that take turns have not.
func BenchmarkFindAmongMany(b *testing.B) {
	for _, cores := range []int{1, 100} {
		b.Run(fmt.Sprintf("%d cores", cores), func(b *testing.B) {
			nodes := manyNodes(10_000)
			all := watching(b, cores, nodes, new(overlay.NodePool))
			rng := rand.New(rand.NewPCG(1, 2))
			for b.Loop() {
				if all[rng.IntN(cores)].members.find(nodes[rng.IntN(len(nodes))]) == nobody {
					b.Fatal("not found")
				}
			}
		})
	}
}
