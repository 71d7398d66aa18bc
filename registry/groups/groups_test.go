package groups_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/registry/groups"
	"github.com/topos-go/topos/registry/internal/hub"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a cluster of nodes that have groups.
type world struct {
	t   *testing.T
	hub *hub.Hub
}

// node is one of them.
type node struct {
	*groups.Groups
	t   *testing.T
	id  actor.NodeID
	sys *actor.System
}

// inWorld runs f in a bubble.
func inWorld(t *testing.T, f func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, hub: hub.New(1)}
		t.Cleanup(w.hub.Close)
		f(t, w)
	})
}

func nodeID(i int) actor.NodeID {
	return actor.NodeID{Name: fmt.Sprintf("n%d@host:%d", i, i), Incarnation: actor.Incarnation{Boot: 1, Unique: "u"}}
}

func (w *world) node(i int) *node {
	w.t.Helper()
	n := &node{t: w.t, id: nodeID(i)}
	sys, err := actor.NewSystem(actor.Config{Node: n.id})
	if err != nil {
		w.t.Fatal(err)
	}
	end := w.hub.Join(n.id)
	g, err := groups.Start(w.t.Context(), groups.Config{System: sys, Cluster: end})
	if err != nil {
		w.t.Fatal(err)
	}
	end.Open()
	n.sys, n.Groups = sys, g
	w.t.Cleanup(func() {
		g.Close()
		sys.Close(context.Background())
	})
	return n
}

func (n *node) spawn() actor.PID {
	n.t.Helper()
	pid, err := n.sys.Spawn(n.t.Context(), actor.Func(func(*actor.Self, any) error { return nil }))
	if err != nil {
		n.t.Fatal(err)
	}
	return pid
}

func (n *node) join(group string, pid actor.PID, pairs ...string) {
	n.t.Helper()
	var metadata map[string]string
	if len(pairs) > 0 {
		metadata = map[string]string{pairs[0]: pairs[1]}
	}
	if err := n.Join(group, pid, metadata); err != nil {
		n.t.Fatal(err)
	}
}

// pids are the members' in the order given.
func pids(members []groups.Member) []actor.PID {
	var all []actor.PID
	for _, m := range members {
		all = append(all, m.PID)
	}
	return all
}

// expect checks what nodes see of a group, when all has settled.
func expect(t *testing.T, group string, want []actor.PID, nodes ...*node) {
	t.Helper()
	synctest.Wait()
	for _, n := range nodes {
		if got := pids(n.Members(group)); !slices.Equal(got, want) {
			t.Errorf("%s sees %v in %q, want %v", n.id.Name, got, group, want)
		}
	}
}

func TestMembersAreSeenOnEveryNode(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b := w.node(1), w.node(2)
		p, q := a.spawn(), b.spawn()
		a.join("g", p, "zone", "eu")
		b.join("g", q)
		synctest.Wait()
		c := w.node(3) // comes later
		expect(t, "g", []actor.PID{p, q}, a, b, c)
		if got := c.Members("g")[0].Metadata["zone"]; got != "eu" {
			t.Errorf("metadata is %q", got)
		}
		if got := pids(b.LocalMembers("g")); !slices.Equal(got, []actor.PID{q}) {
			t.Errorf("local members are %v", got)
		}
		if got := c.Which(); !slices.Equal(got, []string{"g"}) {
			t.Errorf("groups are %v", got)
		}
	})
}

func TestProcessThatJoinsTwiceLeavesTwice(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b := w.node(1), w.node(2)
		p := a.spawn()
		a.join("g", p, "k", "1")
		a.join("g", p, "k", "2")
		expect(t, "g", []actor.PID{p, p}, a, b)
		if err := a.Leave("g", p); err != nil {
			t.Error(err)
		}
		expect(t, "g", []actor.PID{p}, a, b)
		if got := b.Members("g")[0].Metadata["k"]; got != "1" {
			t.Errorf("what is left has %q, want the first", got)
		}
		if err := a.Leave("g", p); err != nil {
			t.Error(err)
		}
		expect(t, "g", nil, a, b)
		if err := a.Leave("g", p); !errors.Is(err, groups.ErrNotMember) {
			t.Errorf("a third leave: %v", err)
		}
		if got := b.Which(); len(got) != 0 {
			t.Errorf("groups are %v", got)
		}
	})
}

func TestDeadProcessLeavesAllItsGroups(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b := w.node(1), w.node(2)
		p, q := a.spawn(), a.spawn()
		a.join("g", p)
		a.join("g", p)
		a.join("h", p)
		a.join("g", q)
		expect(t, "g", []actor.PID{p, p, q}, a, b)
		_ = a.sys.Kill(p)
		expect(t, "g", []actor.PID{q}, a, b)
		expect(t, "h", nil, a, b)
		if err := a.Join("g", p, nil); !errors.Is(err, actor.ErrNoProc) {
			t.Errorf("a dead process joins: %v", err)
		}
	})
}

func TestMembersOfALostNodeLeaveAndComeBackWithIt(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b := w.node(1), w.node(2)
		p, q, gone := a.spawn(), b.spawn(), a.spawn()
		a.join("g", p)
		a.join("g", gone)
		b.join("g", q)
		expect(t, "g", []actor.PID{p, gone, q}, a, b)
		w.hub.Split(func(n actor.NodeID) int {
			if n == a.id {
				return 1
			}
			return 0
		})
		expect(t, "g", []actor.PID{p, gone}, a)
		expect(t, "g", []actor.PID{q}, b)
		_ = a.sys.Kill(gone)
		r := a.spawn()
		a.join("g", r)
		synctest.Wait()
		var seen []actor.PID
		defer b.Watch("g", func(e groups.Event) { seen = append(seen, pids(e.Joined)...) })()
		w.hub.Split(nil)
		expect(t, "g", []actor.PID{p, r, q}, a, b)
		if slices.Contains(seen, gone) {
			t.Error("who had left beyond the partition was back for a moment")
		}
	})
}

func TestKilledNodeTakesItsMembersAlong(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b := w.node(1), w.node(2)
		p, q := a.spawn(), b.spawn()
		a.join("g", p)
		b.join("g", q)
		expect(t, "g", []actor.PID{p, q}, a, b)
		w.hub.Kill(a.id)
		expect(t, "g", []actor.PID{q}, b)
	})
}

// log is what a watcher has seen.
type log struct {
	mu   sync.Mutex
	text []string
	has  map[actor.PID]int
}

func (l *log) see(e groups.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.has == nil {
		l.has = make(map[actor.PID]int)
	}
	for _, m := range e.Joined {
		l.has[m.PID]++
	}
	for _, m := range e.Left {
		l.has[m.PID]--
	}
	l.text = append(l.text, fmt.Sprintf("%s +%d -%d", e.Group, len(e.Joined), len(e.Left)))
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.text, "; ")
}

func TestWatcherSeesWhoIsThereAndEveryChange(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b := w.node(1), w.node(2)
		p, q := a.spawn(), b.spawn()
		a.join("g", p)
		synctest.Wait()
		var one, all log
		cancel := b.Watch("g", one.see)
		cancelAll := b.WatchAll(all.see)
		defer cancelAll()
		b.join("g", q)
		b.join("h", q)
		synctest.Wait()
		_ = a.sys.Kill(p)
		synctest.Wait()
		if got, want := one.String(), "g +1 -0; g +1 -0; g +0 -1"; got != want {
			t.Errorf("watcher saw %q, want %q", got, want)
		}
		if got, want := all.String(), "g +1 -0; g +1 -0; h +1 -0; g +0 -1"; got != want {
			t.Errorf("watcher of all saw %q, want %q", got, want)
		}
		cancel()
		b.join("g", q)
		synctest.Wait()
		if got := one.String(); strings.Count(got, ";") != 2 {
			t.Errorf("after cancel it saw %q", got)
		}
	})
}

func TestMonitoringProcessGetsMessagesUntilItEnds(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b := w.node(1), w.node(2)
		p := a.spawn()
		a.join("g", p)
		synctest.Wait()
		var got log
		watcher, err := b.sys.Spawn(t.Context(), actor.Func(func(_ *actor.Self, msg any) error {
			got.see(msg.(groups.Event))
			return nil
		}))
		if err != nil {
			t.Fatal(err)
		}
		members, _, err := b.Monitor("g", watcher)
		if err != nil || !slices.Equal(pids(members), []actor.PID{p}) {
			t.Fatalf("Monitor = %v, %v", members, err)
		}
		_ = a.Leave("g", p)
		synctest.Wait()
		if got := got.String(); got != "g +0 -1" {
			t.Errorf("it got %q", got)
		}
		var letters int
		defer b.sys.Observe(func(e actor.Event) {
			if _, ok := e.(actor.DeadLetter); ok {
				letters++
			}
		})()
		_ = b.sys.Kill(watcher)
		synctest.Wait()
		a.join("g", p)
		synctest.Wait()
		if letters != 0 {
			t.Error("a watcher that has ended is still sent to")
		}
	})
}

func TestJoinReportsWhatItCannotTake(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b := w.node(1), w.node(2)
		p := a.spawn()
		for _, c := range []struct {
			err  error
			want error
		}{
			{a.Join("", p, nil), groups.ErrInvalidGroup},
			{a.Join(strings.Repeat("x", groups.MaxName+1), p, nil), groups.ErrInvalidGroup},
			{b.Join("g", p, nil), groups.ErrNotLocal},
			{b.Leave("g", p), groups.ErrNotLocal},
			{a.Join("g", actor.PID{}, nil), groups.ErrNotLocal},
			{a.Join("g", p, map[string]string{"k": strings.Repeat("x", groups.MaxMetadata)}), groups.ErrMetadata},
		} {
			if !errors.Is(c.err, c.want) {
				t.Errorf("%v, want %v", c.err, c.want)
			}
		}
		if _, _, err := b.Monitor("g", p); !errors.Is(err, groups.ErrNotLocal) {
			t.Errorf("Monitor of another node's process: %v", err)
		}
		expect(t, "g", nil, a, b)
		if _, err := groups.Start(t.Context(), groups.Config{AntiEntropy: -1}); err == nil ||
			strings.Count(err.Error(), "groups:") != 3 {
			t.Errorf("Start with three mistakes: %v", err)
		}
	})
}

func TestWardenThatIsKilledIsReplacedAndMindsEverybody(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := w.node(1)
		p, q := a.spawn(), a.spawn()
		a.join("g", p)
		synctest.Wait()
		for pid := range a.sys.Processes() {
			if info, _ := a.sys.Info(pid); info.Label == "groups' warden" {
				_ = a.sys.Kill(pid)
			}
		}
		synctest.Wait()
		a.join("g", q)
		_ = a.sys.Kill(p)
		_ = a.sys.Kill(q)
		expect(t, "g", nil, a)
	})
}

func TestRandomHistoryEndsWithEverybodySeeingTheSame(t *testing.T) {
	for seed := range uint64(15) {
		inWorld(t, func(t *testing.T, w *world) { history(t, w, seed) })
	}
}

// history lets four nodes join and leave, lose messages, part and meet, and
// checks what they and their watchers see in the end.
func history(t *testing.T, w *world, seed uint64) {
	w.hub = hub.New(seed)
	defer w.hub.Close()
	w.hub.Latency(time.Millisecond, 20*time.Millisecond, 50*time.Millisecond)
	w.hub.Loss(0.1)
	rnd := newRand(seed)
	var nodes []*node
	logs := make(map[*node]*log)
	for i := range 4 {
		n := w.node(i)
		nodes = append(nodes, n)
		logs[n] = new(log)
		defer n.Watch("g", logs[n].see)()
	}
	alive := make(map[*node][]actor.PID)
	for range 150 {
		n := nodes[rnd.IntN(len(nodes))]
		switch k := rnd.IntN(12); {
		case k < 6:
			pid := n.spawn()
			n.join("g", pid)
			alive[n] = append(alive[n], pid)
		case k < 9 && len(alive[n]) > 0:
			_ = n.sys.Kill(alive[n][0])
			alive[n] = alive[n][1:]
		case k == 9:
			cut := rnd.IntN(len(nodes))
			w.hub.Split(func(id actor.NodeID) int {
				if id == nodeID(cut) {
					return 1
				}
				return 0
			})
		case k == 10:
			w.hub.Split(nil)
		}
		<-time.After(time.Duration(rnd.IntN(200)) * time.Millisecond)
	}
	w.hub.Split(nil)
	w.hub.Loss(0)
	<-time.After(15 * time.Second)
	var want []actor.PID
	for _, n := range nodes {
		want = append(want, alive[n]...)
	}
	slices.SortFunc(want, func(a, b actor.PID) int {
		if a.Node() != b.Node() {
			return strings.Compare(a.Node().Name, b.Node().Name)
		}
		return cmp.Compare(a.ID(), b.ID())
	})
	expect(t, "g", want, nodes...)
	for _, n := range nodes {
		for pid, count := range logs[n].has {
			if count != 0 && !slices.Contains(want, pid) || count != 1 && slices.Contains(want, pid) {
				t.Errorf("seed %d: the watcher of %s counts %v %d times", seed, n.id.Name, pid, count)
			}
		}
	}
}
