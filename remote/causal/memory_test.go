package causal

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
	"unsafe"
)

// footprint returns about how many bytes a group keeps.
func (g *Group[T]) footprint() int {
	n := cap(g.queue)*8 + cap(g.effects)*16 + (len(g.graves.order)+len(g.members))*200
	for _, m := range g.slots {
		if m != nil {
			n += int(unsafe.Sizeof(*m)+unsafe.Sizeof(row{})) + cap(m.held)*8 + (cap(m.gone)+cap(m.skipped)+cap(m.lost))*16
		}
	}
	return n + g.bytes
}

func TestManyMessagesTakeNoMoreMemoryThanFew(t *testing.T) {
	const total = 100_000
	s := newStage(t, Config{})
	rng := rand.New(rand.NewPCG(1, 2))
	names := []string{"a", "b", "c"}
	after := map[string]int{} // what each group took after the first tenth
	var post []letter
	for i := range total {
		from := rng.IntN(3)
		l := letter{from: names[from], to: names[(from+1+rng.IntN(2))%3]}
		stamp, err := s.group(l.from).Stamp(node(l.to))
		if err != nil {
			t.Fatal(err)
		}
		if rng.IntN(50) == 0 {
			s.group(l.from).GaveUp(node(l.to), stamp.Seq)
		} else {
			l.stamp = stamp.Append(nil)
			post = append(post, l)
		}
		for len(post) > 20 {
			at := rng.IntN(len(post))
			l := post[at]
			post[at] = post[len(post)-1]
			post = post[:len(post)-1]
			stamp, err := ParseStamp(l.stamp)
			if err != nil {
				t.Fatal(err)
			}
			s.group(l.to).Receive(start, node(l.from), stamp, "", 0)
		}
		if i%100 == 0 {
			for _, name := range names {
				g := s.group(name)
				if err := g.valid(); err != nil {
					t.Fatal(err)
				}
				if n := g.footprint(); i <= total/10 {
					after[name] = max(after[name], n)
				} else if n > 2*after[name] {
					t.Fatalf("%s takes %d bytes after %d messages, and took %d", name, n, i, after[name])
				}
			}
		}
	}
}

func TestManyIncarnationsTakeNoMoreMemoryThanFew(t *testing.T) {
	s := newStage(t, Config{})
	most := 0
	for i := 1; i <= 1000; i++ {
		name := fmt.Sprintf("a.%d", i)
		for _, to := range []string{"b", "c"} {
			s.deliver(s.send(name, to, "m"), s.send(to, name, "m"))
			s.send(name, to, "lost")
		}
		s.deliver(s.send("b", "c", "m"), s.send("c", "b", "m"))
		delete(s.groups, name) // it crashes
		s.letters = map[int]letter{}
		for _, at := range []string{"b", "c"} {
			s.obituary(at, name, i%3 > 0)
		}
		s.wait(10 * time.Second)
		s.out.Reset()
		s.got = map[string][]string{}
		for _, at := range []string{"b", "c"} {
			g := s.group(at)
			if st := g.Stats(); st.Members > 12 || st.Waiting != 0 {
				t.Fatalf("after %d incarnations %s has %+v", i, at, st)
			}
			if n := g.footprint(); i <= 300 {
				most = max(most, n)
			} else if n > 2*most {
				t.Fatalf("%s takes %d bytes after %d incarnations, and took %d", at, n, i, most)
			}
		}
	}
}

func TestAHostilePeerCannotMakeSpansGrow(t *testing.T) {
	g, err := New[int](Config{Self: node("a"), MaxHeld: 10})
	if err != nil {
		t.Fatal(err)
	}
	for i := range Seq(5000) { // every other number is given up, above one that never comes
		g.Receive(start, node("b"), Stamp{Void: true, Seq: 4*i + 4, Gone: []Span{{4*i + 4, 4*i + 4}}}, 0, 0)
		g.Receive(start, node("c"), Stamp{Seq: 2*i + 2}, 0, 0)
	}
	// Late ones leave holes in what was skipped.
	g.Tick(start.Add(DefaultMaxWait))
	for i := range Seq(5000) {
		g.Receive(start, node("c"), Stamp{Seq: 2*i + 1}, 0, 0)
	}
	if err := g.valid(); err != nil {
		t.Fatal(err)
	}
	if n := g.footprint(); n > 100_000 {
		t.Fatalf("%d bytes", n)
	}
}
