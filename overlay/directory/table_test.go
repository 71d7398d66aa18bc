package directory

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/topos-go/topos/overlay"
)

func TestTableBehavesLikeAMap(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	pool := new(Pool)
	table := table{pool: &pool.records}
	naive := make(map[string]Fact)
	for step := range 20_000 {
		name := fmt.Sprintf("n%d@n", rng.IntN(3000))
		f := Fact{Node: overlay.Node{Name: name, Boot: rng.Uint64N(3)}, Status: Alive, Number: rng.Uint64N(9)}
		switch e := table.find(name); {
		case e.none() == (naive[name] != Fact{}):
			t.Fatalf("step %d: %s", step, name)
		case e.none():
			table.insert(f)
			naive[name] = f
		case rng.IntN(3) == 0:
			table.remove(name)
			delete(naive, name)
		default:
			table.replace(e, f)
			naive[name] = f
		}
	}
	if table.len != len(naive) {
		t.Fatalf("%d entries, not %d", table.len, len(naive))
	}
	for _, r := range []Range{{}, Range{}.part(3), Range{}.part(15).part(0), Range{}.part(7).part(9).part(1).part(2)} {
		want := Sum{Range: r}
		for name, f := range naive {
			if key := keyOf(name); r.has(key) {
				want.Sum += recordOf(f).weight
				want.Count++
			}
		}
		if got := table.sum(r); got != want {
			t.Errorf("%v: %v, not %v", r, got, want)
		}
		n, last := 0, uint64(0)
		table.each(r, func(e entry) {
			if e.key < last || naive[e.node.Name] != e.fact() {
				t.Errorf("%v: %v", r, e)
			}
			last = e.key
			n++
		})
		if n != want.Count {
			t.Errorf("%v: %d visited, not %d", r, n, want.Count)
		}
	}
	for name := range naive {
		table.remove(name)
	}
	if n := pool.records.Len(); n != 0 {
		t.Errorf("the pool keeps %d records", n)
	}
	if table.len != 0 || table.sum(Range{}) != (Sum{}) {
		t.Errorf("%d are left, %v", table.len, table.sum(Range{}))
	}
}

func TestPartsOfARangeAreTheWholeOfIt(t *testing.T) {
	c := quiet(t, "z", Config{})
	fill(c, start, 2000)
	for _, r := range []Range{{}, Range{}.part(15), Range{}.part(2).part(4)} {
		var sum Sum
		next := r.first()
		for i := range fan {
			p := r.part(i)
			if p.first() != next || !p.valid() {
				t.Fatalf("%v is not where %v goes on", p, r)
			}
			next = p.last() + 1
			s := c.table.sum(p)
			sum.Sum, sum.Count = sum.Sum+s.Sum, sum.Count+s.Count
		}
		if want := c.table.sum(r); next != r.last()+1 || sum.Sum != want.Sum || sum.Count != want.Count || sum.Count == 0 {
			t.Errorf("%v: %v, not %v", r, sum, want)
		}
	}
}

func TestPartnersAreDrawnEvenly(t *testing.T) {
	c := quiet(t, "z", Config{})
	fill(c, start, 100)
	hits := make(map[overlay.Node]int)
	for range 20_000 {
		hits[c.table.random(c.cfg.Rand, "z@z").node]++
	}
	least, most := slices.Min(slices.Collect(maps.Values(hits))), slices.Max(slices.Collect(maps.Values(hits)))
	if len(hits) != 100 || least < 130 || most > 280 { // 200 each, with a deviation of 14
		t.Errorf("%d are drawn, %d to %d times", len(hits), least, most)
	}
}

func TestOneMemberAmongManyDeadIsFound(t *testing.T) {
	c := quiet(t, "z", Config{})
	fill(c, start, 5000)
	for _, n := range slices.Clone(c.Members()[1:]) {
		if n.Name != "z@z" {
			c.Step(start, Obituary{Node: n})
		}
	}
	if e := c.table.random(c.cfg.Rand, "z@z"); c.Len() != 2 || e.none() || !e.up || e.node.Name == "z@z" {
		t.Errorf("%d members, drawn: %v", c.Len(), e)
	}
}

func TestSnapshotOfMembersIsNeverChanged(t *testing.T) {
	c := quiet(t, "m", Config{})
	rng := rand.New(rand.NewPCG(2, 2))
	var snapshots, copies [][]overlay.Node
	for i := range 3000 {
		n := overlay.Node{Name: fmt.Sprintf("n%d@n", rng.IntN(300)), Boot: 1 + rng.Uint64N(uint64(1+i/500))}
		if rng.IntN(2) == 0 {
			c.Step(start, Met{n})
		} else {
			c.Step(start, Obituary{Node: n})
		}
		if rng.IntN(20) == 0 {
			if err := c.valid(); err != nil { // compares them with the table
				t.Fatal(err)
			}
			snapshots = append(snapshots, c.Members())
			copies = append(copies, slices.Clone(c.Members()))
		}
	}
	for i := range snapshots {
		if !slices.Equal(snapshots[i], copies[i]) {
			t.Fatalf("snapshot %d was changed", i)
		}
	}
	if a, b := c.Members(), c.Members(); &a[0] != &b[0] {
		t.Error("members are copied although nothing has changed")
	}
}

// Of three hundred thousand names some have keys whose first halves are equal, so that a
// search has to look at both.
func TestNamesOfTheSameOrderAreToldApart(t *testing.T) {
	first := make(map[uint32]string)
	pool := new(Pool)
	table := table{pool: &pool.records}
	var names []string
	for i := range 300_000 {
		name := fmt.Sprintf("n%d@n", i)
		order := orderOf(keyOf(name))
		if other, taken := first[order]; taken {
			names = append(names, other, name)
		}
		first[order] = name
	}
	if len(names) < 4 {
		t.Fatalf("%d names", len(names))
	}
	for _, name := range names {
		if e := table.find(name); !e.none() {
			t.Fatalf("%s is found as %v", name, e.node)
		}
		table.insert(Fact{Node: overlay.Node{Name: name, Boot: 1}, Status: Alive})
	}
	for i, name := range names {
		if e := table.find(name); e.none() || e.node.Name != name {
			t.Errorf("%s is not found", name)
		}
		if i%2 == 0 {
			table.remove(name)
		}
	}
	for i, name := range names {
		if e := table.find(name); e.none() != (i%2 == 0) || !e.none() && e.node.Name != name {
			t.Errorf("%s: %v after half of them were removed", name, e)
		}
	}
	last := uint64(0)
	table.each(Range{}, func(e entry) {
		if e.key < last {
			t.Errorf("%v is out of order", e.node)
		}
		last = e.key
	})
}

// What has faded is told again when there is another death of it, or life, but not when
// only its metadata are others.
func TestOnlyNewsOfItsNodeUnfadesAnEntry(t *testing.T) {
	f := Fact{Node: node("a"), Status: Crashed, Version: 1}
	meta, again, other := f, f, f
	meta.Version, meta.Meta = 2, "zone"
	again.Number = 1
	other.Node.Boot++
	for _, c := range []struct {
		news  Fact
		faded bool
	}{{f, true}, {meta, true}, {again, false}, {other, false}} {
		table := table{pool: overlay.Apart[record]()}
		table.insert(f)
		table.fade(table.find(f.Node.Name))
		if s := table.sum(Range{}); s != (Sum{}) {
			t.Fatalf("what has faded adds up to %v", s)
		}
		e := table.replace(table.find(f.Node.Name), c.news)
		want := Sum{}
		if !c.faded {
			want = Sum{Sum: recordOf(c.news).weight, Count: 1}
		}
		if e.faded != c.faded || table.sum(Range{}) != want || e.fact() != c.news {
			t.Errorf("%+v: faded %v, %v", c.news, e.faded, table.sum(Range{}))
		}
	}
}
