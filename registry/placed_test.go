package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/registry/internal/hub"
	"github.com/topos-go/topos/supervisor"
)

// diary is what a placement has told, on all nodes.
type diary struct {
	mu     sync.Mutex
	events []string
	at     []time.Time
}

func (d *diary) observe(node actor.NodeID) func(PlacementEvent) {
	return func(e PlacementEvent) {
		d.mu.Lock()
		defer d.mu.Unlock()
		short, _, _ := strings.Cut(node.Name, "@")
		d.events = append(d.events, strings.TrimSpace(fmt.Sprint(short, " ", e.Child, " ", e.Kind)))
		d.at = append(d.at, time.Now())
	}
}

// count is how many events there were whose text has all of parts.
func (d *diary) count(parts ...string) (n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range d.events {
		if !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(e, part) }) {
			n++
		}
	}
	return n
}

func (d *diary) String() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return strings.Join(d.events, "\n")
}

// place starts the placement of a node and declares children.
func (p *place) place(t *testing.T, cfg PlacementConfig, children ...Child) {
	t.Helper()
	cfg.Cluster = p.end
	if _, err := supervisor.Spawn(t.Context(), p.sys, supervisor.Spec{Children: []supervisor.ChildSpec{{
		ID: "placement", Type: supervisor.Supervisor, Shutdown: supervisor.Infinity, Start: StartPlacement(cfg),
	}}}); err != nil {
		t.Fatal(err)
	}
	if err := Declare(t.Context(), p.sys, children...); err != nil {
		t.Fatal(err)
	}
}

// till is a placed child that counts: its state is handed over and merged.
type till struct {
	census *census
	tenure Tenure
	sum    string
}

type (
	pay   struct{ what string }
	total struct{}
)

func (c *till) Init(self *actor.Self) error {
	c.census.count(c.tenure.Child, self.System().Node(), 1)
	c.census.enter(c.tenure)
	c.sum = string(c.tenure.State)
	return nil
}

func (c *till) Receive(self *actor.Self, msg any) error {
	switch m := msg.(type) {
	case pay:
		c.sum += m.what
	case total:
		return self.Reply(c.sum)
	case crash:
		return errors.New("crashed")
	}
	return nil
}

func (c *till) Terminate(self *actor.Self, _ error) {
	c.census.count(c.tenure.Child, self.System().Node(), -1)
}

// enter notes a tenure.
func (c *census) enter(tenure Tenure) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tenures = append(c.tenures, tenure)
}

// tills are n children of that kind.
func (c *census) tills(n int, change func(*Child)) (children []Child) {
	for i := range n {
		child := Child{Spec: supervisor.ChildSpec{
			ID: citizenID(i),
			Start: actor.StartWith(func(args ...any) actor.Actor {
				return &till{census: c, tenure: args[len(args)-1].(Tenure)}
			}),
		}, Handoff: handTill{}}
		if change != nil {
			change(&child)
		}
		children = append(children, child)
	}
	return children
}

// handTill is the Handoff of tills.
type handTill struct{}

func (handTill) Give(ctx context.Context, from actor.Caller, instance actor.PID) ([]byte, error) {
	sum, err := actor.Call[string](ctx, from, instance, total{})
	return []byte(sum), err
}

func (handTill) Merge(ctx context.Context, from actor.Caller, instance actor.PID, state []byte) error {
	_, err := actor.Call[string](ctx, from, instance, total{})
	return errors.Join(err, from.(*actor.System).Send(instance, pay{string(state)}))
}

// sum asks a child, wherever it runs, for its state.
func (p *place) sum(t *testing.T, h *hub.Hub, id string, all ...*place) string {
	t.Helper()
	pid, err := Locate(t.Context(), p.sys, id)
	if err != nil {
		t.Fatalf("%s: %v", id, err)
	}
	for _, q := range all {
		if q.id == pid.Node() {
			sum, err := actor.Call[string](t.Context(), q.sys, pid, total{})
			if err != nil {
				t.Fatalf("%s: %v", id, err)
			}
			return sum
		}
	}
	t.Fatalf("%s runs on %v", id, pid)
	return ""
}

func (p *place) send(t *testing.T, id, what string) {
	t.Helper()
	pid, err := Locate(t.Context(), p.sys, id)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.sys.Send(pid, pay{what}); err != nil {
		t.Fatal(err)
	}
}

func TestChildThatMovesTakesItsStateAlong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c, d := newHub(t), newCensus(), new(diary)
		a := join(t, h, 1)
		a.place(t, PlacementConfig{Observe: d.observe(a.id)}, c.tills(citizens, nil)...)
		time.Sleep(settled)
		for i := range citizens {
			a.send(t, citizenID(i), fmt.Sprint("paid", i))
		}
		b := join(t, h, 2)
		b.place(t, PlacementConfig{Observe: d.observe(b.id)}, c.tills(citizens, nil)...)
		time.Sleep(2 * settled)
		c.wantOne(t, a, b)
		moved := 0
		for i := range citizens {
			if got, want := b.sum(t, h, citizenID(i), a, b), fmt.Sprint("paid", i); got != want {
				t.Errorf("%s has %q, want %q", citizenID(i), got, want)
			}
			moved += len(c.where(citizenID(i))) - 1
			for _, n := range c.most {
				if n > 1 {
					t.Errorf("%d instances ran at once", n)
				}
			}
		}
		given, taken := d.count("n1", "state given"), d.count("n2", "state taken")
		if given == 0 || given != taken || given != d.count("n1", "stopped") {
			t.Errorf("%d states given, %d taken:\n%v", given, taken, d)
		}
	})
}

func TestInstancesOfTwoSidesAreMergedWhenTheyMeet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c, d := newHub(t), newCensus(), new(diary)
		a, b := join(t, h, 1), join(t, h, 2)
		for _, p := range []*place{a, b} {
			p.place(t, PlacementConfig{Observe: d.observe(p.id)}, c.tills(citizens, nil)...)
		}
		time.Sleep(settled)
		isolate(h, a.id)
		time.Sleep(settled)
		for i := range citizens {
			a.send(t, citizenID(i), "a")
			b.send(t, citizenID(i), "b")
		}
		synctest.Wait()
		views := make(map[string]map[uint64]bool)
		for _, tenure := range c.tenures {
			if views[tenure.Child] == nil {
				views[tenure.Child] = make(map[uint64]bool)
			}
			views[tenure.Child][tenure.View] = true
		}
		for id, seen := range views {
			if len(seen) != 2 {
				t.Errorf("the instances of %s have %d views", id, len(seen))
			}
		}
		h.Split(nil)
		time.Sleep(2 * settled)
		c.wantOne(t, a, b)
		for i := range citizens {
			if got := a.sum(t, h, citizenID(i), a, b); got != "ab" && got != "ba" {
				t.Errorf("%s has %q", citizenID(i), got)
			}
		}
		if n := d.count("state merged"); n != citizens {
			t.Errorf("%d states were merged:\n%v", n, d)
		}
		if d.count("duplicate found") < citizens {
			t.Errorf("duplicates were not told:\n%v", d)
		}
	})
}

func TestStateThatCannotBeGivenDoesNotKeepAChildFromMoving(t *testing.T) {
	for name, handoff := range map[string]Handoff{
		"error": badHandoff{err: errors.New("no")}, "panic": badHandoff{panics: true},
		"too large": badHandoff{size: DefaultMaxState + 1}, "stuck": badHandoff{stuck: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, c, d := newHub(t), newCensus(), new(diary)
				bad := func(child *Child) { child.Handoff = handoff }
				a := join(t, h, 1)
				a.place(t, PlacementConfig{Observe: d.observe(a.id)}, c.tills(citizens, bad)...)
				time.Sleep(settled)
				b := join(t, h, 2)
				b.place(t, PlacementConfig{Observe: d.observe(b.id)}, c.tills(citizens, bad)...)
				time.Sleep(2*settled + DefaultHandoffTimeout)
				c.wantOne(t, a, b)
				if d.count("n1", "state lost") == 0 {
					t.Errorf("nobody was told:\n%v", d)
				}
			})
		})
	}
}

// badHandoff is one that fails in some way.
type badHandoff struct {
	err    error
	panics bool
	size   int
	stuck  bool
}

func (b badHandoff) Give(ctx context.Context, _ actor.Caller, _ actor.PID) ([]byte, error) {
	if b.panics {
		panic("no state")
	}
	if b.stuck {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return make([]byte, b.size), b.err
}

func (b badHandoff) Merge(context.Context, actor.Caller, actor.PID, []byte) error { return b.err }

func TestChildRunsOnlyWhereItsLabelsAreAndMovesWithThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c := newHub(t), newCensus()
		var mu sync.Mutex
		zones := map[actor.NodeID]string{testNode(1): "eu", testNode(2): "us", testNode(3): "us"}
		var all []*place
		for i := range 3 {
			p := join(t, h, i+1)
			all = append(all, p)
			attributes := func() Attributes {
				mu.Lock()
				defer mu.Unlock()
				return Attributes{Labels: map[string]string{"zone": zones[p.id]}}
			}
			p.place(t, PlacementConfig{Attributes: attributes},
				c.tills(citizens, func(child *Child) { child.Requires = map[string]string{"zone": "eu"} })...)
		}
		time.Sleep(settled)
		c.wantOne(t, all[0])
		mu.Lock()
		zones[testNode(1)], zones[testNode(3)] = "us", "eu"
		mu.Unlock()
		time.Sleep(pollInterval + 2*settled)
		c.wantOne(t, all[2])
	})
}

func TestHeavierNodeGetsMoreChildren(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c := newHub(t), newCensus()
		const children = 200
		for i, weight := range []float64{1, 4, -1} {
			p := join(t, h, i+1)
			p.place(t, PlacementConfig{Attributes: func() Attributes { return Attributes{Weight: weight} }}, c.tills(children, nil)...)
		}
		time.Sleep(settled)
		count := make(map[actor.NodeID]int)
		for i := range children {
			for _, node := range c.where(citizenID(i)) {
				count[node]++
			}
		}
		if n := count[testNode(2)]; n < 140 || n > 180 || count[testNode(1)] != children-n {
			t.Errorf("%v of %d children with weights 1, 4 and none", count, children)
		}
	})
}

func TestDrainedNodeHasGivenAwayEverythingBeforeItLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c, d := newHub(t), newCensus(), new(diary)
		a, b, e := join(t, h, 1), join(t, h, 2), join(t, h, 3)
		for _, p := range []*place{a, b, e} {
			p.place(t, PlacementConfig{Observe: d.observe(p.id), Moves: 2}, c.tills(citizens, nil)...)
		}
		time.Sleep(settled)
		for i := range citizens {
			for _, p := range []*place{a, b, e} {
				if pid, err := Locate(t.Context(), p.sys, citizenID(i)); err == nil && pid.Node() == p.id {
					p.send(t, citizenID(i), "x")
				}
			}
		}
		if err := Drain(t.Context(), a.sys); err != nil {
			t.Fatal(err)
		}
		c.wantOne(t, b, e)
		for i := range citizens {
			if got := a.sum(t, h, citizenID(i), b, e); got != "x" {
				t.Errorf("%s has %q", citizenID(i), got)
			}
		}
		// With nobody to take over there is nothing to wait for.
		h.Kill(a.id)
		h.Kill(b.id)
		time.Sleep(settled)
		if err := Drain(t.Context(), e.sys); err != nil {
			t.Fatal(err)
		}
		if len(c.where(citizenID(0))) == 0 {
			t.Error("the last node gave its children away to nobody")
		}
	})
}

func TestNoMoreChildrenAreOnTheMoveThanAllowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c := newHub(t), newCensus()
		h.Latency(5*time.Millisecond, 0, 0)
		const children, moves = 60, 3
		a := join(t, h, 1)
		a.place(t, PlacementConfig{Moves: moves}, c.tills(children, nil)...)
		time.Sleep(settled)
		b := join(t, h, 2)
		b.place(t, PlacementConfig{Moves: moves}, c.tills(children, nil)...)
		least := children
		for range 5000 {
			time.Sleep(time.Millisecond)
			up := 0
			for i := range children {
				up += len(c.where(citizenID(i)))
			}
			least = min(least, up)
		}
		c.mu.Lock()
		started := c.started - children
		c.mu.Unlock()
		if least < children-moves || started < 10 {
			t.Errorf("%d of %d children ran at the worst, %d moved", least, children, started)
		}
	})
}

func TestChildThatIsDeclaredOnTwoNodesAtTheSameMomentIsStartedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c := newHub(t), newCensus()
		h.Latency(100*time.Millisecond, 0, 0)
		a, b := join(t, h, 1), join(t, h, 2)
		a.place(t, PlacementConfig{})
		b.place(t, PlacementConfig{})
		time.Sleep(4 * settled)
		for _, p := range []*place{a, b} { // neither knows of the other's yet
			if err := Declare(t.Context(), p.sys, c.tills(citizens, nil)...); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(4 * settled)
		c.wantOne(t, a, b)
		if n := c.starts(); n != citizens {
			t.Errorf("%d starts of %d children", n, citizens)
		}
	})
}

func TestMistakesInAPlacementAreReportedTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := join(t, newHub(t), 1)
		cfg := PlacementConfig{Settle: -1, Moves: -1, Restarts: -1, MaxState: -1, HandoffTimeout: -1, FirstRest: -1, LongestRest: -1, Drift: 2}
		_, err := supervisor.Spawn(t.Context(), a.sys, supervisor.Spec{Children: []supervisor.ChildSpec{{ID: "p", Start: StartPlacement(cfg)}}})
		if err == nil || strings.Count(err.Error(), "PlacementConfig.") != 9 {
			t.Errorf("nine mistakes: %v", err)
		}
	})
}
