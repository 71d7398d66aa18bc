package gossip

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/topos-go/topos/internal/sim/topology"
)

func plain(int) Config { return Config{} }

// seeded configures node 0 as the one that the others begin with.
func seeded(i int) Config { return Config{Seeds: []string{topology.PlaceName(0)}} }

// parts returns the sizes of the graph's connected parts, the largest first.
func (w *world) parts() []int {
	part := make([]int, len(w.Places)) // 0 is not seen yet
	var sizes []int
	for _, p := range w.Alive() {
		if part[p.Index] != 0 {
			continue
		}
		sizes = append(sizes, 0)
		todo := []*topology.Place[*Core]{p}
		part[p.Index] = len(sizes)
		for len(todo) > 0 {
			p, todo = todo[0], todo[1:]
			sizes[len(sizes)-1]++
			for _, n := range p.Core.Neighbors() {
				if q := w.Place(n.Addr()); w.Live(q, n) && part[q.Index] == 0 {
					part[q.Index] = len(sizes)
					todo = append(todo, q)
				}
			}
		}
	}
	slices.Sort(sizes)
	slices.Reverse(sizes)
	return sizes
}

// degrees returns the fewest, the mean and the most neighbors.
func (w *world) degrees() (least int, mean float64, most int) {
	alive := w.Alive()
	least = math.MaxInt
	for _, p := range alive {
		n := len(p.Core.Neighbors())
		least, mean, most = min(least, n), mean+float64(n)/float64(len(alive)), max(most, n)
	}
	return least, mean, most
}

// healthy checks that the live nodes are one symmetric graph of bounded degree.
func (w *world) healthy() error {
	if err := w.Sound(); err != nil {
		return err
	}
	if parts := w.parts(); len(parts) > 1 {
		return fmt.Errorf("parts of %v", parts)
	}
	for _, p := range w.Alive() {
		if n, f := len(p.Core.Neighbors()), p.Core.Fanout(); n < min(f, len(w.Alive())-1) || n > 2*f {
			return fmt.Errorf("%v has %d neighbors, with a fanout of %d", p.Node, n, f)
		}
	}
	return nil
}

func (w *world) summary() string {
	least, mean, most := w.degrees()
	return fmt.Sprintf("degrees %d to %d, %.1f on average", least, most, mean)
}

func TestThreeHundredNodesSurviveHalfOfThem(t *testing.T) {
	w := newWorld(t, 1, 300, seeded)
	w.Known = true
	w.Grow(2 * time.Millisecond)
	formed := w.Until(time.Minute, 200*time.Millisecond, w.healthy)
	before := w.summary()
	if _, _, most := w.degrees(); most > 2*8 {
		t.Errorf("%d neighbors", most)
	}
	w.Known = false // nobody tells of the dead
	for _, i := range w.Rng.Perm(300)[:150] {
		w.Crash(i)
	}
	w.Run(200 * time.Millisecond)
	atOnce := w.parts()
	sends := w.Sends
	connected := w.Until(10*time.Second, 100*time.Millisecond, func() error {
		if parts := w.parts(); len(parts) > 1 {
			return fmt.Errorf("parts of %v", parts)
		}
		return nil
	})
	d := w.Until(2*time.Minute, 100*time.Millisecond, w.healthy)
	t.Logf("300 nodes: %v after the last start, %s; half crash: parts of %v after 200 ms, connected after %v, all with their fanout after %v, %s, %d messages",
		formed, before, atOnce, connected, d, w.summary(), w.Sends-sends)
}

func TestGraphIsConnectedForHundredSeeds(t *testing.T) {
	worst, worstCrash, cut := time.Duration(0), time.Duration(0), 0
	for seed := range uint64(100) {
		w := newWorld(t, seed, 32, plain)
		w.Known = true
		w.Grow(0)
		worst = max(worst, w.Until(20*time.Second, 200*time.Millisecond, w.healthy))
		for _, i := range w.Rng.Perm(32)[:16] {
			w.Crash(i)
		}
		if len(w.parts()) > 1 {
			cut++
		}
		worstCrash = max(worstCrash, w.Until(30*time.Second, 200*time.Millisecond, w.healthy))
	}
	t.Logf("100 worlds of 32: healthy within %v; half crash: %d are in parts that moment, healthy within %v", worst, cut, worstCrash)
}

// Without a directory, nodes learn of each other by what neighbors name.
func TestNodesWithOneSeedAndNoDirectoryBecomeOneGraph(t *testing.T) {
	w := newWorld(t, 3, 100, seeded)
	w.Loss = 20
	w.Grow(5 * time.Millisecond)
	w.Loss = 0
	d := w.Until(2*time.Minute, time.Second, w.healthy)
	t.Logf("100 nodes through one seed: healthy after %v, %s", d, w.summary())
	w.Run(10 * time.Minute)
	w.Until(time.Second, 20*time.Millisecond, w.healthy) // but for what is under way
}

// Nobody tells that the partition has healed: the faded ones are probed.
func TestPartitionHealsWithoutAnybodysHelp(t *testing.T) {
	for _, told := range []bool{false, true} {
		w := newWorld(t, 4, 60, plain)
		w.Known = true
		w.Grow(0)
		w.Until(20*time.Second, 200*time.Millisecond, w.healthy)
		w.Partition(func(a, b int) bool { return (a < 20) != (b < 20) })
		w.Run(15 * time.Minute)
		if parts := w.parts(); !slices.Equal(parts, []int{40, 20}) {
			t.Fatalf("parts of %v", parts)
		}
		w.Heal(told)
		w.Known = told
		d := w.Until(2*time.Minute, time.Second, w.healthy)
		w.Run(10 * time.Minute)
		mixed, all := 0, 0
		for _, p := range w.Alive() {
			for _, n := range p.Core.Neighbors() {
				all++
				if (p.Index < 20) != (w.Place(n.Addr()).Index < 20) {
					mixed++
				}
			}
		}
		// In a random graph, 2·(1/3)·(2/3) = 44 % of the relations are across.
		if share := float64(mixed) / float64(all); share < 0.25 {
			t.Errorf("only %.0f %% of the neighbors are across after ten minutes", 100*share)
		}
		t.Logf("told %v: one graph %v after a quarter of an hour of partition; %d of %d neighbors are across ten minutes later", told, d, mixed, all)
	}
}

// What is known of the graph at one time says little of it later.
func TestSampleIsAnotherOneAfterSomeRefreshes(t *testing.T) {
	w := newWorld(t, 5, 60, plain)
	w.Known = true
	w.Grow(0)
	w.Until(20*time.Second, 200*time.Millisecond, w.healthy)
	kept, all := 0, 0
	before := make(map[int][]string)
	for _, p := range w.Alive() {
		for _, n := range p.Core.Neighbors() {
			before[p.Index] = append(before[p.Index], n.Name)
		}
	}
	changes := w.Sends
	w.Run(20 * DefaultRefresh)
	w.Until(time.Second, 20*time.Millisecond, w.healthy) // but for what is under way
	for _, p := range w.Alive() {
		for _, n := range p.Core.Neighbors() {
			all++
			if slices.Contains(before[p.Index], n.Name) {
				kept++
			}
		}
	}
	if kept*2 > all {
		t.Errorf("%d of %d neighbors are the same after 20 refreshes", kept, all)
	}
	t.Logf("%d of %d neighbors are the same after 20 refreshes, %s, %.1f messages a node and refresh",
		kept, all, w.summary(), float64(w.Sends-changes)/60/20)
}

func TestGraphIsSoundAfterChurnLossAndPartitions(t *testing.T) {
	for seed := range uint64(2) {
		w := newWorld(t, seed, 80, seeded)
		w.Known, w.Silent = true, seed == 1
		w.Grow(5 * time.Millisecond)
		w.Loss = 50
		for step := range 150 {
			i := w.Disturb()
			w.Run(300 * time.Millisecond)
			if step%50 == 20 {
				w.Partition(func(a, b int) bool { return (a < i) != (b < i) })
			} else if step%50 == 40 {
				w.Heal(seed == 0)
			}
		}
		w.Heal(true)
		w.Loss = 0
		d := w.Until(3*time.Minute, time.Second, w.healthy)
		t.Logf("seed %d: %d of 80 live: healthy %v after the faults, %s", seed, len(w.Alive()), d, w.summary())
	}
}

func TestTheDeadAreDialledFewTimes(t *testing.T) {
	for _, told := range []bool{false, true} {
		w := newWorld(t, 6, 60, plain)
		w.Known = true
		w.Grow(0)
		w.Until(20*time.Second, 200*time.Millisecond, w.healthy)
		w.Known = told
		for i := range 20 {
			w.Crash(i)
		}
		w.Run(10 * time.Minute)
		most, probes := 0, 0
		for i := range 20 {
			most, probes = max(most, w.Dials[w.Places[i].Node]), max(probes, w.Probes[topology.PlaceName(i)])
		}
		if limit := 40 * DefaultAttempts; most > limit {
			t.Errorf("%d dials of a dead node by 40 others", most)
		}
		// 40 nodes probe one of 20 each every 30 s.
		if limit := 40 * 20 / 20 * 2; probes > limit || probes == 0 {
			t.Errorf("%d probes of a dead node", probes)
		}
		sends, dials := w.Sends, most
		w.Run(5 * time.Minute)
		for i := range 20 {
			most = max(most, w.Dials[w.Places[i].Node])
		}
		if told && most > dials || most > 40*DefaultAttempts {
			t.Error("the dead are still dialled")
		}
		t.Logf("told %v: up to %d dials and %d probes of a dead node by 40 others in ten minutes, %d messages, then up to %d dials in a quarter of an hour",
			told, dials, probes, sends, most)
	}
}

// One node with a lost network is one again when that is back.
func TestLonelyNodeFindsTheOthersAgain(t *testing.T) {
	w := newWorld(t, 7, 30, plain)
	w.Known = true
	w.Grow(0)
	w.Until(20*time.Second, 200*time.Millisecond, w.healthy)
	w.Known = false
	w.Partition(func(a, b int) bool { return (a == 0) != (b == 0) })
	w.Run(time.Hour)
	if n := len(w.Places[0].Core.Neighbors()); n > 0 {
		t.Fatalf("%d neighbors", n)
	}
	w.Heal(false)
	d := w.Until(time.Minute, 100*time.Millisecond, w.healthy)
	t.Logf("found them after %v", d)
}

func TestNodesThatLeaveAreGoneAtOnce(t *testing.T) {
	w := newWorld(t, 8, 30, plain)
	w.Known = true
	w.Grow(0)
	w.Until(20*time.Second, 200*time.Millisecond, w.healthy)
	w.Known = false // only the leaver itself says so
	for i := range 10 {
		w.Leave(i)
	}
	w.Run(time.Second)
	for _, p := range w.Alive() {
		for _, n := range p.Core.Neighbors() {
			if !w.Live(w.Place(n.Addr()), n) {
				t.Errorf("%v has %v, which has left", p.Node, n)
			}
		}
	}
	if d := w.Until(time.Minute, 100*time.Millisecond, w.healthy); d > 5*time.Second {
		t.Errorf("the others are well only after %v", d)
	}
}

func TestSameSeedGivesSameTranscript(t *testing.T) {
	play := func(seed uint64) string {
		w := newWorld(t, seed, 30, seeded)
		w.Trace, w.Known, w.Loss = &strings.Builder{}, true, 30
		w.Grow(time.Millisecond)
		w.Run(10 * time.Second)
		w.Crash(3)
		w.Leave(4)
		w.Run(time.Minute)
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
