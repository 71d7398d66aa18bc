package directory

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/topos-go/topos/overlay"
)

// heapOf is how many bytes more are in use after f than before.
func heapOf(f func() any) int {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&before)
	kept := f()
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(kept)
	return int(after.HeapAlloc) - int(before.HeapAlloc)
}

// manyFacts are of members whose names others have, too.
func manyFacts(n int) []Fact {
	facts := make([]Fact, n)
	for i := range facts {
		facts[i] = Fact{
			Node:   overlay.Node{Name: fmt.Sprintf("node-%05d@10.0.%d.%d:4000", i, i>>8, i&255), Boot: 1, Unique: "k3fj2n8v"},
			Status: Alive, Version: 1,
		}
	}
	return facts
}

func TestTenThousandMembersTakeFewMegabytes(t *testing.T) {
	facts := manyFacts(10_000)
	c := quiet(t, "z", Config{})
	used := heapOf(func() any {
		for _, f := range facts {
			c.learn(f, fresh)
			c.effects = nil
		}
		return c
	})
	snapshot := heapOf(func() any { return c.Members() })
	if used > 1_500_000 || snapshot > 500_000 {
		t.Errorf("%d bytes, and %d for the snapshot", used, snapshot)
	}
	t.Logf("%d bytes an entry, and %d for the snapshot of members", used/len(facts), snapshot/len(facts))
	runtime.KeepAlive(c)
	runtime.KeepAlive(facts)
}

func TestAThousandDirectoriesFitIntoOneProcess(t *testing.T) {
	facts := manyFacts(1000)
	const cores = 50 // as an example
	used := heapOf(func() any {
		all := make([]*Core, cores)
		for i := range all {
			all[i] = quiet(t, "z", Config{})
			for _, f := range facts {
				all[i].learn(f, fresh)
				all[i].effects = nil
			}
		}
		return all
	})
	runtime.KeepAlive(facts)
	if used/cores > 160_000 {
		t.Errorf("%d bytes each", used/cores)
	}
	t.Logf("%d bytes for each directory of 1,000", used/cores)
}

// Directories that share a pool know ten thousand members each in the memory of a list.
func TestDirectoriesOfAPoolShareWhatTheyKnow(t *testing.T) {
	facts := manyFacts(10_000)
	pool := new(Pool)
	fill := func(name string) *Core {
		c := quiet(t, name, Config{Pool: pool})
		for _, f := range facts {
			c.learn(f, fresh)
			c.effects = nil
		}
		return c
	}
	first := fill("y")
	used := heapOf(func() any { return fill("z") })
	runtime.KeepAlive(first)
	runtime.KeepAlive(facts)
	if used > 350_000 {
		t.Errorf("%d bytes", used)
	}
	t.Logf("%d bytes an entry", used/len(facts))
}

func TestTombstonesTakeLittleMore(t *testing.T) {
	facts := manyFacts(10_000)
	used := heapOf(func() any {
		c := quiet(t, "z", Config{})
		for _, f := range facts {
			f.Status = Failed
			c.learn(f, fresh)
			c.effects = nil
		}
		return c
	})
	runtime.KeepAlive(facts)
	if used > 4_500_000 {
		t.Errorf("%d bytes", used)
	}
	t.Logf("%d bytes a tombstone, with its entry", used/len(facts))
}

func BenchmarkMembersAfterOneChange(b *testing.B) {
	c := quiet(b, "z", Config{})
	facts := manyFacts(10_000)
	for _, f := range facts {
		c.learn(f, fresh)
	}
	c.take()
	c.Members()
	for i := 0; b.Loop(); i++ {
		c.obituary(facts[i%len(facts)].Node, false)
		c.effects, c.news = nil, nil
		if len(c.Members()) == 0 {
			b.Fatal("nobody")
		}
	}
}

func BenchmarkLearnAgain(b *testing.B) {
	c := quiet(b, "z", Config{})
	facts := manyFacts(10_000)
	c.learnAll(facts[:hardMaxFacts], fresh)
	c.take()
	for i := 0; b.Loop(); i++ {
		c.learn(facts[i%hardMaxFacts], fresh)
	}
}
