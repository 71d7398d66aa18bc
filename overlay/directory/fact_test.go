package directory

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/topos-go/topos/overlay"
	"pgregory.net/rapid"
)

func genNode() *rapid.Generator[overlay.Node] {
	return rapid.Custom(func(t *rapid.T) overlay.Node {
		return overlay.Node{
			Name: rapid.SampledFrom([]string{"a@a", "b@b", "c@c"}).Draw(t, "name"),
			Boot: rapid.Uint64Range(1, 3).Draw(t, "boot"), Unique: rapid.SampledFrom([]string{"", "x"}).Draw(t, "unique"),
		}
	})
}

// genFact draws facts of few names, so that they meet.
func genFact() *rapid.Generator[Fact] {
	return rapid.Custom(func(t *rapid.T) Fact {
		f := Fact{
			Node: genNode().Draw(t, "node"), Status: Status(rapid.IntRange(1, 4).Draw(t, "status")),
			Number:  rapid.SampledFrom([]uint64{0, 1, 2, MaxNumber}).Draw(t, "number"),
			Version: rapid.Uint64Range(0, 2).Draw(t, "version"), Meta: rapid.SampledFrom([]string{"", "m", "n"}).Draw(t, "meta"),
		}
		if f.Status.Dead() {
			f.Age = time.Duration(rapid.IntRange(0, 3).Draw(t, "age")) * time.Second
		}
		return f
	})
}

func TestMergingFactsIsASemilattice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom([]string{"a@a"}).Draw(t, "name")
		of := func(label string) Fact {
			f := genFact().Draw(t, label)
			f.Node.Name = name
			return f
		}
		f, g, h := of("f"), of("g"), of("h")
		if f.Merge(f) != f {
			t.Fatalf("not idempotent: %v", f)
		}
		if f.Merge(g) != g.Merge(f) {
			t.Fatalf("not commutative: %v, %v: %v, %v", f, g, f.Merge(g), g.Merge(f))
		}
		if a, b := f.Merge(g).Merge(h), f.Merge(g.Merge(h)); a != b {
			t.Fatalf("not associative: %v, %v, %v: %v, %v", f, g, h, a, b)
		}
		if m := f.Merge(g); m.Merge(f) != m || m.Merge(g) != m {
			t.Fatalf("%v is not above %v and %v", m, f, g)
		}
	})
}

func TestMergingRegistersIsASemilattice(t *testing.T) {
	gen := rapid.Custom(func(t *rapid.T) Register {
		return Register{
			Name: Topology, Epoch: rapid.Uint64Range(0, 3).Draw(t, "epoch"), Proposer: genNode().Draw(t, "proposer"),
			Value: rapid.SampledFrom([]string{"mesh", "star"}).Draw(t, "value"),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		r, s, u := gen.Draw(t, "r"), gen.Draw(t, "s"), gen.Draw(t, "u")
		if r.Merge(r) != r || r.Merge(s) != s.Merge(r) || r.Merge(s).Merge(u) != r.Merge(s.Merge(u)) {
			t.Fatalf("%v, %v, %v", r, s, u)
		}
	})
}

func TestFactsOfOneIncarnationAreOrdered(t *testing.T) {
	n, newer := node("n"), node("n.2")
	ascending := []Fact{
		{Node: n, Status: Alive}, {Node: n, Status: Failed}, {Node: n, Status: Crashed},
		{Node: n, Status: Alive, Number: 1}, {Node: n, Status: Failed, Number: 1}, {Node: n, Status: Alive, Number: 2},
		{Node: n, Status: Left}, {Node: n, Status: Left, Number: 1}, // final, whatever the number
		{Node: newer, Status: Alive}, {Node: newer, Status: Failed},
	}
	for i, f := range ascending {
		if status, number := unstamp(f.stamp()); status != f.Status || number != f.Number {
			t.Errorf("%v: stamp of %v %d", f, status, number)
		}
		for j, g := range ascending {
			if want := ascending[max(i, j)]; f.Merge(g) != want {
				t.Errorf("%v and %v give %v", f, g, f.Merge(g))
			}
		}
	}
	if m := ascending[0].Merge(Fact{Node: node("x"), Status: Left}); m != ascending[0] {
		t.Errorf("a fact of another name counts: %v", m)
	}
}

// quiet returns a core whose node is called so.
func quiet(t fataler, name string, cfg Config) *Core {
	cfg.Self = node(name)
	cfg.Rand = rand.New(rand.NewPCG(1, 1))
	core, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	core.start(start)
	return core
}

type fataler interface{ Fatal(args ...any) }

// same reports how two directories differ.
func same(a, b *Core) error {
	if x, y := a.table.sum(Range{}), b.table.sum(Range{}); x != y {
		return fmt.Errorf("%d and %d facts, %x and %x", x.Count, y.Count, x.Sum, y.Sum)
	}
	return nil
}

func TestFactsMayComeInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		facts := rapid.SliceOfN(genFact(), 1, 20).Draw(t, "facts")
		again := rapid.Permutation(append(facts, facts...)).Draw(t, "again")
		a, b := quiet(t, "z", Config{}), quiet(t, "z", Config{})
		naive := map[string]Fact{"z@z": {Node: node("z"), Status: Alive, Version: 1}}
		for _, f := range facts {
			a.learn(f, hearsay)
			if old, ok := naive[f.Node.Name]; ok {
				f = old.Merge(f)
			}
			naive[f.Node.Name] = f
		}
		b.learnAll(again, fresh)
		if err := same(a, b); err != nil {
			t.Fatal(err)
		}
		if len(naive) != a.table.len {
			t.Fatalf("%d names, not %d", a.table.len, len(naive))
		}
		alive := 0
		for name, want := range naive {
			if got, _ := a.Lookup(name); got != want {
				t.Fatalf("got %v, want %v", got, want)
			}
			if got, _ := b.Lookup(name); got != want {
				t.Fatalf("got %v, want %v", got, want)
			}
			if want.Status == Alive {
				alive++
			}
		}
		if b.Len() != alive {
			t.Fatalf("%d members, not %d", b.Len(), alive)
		}
	})
}
