package clientserver

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/topos-go/topos/internal/sim/topology"
	"github.com/topos-go/topos/overlay"
)

func plain(int) Config { return Config{} }

// seeded configures node 0 as the one that the others begin with.
func seeded(i int) Config { return Config{Seeds: []string{topology.PlaceName(0)}} }

// given configures the last three of n as servers, the others as clients.
func given(n int) func(i int) Config {
	return func(i int) Config {
		cfg := Config{Role: Client, Seeds: []string{topology.PlaceName(n - 1), topology.PlaceName(n - 2)}}
		if i >= n-3 {
			cfg.Role = Server
		}
		return cfg
	}
}

// serving returns the nodes that are servers.
func (w *world) serving() []overlay.Node {
	var nodes []overlay.Node
	for _, p := range w.Alive() {
		if p.Core.Serving() {
			nodes = append(nodes, p.Node)
		}
	}
	return nodes
}

// healthy checks that all live nodes agree on the servers, which are few and many
// enough, that these are linked with each other, and each client with as many of
// them as it should be, and with nobody else.
func (w *world) healthy() error {
	if err := w.Sound(); err != nil {
		return err
	}
	servers, alive := w.serving(), w.Alive()
	cfg := alive[0].Core.cfg
	if n := len(servers); cfg.Role == Auto && (n < min(cfg.Servers, len(alive)) || cfg.MaxServers >= 0 && n > cfg.MaxServers) {
		return fmt.Errorf("%d servers of %d nodes", n, len(alive))
	}
	for _, p := range alive {
		if got := p.Core.Servers(); !slices.Equal(got, servers) {
			return fmt.Errorf("%v takes %v for the servers, which are %v", p.Node, got, servers)
		}
		linked := 0
		for _, n := range p.Core.Neighbors() {
			if slices.Contains(servers, n) {
				linked++
			} else if !p.Core.Serving() {
				return fmt.Errorf("the clients %v and %v are neighbors", p.Node, n)
			}
		}
		if p.Core.Serving() && linked != len(servers)-1 || !p.Core.Serving() && linked != min(p.Core.cfg.ClientLinks, len(servers)) {
			return fmt.Errorf("%v, serving %v, has %d servers of %d", p.Node, p.Core.Serving(), linked, len(servers))
		}
	}
	return nil
}

// cutOff returns how many clients have no server.
func (w *world) cutOff() int {
	n := 0
	for _, p := range w.Alive() {
		if !p.Core.Serving() && len(p.Core.Neighbors()) == 0 {
			n++
		}
	}
	return n
}

// load returns the most clients of a server, and the fair share.
func (w *world) load() (most int, fair float64) {
	servers, all := 0, 0
	for _, p := range w.Alive() {
		if p.Core.Serving() {
			_, clients := p.Core.count()
			servers, all, most = servers+1, all+clients, max(most, clients)
		}
	}
	return most, float64(all) / float64(max(servers, 1))
}

func (w *world) balanced(t *testing.T) string {
	most, fair := w.load()
	if float64(most) > 1.5*fair {
		t.Errorf("a server has %d clients, the fair share is %.1f", most, fair)
	}
	return fmt.Sprintf("%d servers, %d clients at most, fair share %.1f", len(w.serving()), most, fair)
}

func TestTwoHundredNodesSelectServersAndShareThem(t *testing.T) {
	seven := func(i int) Config { return Config{Servers: 7, Seeds: seeded(i).Seeds} }
	for name, world := range map[string]struct {
		nodes int
		cfg   func(int) Config
	}{"seeded": {200, seeded}, "met": {100, plain}, "seven": {100, seven}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 1, world.nodes, world.cfg)
			w.Known = true
			w.Grow(time.Millisecond)
			d := w.Until(time.Minute, 500*time.Millisecond, w.healthy)
			t.Logf("healthy %v after the last start, %s, %d messages", d, w.balanced(t), w.Sends)
			before := w.serving()
			w.Run(time.Minute)
			if err := w.healthy(); err != nil || !slices.Equal(before, w.serving()) {
				t.Errorf("a minute later: %v; servers %v, before %v", err, w.serving(), before)
			}
		})
	}
}

func TestGivenRolesAreKept(t *testing.T) {
	w := newWorld(t, 2, 150, given(150))
	w.Grow(time.Millisecond) // no directory: servers are named by those who refuse
	d := w.Until(time.Minute, 500*time.Millisecond, w.healthy)
	t.Logf("150 nodes, 3 of them servers by configuration: healthy after %v, %s", d, w.balanced(t))
	w.Crash(149)
	w.Crash(148)
	w.Crash(147)
	w.Run(5 * time.Minute)
	if n := w.cutOff(); n != 147 || len(w.serving()) != 0 {
		t.Errorf("without a server, %d clients are cut off, %v serve", n, w.serving())
	}
	w.Boot(148)
	w.Boot(147)
	w.Boot(149)
	d = w.Until(2*time.Minute, time.Second, w.healthy)
	t.Logf("all servers back after five minutes: healthy after %v", d)
}

// The clients of a server that crashes are linked to another after one dial; who
// takes its place is known a little later.
func TestClientsOfCrashedServerFailOverAtOnce(t *testing.T) {
	for _, silent := range []bool{false, true} {
		w := newWorld(t, 3, 150, func(i int) Config { return Config{Seeds: seeded(i).Seeds, ClientLinks: 1} })
		w.Known, w.Silent = true, silent
		w.Grow(time.Millisecond)
		w.Until(time.Minute, 500*time.Millisecond, w.healthy)
		stable := w.serving()
		victim := w.Place(stable[1].Addr())
		w.Crash(victim.Index)
		w.Run(60 * time.Millisecond) // all have noticed
		orphans := w.cutOff()
		// A dial takes up to 50 ms, the news of the link 50 ms more, question and
		// answer 100 ms.
		d := w.Until(5*time.Second, 10*time.Millisecond, func() error {
			if n := w.cutOff(); n > 0 {
				return fmt.Errorf("%d clients have no server", n)
			}
			return nil
		})
		if d > 250*time.Millisecond || orphans < 20 {
			t.Errorf("%d orphans have a server again after %v", orphans, d)
		}
		all := w.Until(30*time.Second, 500*time.Millisecond, w.healthy)
		kept := 0
		for _, n := range w.serving() {
			if slices.Contains(stable, n) {
				kept++
			}
		}
		if kept != 2 {
			t.Errorf("servers %v, before %v", w.serving(), stable)
		}
		t.Logf("silent %v: %d orphans have a server again after %v; a third server selected and healthy after %v, %s",
			silent, orphans, d, all, w.balanced(t))
	}
}

func TestAllServersCrashAndOthersAreSelected(t *testing.T) {
	for _, told := range []bool{true, false} {
		w := newWorld(t, 4, 100, seeded)
		w.Known = true
		w.Grow(time.Millisecond)
		w.Until(time.Minute, 500*time.Millisecond, w.healthy)
		w.Known = told
		for _, n := range w.serving() {
			w.Crash(w.Place(n.Addr()).Index)
		}
		w.Run(60 * time.Millisecond) // all have noticed
		d := w.Until(2*time.Minute, 500*time.Millisecond, func() error {
			if n := w.cutOff(); n > 0 {
				return fmt.Errorf("%d clients have no server", n)
			}
			return nil
		})
		all := w.Until(2*time.Minute, 500*time.Millisecond, w.healthy)
		t.Logf("told %v: all three servers of 100 nodes crash: nobody is cut off after %v, healthy after %v more, %s", told, d, all, w.balanced(t))
	}
}

// Newcomers, whatever their names, change nothing: who serves goes on.
func TestServersStayWhenOthersComeAndGo(t *testing.T) {
	w := newWorld(t, 5, 60, func(i int) Config { return Config{Seeds: []string{topology.PlaceName(40), topology.PlaceName(50)}} })
	w.Known = true
	for i := 30; i < 60; i++ {
		w.Boot(i)
		w.Run(10 * time.Millisecond)
	}
	w.Until(time.Minute, 500*time.Millisecond, w.healthy)
	before := w.serving()
	moved := 0
	for i := range 30 {
		w.Boot(i) // their names are less
		w.Run(time.Second)
		if n := w.Places[59-i]; i < 20 && !n.Core.Serving() {
			w.Crash(n.Index)
		}
		if !slices.Equal(w.serving(), before) {
			moved++
		}
	}
	w.Until(time.Minute, 500*time.Millisecond, w.healthy)
	if moved > 0 || !slices.Equal(w.serving(), before) {
		t.Errorf("servers %v, before %v", w.serving(), before)
	}
}

// Each part selects servers of its own. When they find together, as many stay as
// may: the others are clients again.
func TestPartsHaveServersAndAgreeWhenHealed(t *testing.T) {
	for _, most := range []int{0, 3} {
		w := newWorld(t, 6, 90, func(i int) Config { return Config{MaxServers: most, Seeds: []string{topology.PlaceName(i / 45 * 45)}} })
		w.Known = true
		w.Grow(time.Millisecond)
		w.Until(time.Minute, 500*time.Millisecond, w.healthy)
		w.Partition(func(a, b int) bool { return (a < 45) != (b < 45) })
		w.Run(30 * time.Second)
		if n := w.cutOff(); n > 0 {
			t.Errorf("%d clients are cut off within their part", n)
		}
		during := w.serving()
		if len(during) < 6 {
			t.Errorf("servers %v during the partition", during)
		}
		w.Run(3 * time.Minute)
		w.Heal(true)
		d := w.Until(3*time.Minute, time.Second, w.healthy)
		if n := len(w.serving()); n > max(most, 6-3*(most/3)) {
			t.Errorf("%d servers", n)
		}
		t.Logf("most %d: %d servers during the partition, %v after it: healthy, %s", most, len(during), d, w.balanced(t))
	}
}

func TestGraphIsSoundAfterChurnLossAndPartitions(t *testing.T) {
	for seed := range uint64(3) {
		w := newWorld(t, seed, 60, func(i int) Config { return Config{Seeds: []string{topology.PlaceName(0), topology.PlaceName(i / 2)}} })
		w.Known, w.Silent = true, seed == 1
		w.Grow(5 * time.Millisecond)
		w.Loss = 50
		for step := range 120 {
			i := w.Disturb()
			w.Run(300 * time.Millisecond)
			if step%40 == 20 {
				w.Partition(func(a, b int) bool { return (a < i) != (b < i) })
			} else if step%40 == 35 {
				w.Heal(true)
			}
		}
		w.Heal(true)
		w.Loss = 0
		d := w.Until(3*time.Minute, time.Second, w.healthy)
		t.Logf("seed %d: %d of 60 live: healthy %v after the faults, %d servers", seed, len(w.Alive()), d, len(w.serving()))
	}
}

func TestTheDeadAreDialledFewTimes(t *testing.T) {
	for _, told := range []bool{false, true} {
		w := newWorld(t, 7, 60, seeded)
		w.Known = true
		w.Grow(0)
		w.Until(time.Minute, 500*time.Millisecond, w.healthy)
		w.Known = told
		var dead []overlay.Node
		for i := 0; i < 60; i += 3 {
			dead = append(dead, w.Places[i].Node)
			w.Crash(i)
		}
		count := func() (most int) {
			for _, n := range dead {
				most = max(most, w.Dials[n])
			}
			return most
		}
		w.Run(2 * time.Minute)
		first := count()
		w.Run(20 * time.Minute)
		later := count()
		w.Run(10 * time.Minute)
		if told && (later > first || later > 40*6) || count() > later || later > 40*(10+40) {
			t.Errorf("told %v: up to %d dials of a dead node in two minutes, %d in twenty, then %d", told, first, later, count())
		}
		t.Logf("told %v: up to %d dials of a dead node by 40 others in two minutes, %d in twenty, none after that", told, first, later)
	}
}

func TestNodesThatLeaveAreReplaced(t *testing.T) {
	w := newWorld(t, 8, 40, seeded)
	w.Known = true
	w.Grow(0)
	w.Until(time.Minute, 500*time.Millisecond, w.healthy)
	for range 4 {
		w.Leave(w.Place(w.serving()[0].Addr()).Index)
		w.Run(100 * time.Millisecond)
		for _, p := range w.Alive() {
			for _, n := range p.Core.Neighbors() {
				if !w.Live(w.Place(n.Addr()), n) {
					t.Errorf("%v has %v, which has left", p.Node, n)
				}
			}
		}
		w.Until(time.Minute, 500*time.Millisecond, w.healthy)
	}
}

func TestSameSeedGivesSameTranscript(t *testing.T) {
	play := func(seed uint64) string {
		w := newWorld(t, seed, 30, seeded)
		w.Trace, w.Known, w.Loss = &strings.Builder{}, true, 30
		w.Grow(time.Millisecond)
		w.Run(10 * time.Second)
		w.Crash(0)
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
