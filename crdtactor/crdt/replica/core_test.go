package replica_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/topos-go/topos/crdtactor/crdt"
	"github.com/topos-go/topos/crdtactor/crdt/replica"
)

// duo is two neighbors of sets, and what they have sent.
type duo struct {
	a, b *replica.Core[*crdt.GSet]
	cfg  replica.Config[*crdt.GSet]
	runs uint64         // how many replicas there have been
	sent map[string]int // by type of message
	size int            // of the largest message, in bytes of states
}

func newDuo(cfg replica.Config[*crdt.GSet]) *duo {
	cfg.New = func() *crdt.GSet { return new(crdt.GSet) }
	d := &duo{sent: map[string]int{}, cfg: cfg}
	d.a, d.b = d.start("a", 1), d.start("b", 1)
	return d
}

// start returns one of the two as it starts.
func (d *duo) start(name string, run uint64) *replica.Core[*crdt.GSet] {
	cfg, other := d.cfg, "a"
	if name == "a" {
		other = "b"
	}
	cfg.Node, cfg.ID = name, crdt.Incarnation(name, run)
	core := replica.New(cfg)
	core.See([]string{other}, []string{other})
	d.runs = max(d.runs, run)
	return core
}

// carry delivers messages until there are none, except those that lost says.
func (d *duo) carry(lost func(msg any) bool) {
	for !d.a.Idle() || !d.b.Idle() {
		for _, core := range []*replica.Core[*crdt.GSet]{d.a, d.b} {
			to := d.b
			if core == d.b {
				to = d.a
			}
			out := core.Take()
			switch {
			case out.Outdated == "":
			case core == d.a:
				d.a = d.start("a", d.runs+1)
			default:
				d.b = d.start("b", d.runs+1)
			}
			for _, e := range out.Out {
				d.sent[strings.TrimPrefix(fmt.Sprintf("%T", e.Msg), "replica.")]++
				d.weigh(e.Msg)
				if lost == nil || !lost(e.Msg) {
					to.Step(e.Msg)
				}
			}
		}
	}
}

func (d *duo) weigh(msg any) {
	var items []replica.Item
	switch m := msg.(type) {
	case replica.Delta:
		items = m.Items
	case replica.Answer:
		items = m.Items
	}
	n := 0
	for _, item := range items {
		n += len(item.Data)
	}
	d.size = max(d.size, n)
}

func (d *duo) add(key, element string) {
	d.a.Update(key, func(s *crdt.GSet, _ crdt.ReplicaID) *crdt.GSet { return s.Add(element) })
}

// requireEqual fails unless b has all keys of a, and the same under them.
func (d *duo) requireEqual(t *testing.T) {
	t.Helper()
	for _, key := range d.a.Keys() {
		mine, _ := d.a.State(key)
		theirs, ok := d.b.State(key)
		if !ok || !mine.Equal(theirs) {
			t.Fatalf("they differ in %q", key)
		}
	}
}

func TestNeighborThatIsFurtherBehindThanTheLogPulls(t *testing.T) {
	for _, few := range []int{1, 1000} {
		d := newDuo(replica.Config[*crdt.GSet]{Backlog: 4, Few: few})
		for n := range 100 {
			d.add(fmt.Sprint("key ", n), "x")
		}
		d.a.Flush()
		d.carry(nil)
		d.requireEqual(t)
		if d.sent["Delta"] > 0 || d.sent["Pull"] == 0 || (d.sent["Branches"] > 0) != (few == 1) {
			t.Errorf("few %d: sent %v", few, d.sent)
		}
		d.add("key 1", "y")
		d.a.Flush()
		d.carry(nil)
		if d.requireEqual(t); d.sent["Delta"] != 1 {
			t.Errorf("few %d: after it has caught up: sent %v", few, d.sent)
		}
	}
}

func TestWhatIsTooLongForOneMessageIsSentInParts(t *testing.T) {
	d := newDuo(replica.Config[*crdt.GSet]{})
	const size = 1 << 20
	for n := range 9 {
		d.add(fmt.Sprint("key ", n), strings.Repeat("x", size))
	}
	d.a.Flush()
	d.carry(nil)
	if d.requireEqual(t); d.size > 2*size {
		t.Errorf("one message had %d bytes", d.size)
	}
}

func TestPullThatWasLostIsBegunAgain(t *testing.T) {
	for _, lost := range []string{"replica.Pull", "replica.Branches", "replica.Answer"} {
		d := newDuo(replica.Config[*crdt.GSet]{Backlog: 1, Few: 1})
		for n := range 20 {
			d.add(fmt.Sprint("key ", n), "x")
		}
		d.a.Flush()
		d.carry(func(msg any) bool { return fmt.Sprintf("%T", msg) == lost })
		for range 5 {
			d.a.Tick()
			d.b.Tick()
			d.carry(nil)
		}
		d.requireEqual(t)
	}
}

func TestEqualReplicasExchangeTheirRootsAndNothingElse(t *testing.T) {
	d := newDuo(replica.Config[*crdt.GSet]{})
	d.add("key", "x")
	d.a.Flush()
	d.carry(nil)
	d.a.Tick() // rosters meet
	d.b.Tick()
	d.carry(nil)
	clear(d.sent)
	for range 10 {
		d.a.Tick()
		d.b.Tick()
		d.carry(nil)
	}
	if len(d.sent) != 1 || d.sent["Root"] != 20 {
		t.Errorf("in ten periods they sent %v", d.sent)
	}
}

func TestNoMessageFromAPeerDoesLastingHarm(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 5))
		d := newDuo(replica.Config[*crdt.GSet]{Few: 1, Backlog: 3})
		name := func() string { return []string{"a", "b", "c", ""}[r.IntN(4)] }
		id := func() string { return string(crdt.Incarnation(name(), 1)) }
		number := func() uint64 { return []uint64{0, 1, 2, 3, r.Uint64N(70000), 1<<64 - 1}[r.IntN(6)] }
		items := func() []replica.Item {
			return []replica.Item{{Key: name(), Data: []byte(name())}, {Key: name(), Data: []byte("E\x01\x01x")}}
		}
		sums := []replica.Sum{{At: number(), Sum: number()}, {At: number(), Sum: number()}}
		known := []replica.Known{{Key: name(), Sum: number(), Digest: []byte(name())}}
		for range 200 {
			msg := []any{
				replica.Root{Node: name(), ID: id(), Seq: r.Uint64N(3), Sum: number(), Keys: number(), Ask: r.IntN(2) == 0},
				replica.Delta{Node: name(), ID: id(), After: r.Uint64N(3), UpTo: r.Uint64N(3), Items: items()},
				replica.Ack{Node: "c", ID: id(), Of: id(), UpTo: number()},
				replica.Write{Node: name(), ID: id(), Seq: number(), Item: items()[r.IntN(2)]},
				replica.Wrote{Node: name(), ID: id(), Of: id(), Seq: number()},
				replica.Pull{Node: name(), ID: id(), Of: id(), Token: number(), Whole: r.IntN(2) == 0, Keys: known, Leaves: []uint64{number()}},
				replica.Pull{Node: name(), ID: id(), Of: id(), Token: number(), Sums: sums},
				replica.Branches{Node: name(), ID: id(), Token: r.Uint64N(9), Tops: []uint64{number()}, Sums: sums},
				replica.Answer{Node: name(), ID: id(), Token: r.Uint64N(9), Chunk: r.Uint64N(3), Serial: r.Uint64N(3), Part: number(), Parts: number(), Items: items()},
				replica.Outdated{Node: name(), Of: "a#2", Latest: "a#3"},
				replica.Roster{Node: name(), ID: id(), Members: []replica.Member{{Node: name(), Version: r.Uint64N(4)}}},
				"no message at all",
			}[r.IntN(12)]
			d.a.Step(msg)
			switch r.IntN(5) {
			case 0:
				d.a.Tick()
			case 1:
				d.add(name(), fmt.Sprint(r.IntN(99)))
				d.a.Flush()
			case 2:
				d.carry(nil)
			}
		}
		for range 10 {
			d.a.Tick()
			d.b.Tick()
			d.carry(nil)
		}
		d.requireEqual(t)
	}
}

func TestForgottenNodeIsKnownAgainWhenItSpeaks(t *testing.T) {
	d := newDuo(replica.Config[*crdt.GSet]{})
	d.a.See([]string{"b", "c"}, []string{"b", "c"})
	d.a.See([]string{"b"}, []string{"b"})
	if !d.a.Forget("c") || d.a.Forget("c") || d.a.Forget("a") || d.a.Forget("b") {
		t.Error("only c can be forgotten, and once")
	}
	if got := fmt.Sprint(d.a.Known()); got != "[a b]" {
		t.Errorf("known are %s", got)
	}
	d.a.Tick()
	d.b.Tick()
	d.carry(nil)
	if got := fmt.Sprint(d.b.Known()); got != "[a b]" {
		t.Errorf("known to the other are %s", got)
	}

	c := d.start("c", 2)
	c.See([]string{"a"}, []string{"a"})
	c.Update("key", func(s *crdt.GSet, _ crdt.ReplicaID) *crdt.GSet { return s.Add("x") })
	c.Flush()
	talk := func(from, to *replica.Core[*crdt.GSet]) {
		for _, e := range from.Take().Out {
			to.Step(e.Msg)
		}
	}
	if talk(c, d.a); d.a.Len() > 0 {
		t.Error("something was taken in from a node that does not know that it was forgotten")
	}
	for range 3 {
		talk(d.a, c)
		c.Tick()
		talk(c, d.a)
	}
	if got := fmt.Sprint(d.a.Known()); got != "[a b c]" || d.a.Len() != 1 {
		t.Errorf("known are %s, with %d keys", got, d.a.Len())
	}
}

// TestPartsOfTwoAnswersAreNotTakenForOneAnswer lets a Pull arrive twice, so that
// there are two answers that are cut into other parts, and loses one part of
// each.
func TestPartsOfTwoAnswersAreNotTakenForOneAnswer(t *testing.T) {
	d := newDuo(replica.Config[*crdt.GSet]{Part: 100, Backlog: 1})
	for n := range 3 {
		d.add(fmt.Sprint("key ", n), strings.Repeat("x", 40))
	}
	d.a.Flush() // too far for the log: b is told to pull
	for _, e := range d.a.Take().Out {
		d.b.Step(e.Msg)
	}
	answers := func(ask replica.Pull) (list []replica.Answer) {
		d.a.Step(ask)
		for _, e := range d.a.Take().Out {
			if m, ok := e.Msg.(replica.Answer); ok {
				list = append(list, m)
			}
		}
		return list
	}
	var acked uint64
	for _, e := range d.b.Take().Out {
		if ask, ok := e.Msg.(replica.Pull); ok {
			first := answers(ask) // key 0, key 1 | key 2
			d.add("key 0", strings.Repeat("y", 90))
			second := answers(ask) // key 0 | key 1, key 2
			if len(first) != 2 || len(second) != 2 || len(first[0].Items) == len(second[0].Items) {
				t.Fatalf("answers of %d and %d parts prove nothing", len(first), len(second))
			}
			d.b.Step(second[0])
			d.b.Step(first[1])
		}
	}
	for _, e := range d.b.Take().Out {
		if m, ok := e.Msg.(replica.Ack); ok {
			acked = m.UpTo
		}
	}
	if _, ok := d.b.State("key 1"); ok || acked > 0 {
		t.Errorf("acknowledged up to %d without key 1", acked)
	}
}

func TestNeighborThatHasMissedAChangeDoesNotHoldTheNext(t *testing.T) {
	d := newDuo(replica.Config[*crdt.GSet]{})
	d.add("key", "first")
	d.a.Hold(1, "key", true, 2)
	d.a.Flush()
	d.carry(func(any) bool { return true }) // lost, with whatever is said about it
	d.add("key", "second")
	d.a.Flush()
	for _, e := range d.a.Take().Out {
		d.b.Step(e.Msg)
	}
	for _, e := range d.b.Take().Out {
		d.a.Step(e.Msg)
	}
	if done := d.a.Take().Done; len(done) > 0 {
		t.Fatalf("%v is done, of which the neighbor has heard nothing", done)
	}
	d.a.Tick()
	d.a.Tick() // a period has passed without an acknowledgement
	var done []uint64
	for !d.a.Idle() || !d.b.Idle() {
		out := d.a.Take()
		done = append(done, out.Done...)
		for _, e := range out.Out {
			d.b.Step(e.Msg)
		}
		for _, e := range d.b.Take().Out {
			d.a.Step(e.Msg)
		}
	}
	if len(done) != 1 || done[0] != 1 {
		t.Errorf("in the end %v is done", done)
	}
	d.requireEqual(t)
}

func TestWhoeverBecomesAMemberIsOnTheRosterOnDisk(t *testing.T) {
	d := newDuo(replica.Config[*crdt.GSet]{Durable: true})
	if batch, ok := d.a.Batch(); ok { // what newDuo has told
		d.a.Saved(batch.Number)
	}
	d.a.See([]string{"b", "c"}, []string{"b"})
	batch, ok := d.a.Batch()
	if !ok || len(batch.Roster) != 3 || batch.Roster[2] != (replica.Member{Node: "c", Version: 1}) {
		t.Errorf("what is to be saved: %+v, %v", batch, ok)
	}
}

func TestUpdatesOfACounterThatNobodyHearsOfTakeNoMemory(t *testing.T) {
	c := replica.New(replica.Config[*crdt.PNCounter]{Node: "a", ID: "a", New: func() *crdt.PNCounter { return new(crdt.PNCounter) }})
	add := func(c *crdt.PNCounter, me crdt.ReplicaID) *crdt.PNCounter { return c.Add(me, 1) }
	if n := testing.AllocsPerRun(100, func() { c.Update("", add) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
	c.See([]string{"b"}, []string{"b"})
	c.Update("", add)
	c.See(nil, nil)
	c.Update("", add) // must not change what is to be sent
	if s, _ := c.State(""); s.Value() != 103 {
		t.Error(s.Value())
	}
}
