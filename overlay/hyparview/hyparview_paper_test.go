package hyparview

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/topos-go/topos/overlay"
)

// These tests hold the package to sections of Leitão, Pereira and Rodrigues,
// "HyParView: a membership protocol for reliable gossip-based broadcast", DSN
// 2007.

func nodes(prefix string, n int) []overlay.Node {
	var list []overlay.Node
	for i := range n {
		name := prefix + string(rune('a'+i/26)) + string(rune('a'+i%26))
		list = append(list, overlay.Node{Name: name + "@" + name, Boot: 1})
	}
	return list
}

// befriend makes nodes neighbors that have dialled.
func (s *solo) befriend(list ...overlay.Node) {
	for _, n := range list {
		s.step(overlay.LinkUp{Node: n, Accepted: true}, overlay.Received{From: n, Message: Neighbor{Number: 1}})
	}
	s.take()
}

func (s *solo) meet(list ...overlay.Node) {
	for _, n := range list {
		s.step(overlay.Met{Node: n})
	}
	s.take()
}

// sent returns the messages of type M that an event makes the node send.
func sent[M overlay.Message](s *solo, ev overlay.Event) (messages []M, to []overlay.Node) {
	for _, e := range s.c.Step(s.now, ev) {
		if send, ok := e.(overlay.Send); ok {
			if m, ok := send.Message.(M); ok {
				messages, to = append(messages, m), append(to, send.To)
			}
		}
	}
	return messages, to
}

// Section 4.1 and 5.1: for 10,000 nodes an active view of log n + c = 4 + 1, a
// passive one of k(log n + c) with k = 6, ARWL 6, PRWL 3, and shuffles with 3
// nodes of the active and 4 of the passive view.
func TestDefaultsAreThoseOfSection51(t *testing.T) {
	s := newSolo(t, Config{Self: node("s1"), Rand: rand.New(rand.NewPCG(1, 1))})
	c := s.c.cfg
	got := []int{c.ActiveSize, c.PassiveSize, c.ARWL, c.PRWL, c.ShuffleActive, c.ShufflePassive}
	if want := []int{4 + 1, 6 * (4 + 1), 6, 3, 3, 4}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	s.befriend(nodes("a", 5)...)
	s.meet(nodes("p", 100)...)
	if a, p := len(s.c.Active()), len(s.c.Passive()); a != 5 || p != 30 {
		t.Errorf("views of %d and %d", a, p)
	}
}

// Section 4.2, Algorithm 1, upon Join: a full active view drops a random
// element, the new node is added, and ForwardJoin with ARWL goes to all others.
func TestJoinIsAlgorithm1(t *testing.T) {
	dropped := make(map[string]bool)
	for seed := range uint64(60) {
		cfg := quiet("c1")
		cfg.Rand = rand.New(rand.NewPCG(seed, 1))
		s := newSolo(t, cfg)
		friends := nodes("a", 5)
		s.befriend(friends...)
		s.step(overlay.LinkUp{Node: node("x1"), Accepted: true})
		walks, to := sent[ForwardJoin](s, overlay.Received{From: node("x1"), Message: Join{Number: 1}})
		active := s.c.Active()
		if len(active) != 5 || !slices.Contains(active, node("x1")) {
			t.Fatalf("active view: %v", active)
		}
		want := slices.DeleteFunc(slices.Clone(active), func(n overlay.Node) bool { return n == node("x1") })
		if slices.SortFunc(to, overlay.Node.Compare); !slices.Equal(to, want) {
			t.Fatalf("forwarded to %v of %v", to, active)
		}
		for _, m := range walks {
			if m != (ForwardJoin{Node: node("x1"), TTL: 6}) {
				t.Fatalf("forwarded %v", m)
			}
		}
		passive := s.c.Passive()
		if len(passive) != 1 || slices.Contains(active, passive[0]) {
			t.Fatalf("dropped %v", passive)
		}
		dropped[passive[0].Name] = true
	}
	if len(dropped) != 5 {
		t.Errorf("only ever dropped %v", dropped)
	}
}

// Section 4.2, Algorithm 1, upon ForwardJoin.
func TestForwardJoinIsAlgorithm1(t *testing.T) {
	for _, tt := range []struct {
		ttl, neighbors int
		added, passive bool
		onward         int
	}{
		{ttl: 6, neighbors: 3, onward: 5},
		{ttl: 4, neighbors: 3, onward: 3},
		{ttl: 3, neighbors: 3, onward: 2, passive: true}, // PRWL
		{ttl: 1, neighbors: 3, onward: 0},
		{ttl: 0, neighbors: 3, onward: -1, added: true},
		{ttl: 6, neighbors: 1, onward: -1, added: true}, // #activeView == 1
	} {
		cfg := quiet("s1")
		cfg.ActiveSize = tt.neighbors // so that nobody passive is asked
		s := newSolo(t, cfg)
		friends := nodes("a", tt.neighbors)
		s.befriend(friends...)
		effects := s.c.Step(s.now, overlay.Received{From: friends[0], Message: ForwardJoin{Node: node("x1"), TTL: tt.ttl}})
		onward, added := -1, false
		for _, e := range effects {
			switch e := e.(type) {
			case overlay.Dial:
				added = e.Node == node("x1")
			case overlay.Send:
				onward = e.Message.(ForwardJoin).TTL
				if e.To == friends[0] {
					t.Errorf("ttl %d: went back", tt.ttl)
				}
			}
		}
		if passive := slices.Contains(s.c.Passive(), node("x1")); added != tt.added || passive != tt.passive || onward != tt.onward {
			t.Errorf("ttl %d of %d: added %v, passive %v, onward %d", tt.ttl, tt.neighbors, added, passive, onward)
		}
	}
}

// Section 4.3: "A node q that receives a high priority neighbor request will
// always accept it, even if it has to drop a random member [...]. If a node q
// receives a low priority request, it will only accept it if it has a free slot".
func TestPrioritiesAreThoseOfSection43(t *testing.T) {
	for _, tt := range []struct{ high, full, accepted bool }{
		{false, false, true}, {true, false, true}, {false, true, false}, {true, true, true},
	} {
		cfg := quiet("q1")
		cfg.ActiveSize = 3
		s := newSolo(t, cfg)
		friends := nodes("a", 2)
		if tt.full {
			friends = nodes("a", 3)
		}
		s.befriend(friends...)
		s.step(overlay.LinkUp{Node: node("p1"), Accepted: true})
		replies, _ := sent[NeighborReply](s, overlay.Received{From: node("p1"), Message: Neighbor{Number: 7, High: tt.high}})
		if len(replies) != 1 || replies[0].Accepted != tt.accepted || slices.Contains(s.c.Active(), node("p1")) != tt.accepted {
			t.Errorf("%+v: answered %v", tt, replies)
		}
		if len(s.c.Active()) > 3 {
			t.Errorf("%+v: %v", tt, s.c.Active())
		}
	}
}

// Section 4.3: the priority is high "if p has no elements in its active view".
// Candidates that cannot be dialled go from the passive view, those that refuse
// stay, and the next is tried.
func TestFailedNeighborIsReplacedAsInSection43(t *testing.T) {
	for _, others := range []int{0, 1} {
		cfg := quiet("p1")
		cfg.ActiveSize, cfg.PassiveSize = 1+others, 3
		s := newSolo(t, cfg)
		friends := nodes("a", 1+others)
		s.befriend(friends...)
		s.meet(nodes("c", 3)...)
		var asked []bool
		var refused overlay.Node
		queue := s.c.Step(s.now, overlay.LinkDown{Node: friends[0]})
		dials := 0
		for len(queue) > 0 && len(asked) < 2 {
			e := queue[0]
			queue = queue[1:]
			switch e := e.(type) {
			case overlay.Dial:
				dials++
				if dials%2 == 1 {
					queue = append(queue, s.c.Step(s.now, overlay.DialFailed{Node: e.Node})...)
					if slices.Contains(s.c.Passive(), e.Node) {
						t.Errorf("%v cannot be dialled and is passive", e.Node)
					}
				} else {
					queue = append(queue, s.c.Step(s.now, overlay.LinkUp{Node: e.Node})...)
				}
			case overlay.Send:
				m := e.Message.(Neighbor)
				asked, refused = append(asked, m.High), e.To
				queue = append(queue, s.c.Step(s.now, overlay.Received{From: e.To, Message: NeighborReply{Of: m.Number}})...)
				if !slices.Contains(s.c.Passive(), refused) {
					t.Errorf("%v has refused and is not passive", refused)
				}
			}
		}
		if len(asked) != 1 || asked[0] != (others == 0) || dials != 3 {
			t.Errorf("with %d others: asked %v in %d dials", others, asked, dials)
		}
	}
}

// chi2 is the chi-square statistic of counts that should all be equal.
func chi2(counts map[overlay.Node]int, kinds int) float64 {
	total := 0
	for _, n := range counts {
		total += n
	}
	want := float64(total) / float64(kinds)
	sum := want * float64(kinds-len(counts))
	for _, n := range counts {
		sum += (float64(n) - want) * (float64(n) - want) / want
	}
	return sum
}

// Section 4.4: a shuffle has the node itself, ka nodes of its active and kp of
// its passive view, "selected at random". With the first k instead, the counts
// below are 0 for all others.
func TestShuffleCarriesUniformSampleOfBothViews(t *testing.T) {
	const rounds = 3000
	s := newSolo(t, quiet("s1"))
	s.befriend(nodes("a", 5)...)
	s.meet(nodes("p", 30)...)
	active, passive, targets := make(map[overlay.Node]int), make(map[overlay.Node]int), make(map[overlay.Node]int)
	for range rounds {
		s.c.shuffleAt = s.c.now
		for _, e := range s.c.Tick(s.now) {
			send, ok := e.(overlay.Send)
			if !ok {
				continue
			}
			m, ok := send.Message.(Shuffle)
			if !ok {
				continue
			}
			if len(m.Nodes) != 8 || m.Nodes[0] != node("s1") || m.Origin != node("s1") || m.TTL != 6 {
				t.Fatalf("shuffle %v", m)
			}
			if slices.Contains(m.Nodes, send.To) {
				t.Fatalf("%v is sent to itself", send.To)
			}
			targets[send.To]++
			for i, n := range m.Nodes[1:] {
				if slices.Contains(m.Nodes[:i+1], n) {
					t.Fatalf("%v twice", n)
				}
				if i < 3 {
					active[n]++
				} else {
					passive[n]++
				}
			}
		}
	}
	// The 99.99 % points for 4 and 29 degrees of freedom, as the seed is fixed.
	for _, tt := range []struct {
		what   string
		counts map[overlay.Node]int
		kinds  int
		limit  float64
	}{{"target", targets, 5, 23.5}, {"active", active, 5, 23.5}, {"passive", passive, 30, 66}} {
		if x := chi2(tt.counts, tt.kinds); x > tt.limit {
			t.Errorf("%s: chi-square %.1f: %v", tt.what, x, tt.counts)
		}
	}
}

// Section 4.4, as before, of the answer: as many nodes of the passive view.
func TestShuffleAnswerIsUniformSample(t *testing.T) {
	counts := make(map[overlay.Node]int)
	s := newSolo(t, quiet("s1"))
	friends := nodes("a", 1)
	s.befriend(friends...)
	known := nodes("p", 30)
	for range 3000 {
		s.c.passive, s.c.tried = nil, 0
		s.meet(known...)
		m := Shuffle{Origin: friends[0], Number: 1, TTL: 1, Nodes: append([]overlay.Node{friends[0]}, known[:5]...)}
		replies, _ := sent[ShuffleReply](s, overlay.Received{From: friends[0], Message: m})
		if len(replies) != 1 || len(replies[0].Nodes) != 6 {
			t.Fatalf("answered %v", replies)
		}
		for _, n := range replies[0].Nodes {
			counts[n]++
		}
	}
	if x := chi2(counts, 30); x > 66 {
		t.Errorf("chi-square %.1f: %v", x, counts)
	}
}

// Section 4.4: the shuffle walks like a join, while its time to live is more
// than 0 and there is somebody else to go to; its answer goes to the origin.
func TestShuffleWalksAndIsAnsweredToItsOrigin(t *testing.T) {
	for _, tt := range []struct{ ttl, neighbors, onward int }{{6, 3, 5}, {2, 3, 1}, {1, 3, 0}, {6, 1, 0}} {
		cfg := quiet("s1")
		cfg.ActiveSize = tt.neighbors
		s := newSolo(t, cfg)
		friends := nodes("a", tt.neighbors)
		s.befriend(friends...)
		s.meet(nodes("p", 9)...)
		origin := node("o1")
		m := Shuffle{Origin: origin, Number: 9, TTL: tt.ttl, Nodes: []overlay.Node{origin, node("x1")}}
		onward := 0
		for _, e := range s.c.Step(s.now, overlay.Received{From: friends[0], Message: m}) {
			switch e := e.(type) {
			case overlay.Send:
				walk := e.Message.(Shuffle)
				onward = walk.TTL
				walk.TTL = m.TTL
				if e.To == friends[0] || cmp.Diff(m, walk) != "" {
					t.Errorf("%+v: to %v, %s", tt, e.To, cmp.Diff(m, walk))
				}
			case overlay.Dial:
				if e.Node != origin {
					t.Errorf("%+v: dials %v", tt, e.Node)
				}
			}
		}
		if onward != tt.onward {
			t.Errorf("%+v: goes on with %d", tt, onward)
		}
		// Nothing is left of the link to the origin.
		s.step(overlay.LinkUp{Node: origin})
		out := s.take()
		if answered := strings.Contains(out, "send o1 shuffle-reply #9"); answered != (tt.onward == 0) || !strings.HasSuffix(out, "disconnect o1\n") {
			t.Errorf("%+v: %s", tt, out)
		}
	}
}

// Section 4.5: a full passive view evicts first what was sent to the peer, then
// at random; nodes that are known, or are this node, are not taken.
func TestIntegrationEvictsWhatWasSentFirst(t *testing.T) {
	survived := make(map[overlay.Node]int)
	for seed := range uint64(200) {
		cfg := quiet("s1")
		cfg.Rand = rand.New(rand.NewPCG(seed, 1))
		s := newSolo(t, cfg)
		friends, known := nodes("a", 5), nodes("p", 30)
		s.befriend(friends...)
		s.meet(known...)
		s.c.shuffleAt = s.c.now
		var m Shuffle
		for _, e := range s.c.Tick(s.now) {
			if send, ok := e.(overlay.Send); ok {
				if shuffle, ok := send.Message.(Shuffle); ok {
					m = shuffle
				}
			}
		}
		news := nodes("n", 6)
		answer := append([]overlay.Node{node("s1"), friends[0]}, news...)
		s.step(overlay.LinkUp{Node: node("z1"), Accepted: true}, overlay.Received{From: node("z1"), Message: ShuffleReply{Number: m.Number, Nodes: answer}})
		passive := s.c.Passive()
		for _, n := range m.Nodes[4:] {
			if slices.Contains(passive, n) {
				t.Fatalf("%v was sent and is kept, seed %d", n, seed)
			}
		}
		if slices.Contains(passive, node("s1")) || slices.Contains(passive, friends[0]) || len(passive) != 30 {
			t.Fatalf("passive %v", passive)
		}
		for _, n := range news {
			if slices.Contains(passive, n) {
				survived[n]++
			}
		}
	}
	// Two of six had to make room by chance, and may have hit each other.
	for _, n := range nodes("n", 5) {
		if survived[n] < 170 {
			t.Errorf("%v was taken %d times of 200", n, survived[n])
		}
	}
}

// Section 5.3: "HyParView [...] recovers from failures as high as 80 %", here
// within two seconds of the reactive steps of section 4.3.
func TestMassiveFailuresHealAsInSection53(t *testing.T) {
	t.Parallel()
	for _, percent := range []int{50, 80} {
		t.Run(fmt.Sprint(percent), func(t *testing.T) {
			w := newWorld(t, uint64(percent), Config{})
			w.grow(300, 10*time.Millisecond)
			w.run(90 * time.Second)
			w.sound("before")
			w.decimate(percent)
			d := w.until(time.Minute, 100*time.Millisecond, w.healed)
			if d > 2*time.Second {
				t.Errorf("%d live nodes are one after %v, in parts of %v", len(w.alive()), d, w.parts())
			}
			clean := w.until(10*time.Minute, 5*time.Second, func() bool { return w.dead() == 0 })
			if clean > 8*time.Minute {
				t.Errorf("%d dead nodes are passive after %v", w.dead(), clean)
			}
			t.Logf("%d %% of 300 crash: connected and symmetric after %v, no dead node in any passive view after %v; neighbors: %v",
				percent, d, clean, w.degrees())
			w.run(10 * time.Second)
			w.sound("after")
		})
	}
}

// decimate crashes so many per cent of all nodes at once.
func (w *world) decimate(percent int) {
	for _, i := range w.rng.Perm(len(w.places))[:len(w.places)*percent/100] {
		w.crash(i)
	}
}
