package static

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/topos-go/topos/overlay"
)

// ring configures each of n nodes with some others: the next ones by name on the
// one side, by address on the other.
func ring(n int) func(i int) Config {
	return func(i int) Config {
		var peers []string
		for _, d := range []int{1, 2, 7} {
			next := placeName((i + d) % n)
			peers = append(peers, next+"@"+next, placeName((i+n-d)%n))
		}
		return Config{Peers: peers}
	}
}

// exact checks that the live nodes have exactly the configured graph: whoever is
// live and listed is a neighbor, nobody else is, and there are no other links.
func (w *world) exact(guests bool) error {
	if err := w.sound(); err != nil {
		return err
	}
	wants := func(i, j int) bool {
		return slices.ContainsFunc(w.cfg(i).Peers, func(s string) bool { return strings.HasSuffix(s, placeName(j)) })
	}
	for _, p := range w.alive() {
		for _, q := range w.alive() {
			i, j := p.index, q.index
			want := i != j && wants(i, j) && (wants(j, i) || guests) || i != j && guests && wants(j, i)
			if got := slices.Contains(p.core.Neighbors(), q.node); got != want {
				return fmt.Errorf("%v is a neighbor of %v: %v, want %v", q.node, p.node, got, want)
			}
			if l := w.pairs[key(i, j)]; i < j && l != nil && !want && (l.ends[0] != 0 || l.ends[1] != 0) {
				return fmt.Errorf("%v and %v have a link", p.node, q.node)
			}
		}
	}
	return nil
}

func TestConfiguredGraphIsThereWithinSecondsOfStarting(t *testing.T) {
	w := newWorld(t, 1, 100, ring(100))
	w.known = true // and nobody else is dialled for it
	w.grow(time.Millisecond)
	d := w.until(20*time.Second, 100*time.Millisecond, func() error { return w.exact(false) })
	t.Logf("100 nodes, 6 peers each: exact after %v, %d messages", d, w.sends)
	w.run(time.Minute)
	if err := w.exact(false); err != nil {
		t.Error(err)
	}
}

// Of two that have each other for peers, one dials.
func TestEveryMutualPairIsDialledOnce(t *testing.T) {
	w := newWorld(t, 2, 30, ring(30))
	w.trace = &strings.Builder{}
	w.grow(time.Millisecond)
	w.until(20*time.Second, 100*time.Millisecond, func() error { return w.exact(false) })
	w.run(time.Minute)
	if dials := strings.Count(w.trace.String(), ": dial "); dials != 30*3 {
		t.Errorf("%d dials for %d pairs", dials, 30*3)
	}
}

func TestConfiguredGraphIsBackAfterChurnLossAndPartition(t *testing.T) {
	for seed := range uint64(3) {
		w := newWorld(t, seed, 60, ring(60))
		w.known, w.silent = true, seed == 1
		w.grow(5 * time.Millisecond)
		w.loss = 50
		for range 100 {
			i, j := w.rng.IntN(60), w.rng.IntN(60)
			switch w.rng.IntN(5) {
			case 0:
				w.crash(i)
			case 1, 2:
				w.crash(i)
				w.boot(i)
			case 3:
				if i != j {
					w.sever(i, j)
				}
			case 4:
				w.leave(i)
			}
			w.run(300 * time.Millisecond)
		}
		w.partition(func(a, b int) bool { return (a < 30) != (b < 30) })
		w.run(time.Minute)
		for _, p := range w.alive() {
			for _, n := range p.core.Neighbors() {
				if (p.index < 30) != (w.place(n.Addr()).index < 30) {
					t.Errorf("%v has the neighbor %v across the partition", p.node, n)
				}
			}
		}
		w.heal(true)
		w.loss = 0
		d := w.until(40*time.Second, time.Second, func() error { return w.exact(false) })
		t.Logf("seed %d: %d of 60 live; exact %v after the faults", seed, len(w.alive()), d)
	}
}

// Only some list others, and those accept them.
func TestAnyoneIsAcceptedWhoListsTheNode(t *testing.T) {
	w := newWorld(t, 5, 40, func(i int) Config {
		if i < 3 {
			return Config{Accept: Anyone, Peers: []string{placeName(0), placeName(1), placeName(2)}}
		}
		return Config{Peers: []string{placeName(i % 3)}}
	})
	w.loss = 100
	w.grow(time.Millisecond)
	w.run(5 * time.Second)
	w.crash(1)
	w.run(time.Minute)
	w.boot(1)
	w.loss = 0
	d := w.until(40*time.Second, time.Second, func() error { return w.exact(true) })
	t.Logf("exact %v after the restart", d)
}

// A list that is not mutual gives no link, and few attempts.
func TestOneSidedListsMakeNoLinksAndNoStorm(t *testing.T) {
	w := newWorld(t, 6, 2, func(i int) Config {
		if i == 1 {
			return Config{Peers: []string{placeName(0)}}
		}
		return Config{Peers: []string{"n999"}}
	})
	w.grow(0)
	w.run(10 * time.Minute)
	if err := w.exact(false); err != nil {
		t.Error(err)
	}
	if w.sends > 2*10*60/5+20 {
		t.Errorf("%d messages in ten minutes", w.sends)
	}
	t.Logf("%d messages in ten minutes", w.sends)
}

func TestDeadPeersAreProbedSeldomAndNeverDialled(t *testing.T) {
	for _, silent := range []bool{false, true} {
		w := newWorld(t, 7, 30, ring(30))
		w.silent = silent
		w.grow(time.Millisecond)
		w.run(30 * time.Second)
		for i := range 10 {
			w.crash(i)
		}
		w.run(10 * time.Minute)
		for _, p := range w.alive() {
			for _, n := range p.core.Neighbors() {
				if w.place(n.Addr()).core == nil {
					t.Errorf("%v has the dead neighbor %v", p.node, n)
				}
			}
		}
		most := 0
		for i := range 10 {
			most = max(most, w.probes[placeName(i)])
			if n := w.dials[w.places[i].node]; n > 0 {
				t.Errorf("%d dials of the dead %v", n, w.places[i].node)
			}
		}
		// Six others know each, and wait 5 s at least, but for the first seconds.
		if most > 6*(600/5+8) || most < 6*600/10/2 {
			t.Errorf("up to %d probes of a dead node in ten minutes", most)
		}
		t.Logf("silent %v: up to %d probes of a dead node by its 6 peers in ten minutes, no dials", silent, most)
	}
}

func TestPeersThatAreJoinedAtRunTimeAreLinked(t *testing.T) {
	w := newWorld(t, 8, 4, func(i int) Config { return Config{} })
	w.grow(0)
	w.run(time.Minute)
	if w.sends > 0 {
		t.Fatal("nodes without peers have sent something")
	}
	for i, j := range []int{1, 0} {
		w.tell(i, w.places[i].node, overlay.Join{Addrs: []string{placeName(j)}})
	}
	w.run(5 * time.Second)
	if got := w.places[0].core.Neighbors(); !slices.Equal(got, []overlay.Node{w.places[1].node}) {
		t.Errorf("neighbors %v", got)
	}
}

func TestSameSeedGivesSameTranscript(t *testing.T) {
	play := func(seed uint64) string {
		w := newWorld(t, seed, 30, ring(30))
		w.trace, w.known, w.loss = &strings.Builder{}, true, 30
		w.grow(time.Millisecond)
		w.run(10 * time.Second)
		w.crash(3)
		w.leave(4)
		w.run(20 * time.Second)
		return w.trace.String()
	}
	first := play(9)
	if second := play(9); first != second {
		t.Error("two runs differ")
	}
	if len(first) < 10_000 || first == play(10) {
		t.Error("the transcript says nothing")
	}
}
