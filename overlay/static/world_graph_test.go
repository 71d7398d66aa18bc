package static

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/topos-go/topos/internal/sim/topology"
	"github.com/topos-go/topos/overlay"
)

// ring configures each of n nodes with some others: the next ones by name on the
// one side, by address on the other.
func ring(n int) func(i int) Config {
	return func(i int) Config {
		var peers []string
		for _, d := range []int{1, 2, 7} {
			next := topology.PlaceName((i + d) % n)
			peers = append(peers, next+"@"+next, topology.PlaceName((i+n-d)%n))
		}
		return Config{Peers: peers}
	}
}

// exact checks that the live nodes have exactly the configured graph: whoever is
// live and listed is a neighbor, nobody else is, and there are no other links.
func (w *world) exact(guests bool) error {
	if err := w.Sound(); err != nil {
		return err
	}
	wants := func(i, j int) bool {
		return slices.ContainsFunc(w.cfg(i).Peers, func(s string) bool { return strings.HasSuffix(s, topology.PlaceName(j)) })
	}
	for _, p := range w.Alive() {
		for _, q := range w.Alive() {
			i, j := p.Index, q.Index
			want := i != j && wants(i, j) && (wants(j, i) || guests) || i != j && guests && wants(j, i)
			if got := slices.Contains(p.Core.Neighbors(), q.Node); got != want {
				return fmt.Errorf("%v is a neighbor of %v: %v, want %v", q.Node, p.Node, got, want)
			}
			if i < j && !want && w.Linked(i, j) {
				return fmt.Errorf("%v and %v have a link", p.Node, q.Node)
			}
		}
	}
	return nil
}

func TestConfiguredGraphIsThereWithinSecondsOfStarting(t *testing.T) {
	w := newWorld(t, 1, 100, ring(100))
	w.Known = true // and nobody else is dialled for it
	w.Grow(time.Millisecond)
	d := w.Until(20*time.Second, 100*time.Millisecond, func() error { return w.exact(false) })
	t.Logf("100 nodes, 6 peers each: exact after %v, %d messages", d, w.Sends)
	w.Run(time.Minute)
	if err := w.exact(false); err != nil {
		t.Error(err)
	}
}

// Of two that have each other for peers, one dials.
func TestEveryMutualPairIsDialledOnce(t *testing.T) {
	w := newWorld(t, 2, 30, ring(30))
	w.Trace = &strings.Builder{}
	w.Grow(time.Millisecond)
	w.Until(20*time.Second, 100*time.Millisecond, func() error { return w.exact(false) })
	w.Run(time.Minute)
	if dials := strings.Count(w.Trace.String(), ": dial "); dials != 30*3 {
		t.Errorf("%d dials for %d pairs", dials, 30*3)
	}
}

func TestConfiguredGraphIsBackAfterChurnLossAndPartition(t *testing.T) {
	for seed := range uint64(3) {
		w := newWorld(t, seed, 60, ring(60))
		w.Known, w.Silent = true, seed == 1
		w.Grow(5 * time.Millisecond)
		w.Loss = 50
		for range 100 {
			w.Disturb()
			w.Run(300 * time.Millisecond)
		}
		w.Partition(func(a, b int) bool { return (a < 30) != (b < 30) })
		w.Run(time.Minute)
		for _, p := range w.Alive() {
			for _, n := range p.Core.Neighbors() {
				if (p.Index < 30) != (w.Place(n.Addr()).Index < 30) {
					t.Errorf("%v has the neighbor %v across the partition", p.Node, n)
				}
			}
		}
		w.Heal(true)
		w.Loss = 0
		d := w.Until(40*time.Second, time.Second, func() error { return w.exact(false) })
		t.Logf("seed %d: %d of 60 live; exact %v after the faults", seed, len(w.Alive()), d)
	}
}

// Only some list others, and those accept them.
func TestAnyoneIsAcceptedWhoListsTheNode(t *testing.T) {
	w := newWorld(t, 5, 40, func(i int) Config {
		if i < 3 {
			return Config{Accept: Anyone, Peers: []string{topology.PlaceName(0), topology.PlaceName(1), topology.PlaceName(2)}}
		}
		return Config{Peers: []string{topology.PlaceName(i % 3)}}
	})
	w.Loss = 100
	w.Grow(time.Millisecond)
	w.Run(5 * time.Second)
	w.Crash(1)
	w.Run(time.Minute)
	w.Boot(1)
	w.Loss = 0
	d := w.Until(40*time.Second, time.Second, func() error { return w.exact(true) })
	t.Logf("exact %v after the restart", d)
}

// A list that is not mutual gives no link, and few attempts.
func TestOneSidedListsMakeNoLinksAndNoStorm(t *testing.T) {
	w := newWorld(t, 6, 2, func(i int) Config {
		if i == 1 {
			return Config{Peers: []string{topology.PlaceName(0)}}
		}
		return Config{Peers: []string{"n999"}}
	})
	w.Grow(0)
	w.Run(10 * time.Minute)
	if err := w.exact(false); err != nil {
		t.Error(err)
	}
	if w.Sends > 2*10*60/5+20 {
		t.Errorf("%d messages in ten minutes", w.Sends)
	}
	t.Logf("%d messages in ten minutes", w.Sends)
}

func TestDeadPeersAreProbedSeldomAndNeverDialled(t *testing.T) {
	for _, silent := range []bool{false, true} {
		w := newWorld(t, 7, 30, ring(30))
		w.Silent = silent
		w.Grow(time.Millisecond)
		w.Run(30 * time.Second)
		for i := range 10 {
			w.Crash(i)
		}
		w.Run(10 * time.Minute)
		for _, p := range w.Alive() {
			for _, n := range p.Core.Neighbors() {
				if !w.Place(n.Addr()).Runs() {
					t.Errorf("%v has the dead neighbor %v", p.Node, n)
				}
			}
		}
		most := 0
		for i := range 10 {
			most = max(most, w.Probes[topology.PlaceName(i)])
			if n := w.Dials[w.Places[i].Node]; n > 0 {
				t.Errorf("%d dials of the dead %v", n, w.Places[i].Node)
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
	w.Grow(0)
	w.Run(time.Minute)
	if w.Sends > 0 {
		t.Fatal("nodes without peers have sent something")
	}
	for i, j := range []int{1, 0} {
		w.Tell(i, w.Places[i].Node, overlay.Join{Addrs: []string{topology.PlaceName(j)}})
	}
	w.Run(5 * time.Second)
	if got := w.Places[0].Core.Neighbors(); !slices.Equal(got, []overlay.Node{w.Places[1].Node}) {
		t.Errorf("neighbors %v", got)
	}
}

func TestSameSeedGivesSameTranscript(t *testing.T) {
	play := func(seed uint64) string {
		w := newWorld(t, seed, 30, ring(30))
		w.Trace, w.Known, w.Loss = &strings.Builder{}, true, 30
		w.Grow(time.Millisecond)
		w.Run(10 * time.Second)
		w.Crash(3)
		w.Leave(4)
		w.Run(20 * time.Second)
		return w.Trace.String()
	}
	first := play(9)
	if second := play(9); first != second {
		t.Error("two runs differ")
	}
	if len(first) < 10_000 || first == play(10) {
		t.Error("the transcript says nothing")
	}
}
