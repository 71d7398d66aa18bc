package registry

import (
	"fmt"
	"slices"
	"testing"
	"unique"

	"github.com/topos-go/topos/actor"
	"pgregory.net/rapid"
)

func testNode(i int) actor.NodeID {
	return actor.NodeID{Name: fmt.Sprintf("n%d@host:%d", i, i), Incarnation: actor.Incarnation{Boot: 1, Unique: "u"}}
}

func testPID(node, id int) actor.PID {
	return actor.MakePID(unique.Make(testNode(node)), uint64(1<<28|id))
}

// link carries what one table publishes to another, and may lose it.
type tableWorld struct {
	nodes  []actor.NodeID
	tables []*table
	queues [][][]update // from, to
	ended  map[actor.PID]bool
}

func newTableWorld(n int) *tableWorld {
	w := &tableWorld{ended: make(map[actor.PID]bool)}
	for i := range n {
		w.nodes = append(w.nodes, testNode(i))
		w.tables = append(w.tables, newTable(unique.Make(testNode(i))))
		w.queues = append(w.queues, make([][]update, n))
	}
	return w
}

func (w *tableWorld) publish(node int, out outcome, lose func() bool) {
	for _, l := range out.lost {
		w.ended[l.pid] = true
	}
	if len(out.publish) == 0 {
		return
	}
	u := update{After: w.tables[node].seq - uint64(len(out.publish)), Changes: out.publish}
	for to := range w.nodes {
		if to != node && !lose() {
			w.queues[node][to] = append(w.queues[node][to], u)
		}
	}
}

func (w *tableWorld) deliver(from, to int, lose func() bool) {
	if q := w.queues[from][to]; len(q) > 0 {
		w.queues[from][to] = q[1:]
		out := w.tables[to].apply(w.nodes[from], q[0])
		w.publish(to, out, lose)
	}
}

// sync lets everybody tell everybody everything until nothing changes.
func (w *tableWorld) sync() {
	for range 2 * len(w.nodes) {
		for from := range w.nodes {
			for to := range w.nodes {
				if from != to {
					w.queues[from][to] = nil
					out := w.tables[to].apply(w.nodes[from], w.tables[from].full())
					w.publish(to, out, func() bool { return true })
				}
			}
		}
	}
}

func TestTablesAgreeAfterAnyLossOnceSynchronised(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 4).Draw(t, "nodes")
		w := newTableWorld(n)
		lose := func() bool { return rapid.IntRange(0, 3).Draw(t, "lose") == 0 }
		names := []string{"a", "b", "c"}
		stamp := int64(0)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			node := rapid.IntRange(0, n-1).Draw(t, "node")
			name := rapid.SampledFrom(names).Draw(t, "name")
			switch rapid.IntRange(0, 3).Draw(t, "step") {
			case 0:
				stamp++
				out, err := w.tables[node].register(name, testPID(node, int(stamp)), stamp)
				if err == nil {
					w.publish(node, out, lose)
				}
			case 1:
				if c, ok := w.tables[node].owned[name]; ok {
					out := w.tables[node].unregister(name, actor.MakePID(unique.Make(w.nodes[node]), c.ID))
					w.publish(node, out, lose)
				}
			default:
				w.deliver(node, rapid.IntRange(0, n-1).Draw(t, "to"), lose)
			}
		}
		w.sync()
		for _, name := range names {
			holders := make(map[actor.PID]bool)
			for _, table := range w.tables {
				holders[table.winners[name].pid] = true
			}
			if len(holders) != 1 {
				t.Fatalf("nodes disagree about %q: %v", name, holders)
			}
			claims := 0
			for _, table := range w.tables {
				if _, ok := table.owned[name]; ok {
					claims++
				}
			}
			if claims > 1 {
				t.Fatalf("%d nodes still claim %q", claims, name)
			}
		}
	})
}

func TestConflictIsWonByTheOlderClaimAndTheLoserIsTold(t *testing.T) {
	w := newTableWorld(2)
	older, newer := testPID(0, 1), testPID(1, 2)
	mustRegister(t, w.tables[0], "x", older, 10)
	mustRegister(t, w.tables[1], "x", newer, 20)
	out := w.tables[1].apply(w.nodes[0], w.tables[0].full())
	if len(out.lost) != 1 || out.lost[0] != (lostClaim{pid: newer, name: "x", winner: older}) {
		t.Errorf("lost = %v", out.lost)
	}
	if got := w.tables[1].winners["x"].pid; got != older {
		t.Errorf("holder = %v, want the older %v", got, older)
	}
	if out := w.tables[0].apply(w.nodes[1], w.tables[1].full()); len(out.lost) != 0 {
		t.Errorf("the winner lost too: %v", out.lost)
	}
}

func TestNamesOfALostNodeVanishAndComeBack(t *testing.T) {
	w := newTableWorld(2)
	pid := testPID(0, 1)
	mustRegister(t, w.tables[0], "x", pid, 1)
	w.tables[1].apply(w.nodes[0], w.tables[0].full())
	if out := w.tables[1].forget(w.nodes[0]); !slices.Equal(out.changed, []string{"x"}) {
		t.Errorf("changed = %v", out.changed)
	}
	if _, ok := w.tables[1].winners["x"]; ok {
		t.Error("the name of a lost node is still there")
	}
	w.tables[1].apply(w.nodes[0], w.tables[0].full())
	if got := w.tables[1].winners["x"].pid; got != pid {
		t.Errorf("after the return: %v", got)
	}
}

func TestAMissedUpdateIsNoticed(t *testing.T) {
	w := newTableWorld(2)
	w.tables[1].apply(w.nodes[0], w.tables[0].full())
	mustRegister(t, w.tables[0], "lost", testPID(0, 1), 1)
	out := mustRegister(t, w.tables[0], "x", testPID(0, 2), 2)
	if got := w.tables[1].apply(w.nodes[0], update{After: 1, Changes: out.publish}); !got.stale {
		t.Error("a gap went unnoticed")
	}
	if !w.tables[1].behind(w.nodes[0], 2) {
		t.Error("behind does not see the gap")
	}
}

func TestATakenNameCannotBeRegistered(t *testing.T) {
	w := newTableWorld(2)
	mustRegister(t, w.tables[0], "x", testPID(0, 1), 1)
	w.tables[1].apply(w.nodes[0], w.tables[0].full())
	if _, err := w.tables[1].register("x", testPID(1, 1), 2); err == nil {
		t.Error("a name taken on another node was registered again")
	}
}

func mustRegister(t *testing.T, table *table, name string, pid actor.PID, stamp int64) outcome {
	t.Helper()
	out, err := table.register(name, pid, stamp)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
