package registry

import (
	"fmt"
	"slices"
	"testing"
	"time"
	"unique"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/registry/internal/ledger"
	"pgregory.net/rapid"
)

func testNode(i int) actor.NodeID {
	return actor.NodeID{Name: fmt.Sprintf("n%d@host:%d", i, i), Incarnation: actor.Incarnation{Boot: 1, Unique: "u"}}
}

func testPID(node, id int) actor.PID {
	return actor.MakePID(unique.Make(testNode(node)), uint64(1<<28|id))
}

// tableWorld is tables and ledgers whose messages may be lost.
type tableWorld struct {
	nodes   []actor.NodeID
	tables  []*table
	ledgers []*ledger.Ledger[claim]
	queues  [][][]any // from, to
	ended   map[actor.PID]bool
	lose    func() bool
}

func newTableWorld(n int, rule Rule) *tableWorld {
	w := &tableWorld{ended: make(map[actor.PID]bool), lose: func() bool { return false }}
	for i := range n {
		w.nodes = append(w.nodes, testNode(i))
		w.tables = append(w.tables, newTable(unique.Make(testNode(i)), rule))
		w.ledgers = append(w.ledgers, ledger.New[claim](testNode(i), 0))
		w.queues = append(w.queues, make([][]any, n))
	}
	for i := range n {
		for j := range n {
			if i != j {
				w.up(i, j)
			}
		}
	}
	return w
}

func weigh(*ledger.Record[claim]) int { return 1 }

func (w *tableWorld) send(from, to int, m any) {
	if !w.lose() {
		w.queues[from][to] = append(w.queues[from][to], m)
	}
}

// after sends what a step of a node has left to send, and notes who has ended.
func (w *tableWorld) after(node int, out outcome) {
	for _, l := range out.lost {
		w.ended[l.PID] = true
	}
	for _, u := range w.ledgers[node].Flush(2, weigh) {
		for to := range w.nodes {
			if to != node {
				w.send(node, to, u)
			}
		}
	}
}

func (w *tableWorld) follow(node int, changes []ledger.Change[claim]) {
	var out outcome
	for _, c := range changes {
		w.tables[node].follow(w.ledgers[node], c, &out)
	}
	w.after(node, out)
}

func (w *tableWorld) register(node int, name string, pid actor.PID, stamp int64) error {
	out, err := w.tables[node].register(w.ledgers[node], name, pid, stamp)
	w.after(node, out)
	return err
}

func (w *tableWorld) ask(node int) {
	for _, q := range w.ledgers[node].Asks() {
		w.send(node, slices.Index(w.nodes, q.To), q.Ask)
	}
}

func (w *tableWorld) up(node, other int) {
	w.ledgers[node].Up(w.nodes[other], true)
	w.ask(node)
}

func (w *tableWorld) down(node, other int) {
	w.queues[other][node] = nil
	w.follow(node, w.ledgers[node].Down(time.Unix(0, 0), w.nodes[other]))
}

// deliver delivers the oldest message from one node to another.
func (w *tableWorld) deliver(from, to int) bool {
	q := w.queues[from][to]
	if len(q) == 0 {
		return false
	}
	w.queues[from][to] = q[1:]
	var changes []ledger.Change[claim]
	switch m := q[0].(type) {
	case ledger.Update[claim]:
		var gap bool
		if changes, gap = w.ledgers[to].Apply(w.nodes[from], m, true); gap {
			w.ledgers[to].Pull(w.nodes[from])
		}
	case ledger.Have:
		w.ledgers[to].Heard(w.nodes[from], m)
	case ledger.Page[claim]:
		changes = w.ledgers[to].Turn(w.nodes[from], m)
	case ledger.Ask:
		w.send(to, from, w.ledgers[to].Answer(m, 2, weigh))
	}
	w.follow(to, changes)
	w.ask(to)
	return true
}

// sync lets everybody hear of everything, without loss.
func (w *tableWorld) sync() {
	w.lose = func() bool { return false }
	for range 6 {
		for i := range w.nodes {
			w.follow(i, w.ledgers[i].Tick(time.Unix(0, 0)))
			w.ask(i)
			for j := range w.nodes {
				if i != j {
					w.send(i, j, w.ledgers[i].Have())
				}
			}
		}
		for busy := true; busy; {
			busy = false
			for i := range w.nodes {
				for j := range w.nodes {
					busy = w.deliver(i, j) || busy
				}
			}
		}
	}
}

func (w *tableWorld) holder(node int, name string) actor.PID {
	if holder := w.tables[node].holders.Get(name); holder != nil {
		return *holder
	}
	return actor.PID{}
}

func TestTablesAgreeAfterAnyLossOnceSynchronised(t *testing.T) {
	circular := func(a, b Claim) bool { // which no order is
		return (a.PID.ID()+1)%3 == b.PID.ID()%3
	}
	rules := []Rule{Oldest, Newest, circular, func(Claim, Claim) bool { panic("no") }}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 4).Draw(t, "nodes")
		w := newTableWorld(n, rapid.SampledFrom(rules).Draw(t, "rule"))
		w.lose = func() bool { return rapid.IntRange(0, 4).Draw(t, "lose") == 0 }
		names := []string{"a", "b", "c"}
		alive := make(map[actor.PID]string)
		for stamp := range rapid.IntRange(1, 80).Draw(t, "steps") {
			node := rapid.IntRange(0, n-1).Draw(t, "node")
			other := rapid.IntRange(0, n-1).Draw(t, "other")
			name := rapid.SampledFrom(names).Draw(t, "name")
			switch rapid.IntRange(0, 9).Draw(t, "step") {
			case 0, 1:
				pid := testPID(node, stamp)
				if w.register(node, name, pid, int64(stamp)) == nil {
					alive[pid] = name
				}
			case 2:
				pid := w.holder(node, name)
				w.after(node, w.tables[node].unregister(w.ledgers[node], name, pid))
				if pid.Node() == w.nodes[node] {
					delete(alive, pid)
				}
			case 3:
				if node != other {
					w.down(node, other)
					w.down(other, node)
				}
			case 4:
				if node != other {
					w.up(node, other)
					w.up(other, node)
				}
			default:
				w.deliver(node, other)
			}
		}
		for i := range n {
			for j := range n {
				if i != j {
					w.up(i, j)
				}
			}
		}
		w.sync()
		w.check(t, names, alive)
	})
}

// check checks that all see the same holder of each name, who is the one
// process that claims it and was not told to end.
func (w *tableWorld) check(t *rapid.T, names []string, alive map[actor.PID]string) {
	for _, name := range names {
		holders := make(map[actor.PID]bool)
		for i := range w.tables {
			holders[w.holder(i, name)] = true
		}
		if len(holders) != 1 {
			t.Fatalf("nodes disagree about %q: %v", name, holders)
		}
		left := 0
		for pid, of := range alive {
			if of == name && !w.ended[pid] {
				left++
				if !holders[pid] {
					t.Fatalf("%v claims %q and does not hold it: %v", pid, name, holders)
				}
			}
		}
		if left > 1 || left == 0 && !holders[actor.PID{}] {
			t.Fatalf("%d processes are left for %q: %v", left, name, holders)
		}
	}
}

func TestConflictIsWonByTheOlderClaimAndTheLoserIsTold(t *testing.T) {
	w := newTableWorld(2, nil)
	older, newer := testPID(0, 1), testPID(1, 2)
	mustRegister(t, w, 0, "x", older, 10)
	mustRegister(t, w, 1, "x", newer, 20)
	w.sync()
	if w.ended[older] || !w.ended[newer] {
		t.Errorf("ended: %v", w.ended)
	}
	for node := range 2 {
		if got := w.holder(node, "x"); got != older {
			t.Errorf("on node %d the holder is %v", node, got)
		}
	}
	if w.ledgers[1].Size() != 0 {
		t.Error("the loser still claims the name")
	}
}

func TestConflictOfNewestIsWonByTheNewerClaim(t *testing.T) {
	w := newTableWorld(2, Newest)
	older, newer := testPID(0, 1), testPID(1, 2)
	mustRegister(t, w, 0, "x", older, 10)
	mustRegister(t, w, 1, "x", newer, 20)
	w.sync()
	if got := w.holder(0, "x"); got != newer || !w.ended[older] {
		t.Errorf("holder %v, ended %v", got, w.ended)
	}
}

func TestRuleByMetadataComparesNumbersAsNumbers(t *testing.T) {
	rule := ByMetadata("weight")
	is := func(weight string) Claim {
		if weight == "" {
			return Claim{}
		}
		return Claim{Metadata: map[string]string{"weight": weight}}
	}
	for _, c := range []struct {
		a, b string
		want bool
	}{{"10", "9", true}, {"9", "10", false}, {"b", "a", true}, {"9", "a", false}, {"1", "", true}, {"", "1", false}, {"", "", false}} {
		if got := rule(is(c.a), is(c.b)); got != c.want {
			t.Errorf("%q beats %q: %v", c.a, c.b, got)
		}
	}
}

func TestTakenNameCannotBeRegistered(t *testing.T) {
	w := newTableWorld(2, nil)
	mustRegister(t, w, 0, "x", testPID(0, 1), 1)
	w.sync()
	if err := w.register(1, "x", testPID(1, 1), 2); err == nil {
		t.Error("a name taken on another node was registered again")
	}
}

func mustRegister(t *testing.T, w *tableWorld, node int, name string, pid actor.PID, stamp int64) {
	t.Helper()
	if err := w.register(node, name, pid, stamp); err != nil {
		t.Fatal(err)
	}
}
