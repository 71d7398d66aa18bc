package replica_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/topos-go/topos/crdtactor/crdt"
	"github.com/topos-go/topos/crdtactor/crdt/replica"
)

// manyKeys returns a replica on a node a that is alone with n counters, in each
// of which x, which is gone, has counted 5.
func manyKeys(tb testing.TB, n, others int, durable bool) *counter {
	c := replica.New(replica.Config[*crdt.PNCounter]{Node: "a", ID: crdt.Incarnation("a", 1), Durable: durable,
		New: func() *crdt.PNCounter { return new(crdt.PNCounter) }})
	state := new(crdt.PNCounter)
	for i := range others {
		state.Add(crdt.Incarnation(fmt.Sprint("node-", i), 1_700_000_000_000_000_000), 1)
	}
	state.Add("x#1", 5)
	data, err := state.MarshalBinary()
	if err != nil {
		tb.Fatal(err)
	}
	for i := range n {
		if err := c.Restore(fmt.Sprint("key-", i), data); err != nil {
			tb.Fatal(err)
		}
	}
	c.Enroll([]replica.Member{{Node: "x", Version: 1, Next: 2}})
	c.See([]string{"b"}, []string{"b"})
	c.Step(replica.Root{Node: "b", ID: "b#1"})
	c.Tick()
	c.Take()
	return c
}

// isSettled reports whether a knows that x is.
func isSettled(c *counter) bool {
	for _, m := range c.Roster() {
		if m.Node == "x" {
			return m.Settled > 0
		}
	}
	return false
}

// batch takes all parts of what c has to save.
func batch(c *counter) (all replica.Batch, ok bool) {
	for !all.Last {
		b, ok := c.Batch()
		if !ok {
			return all, false
		}
		b.Items = append(all.Items, b.Items...)
		all = b
	}
	return all, true
}

// hearOf lets c hear that x is settled.
func hearOf(c *counter) {
	c.Step(replica.Roster{Node: "b", ID: "b#1", Members: []replica.Member{{Node: "x", Version: 2, Next: 2, Lost: 2, Settled: 2}}})
}

func TestManyKeysAreSettledInManyStepsAndNobodySeesIt(t *testing.T) {
	const keys = 3 * replica.DefaultAtOnce
	c := manyKeys(t, keys, 1, true)
	hearOf(c)
	if !c.Busy() {
		t.Fatal("all is done in one step")
	}
	c.Take()
	for steps := 0; c.Busy(); steps++ {
		if steps > keys {
			t.Fatal("there is no end")
		}
		if _, ok := c.Batch(); ok {
			t.Fatal("a disk would have some of the shares without what says so, or the other way round")
		}
		for _, i := range []int{steps, keys - 1 - steps} {
			state, _ := c.State(fmt.Sprint("key-", i))
			for lineage := range state.Lives() {
				if lineage == "x" {
					t.Fatalf("key %d shows an entry of x", i)
				}
			}
			if state.Value() != 6 {
				t.Fatalf("key %d shows %d", i, state.Value())
			}
		}
		c.Step(replica.Root{Node: "b", ID: "b#1", Sum: 1, Keys: keys, Ask: true})
		for _, e := range c.Take().Out {
			if _, ok := e.Msg.(replica.Roster); !ok {
				t.Fatalf("meanwhile it says %T", e.Msg)
			}
		}
		c.Work()
	}
	b, ok := batch(c)
	if !ok || len(b.Items) != keys || b.Roster == nil {
		t.Fatalf("the disk is given %d of %d states", len(b.Items), keys)
	}
	again := replica.New(replica.Config[*crdt.PNCounter]{Node: "a", ID: crdt.Incarnation("a", 2), New: func() *crdt.PNCounter { return new(crdt.PNCounter) }})
	for _, item := range b.Items {
		if err := again.Restore(item.Key, item.Data); err != nil {
			t.Fatal(err)
		}
	}
	again.Enroll(b.Roster)
	for _, key := range again.Keys() {
		if state, _ := again.State(key); state.Value() != 5 {
			t.Fatalf("%s on disk has %d of 5", key, state.Value())
		}
	}
}

// TestWhatIsSettledWhileOtherThingsAreMovedIsMovedToo has a second node settled
// before all states have been gone through for the first one.
func TestWhatIsSettledWhileOtherThingsAreMovedIsMovedToo(t *testing.T) {
	const keys = 3 * replica.DefaultAtOnce
	c := manyKeys(t, keys, 1, false)
	hearOf(c)
	c.Step(replica.Roster{Node: "b", ID: "b#1", Members: []replica.Member{{Node: "node-0", Version: 2, Next: 1_700_000_000_000_000_001,
		Lost: 1_700_000_000_000_000_001, Settled: 1_700_000_000_000_000_001}}})
	for c.Busy() {
		c.Work()
	}
	for _, key := range c.Keys() {
		state, _ := c.State(key)
		for lineage := range state.Lives() {
			t.Fatalf("%s has an entry of %s", key, lineage)
		}
		if state.Value() != 6 {
			t.Fatalf("%s shows %d", key, state.Value())
		}
	}
}

// TestKeyThatCameJustBeforeIsSettledToo has a state that no sum was taken of when
// its share of x is settled.
func TestKeyThatCameJustBeforeIsSettledToo(t *testing.T) {
	c := manyKeys(t, 3, 1, false)
	c.Update("late", func(state *crdt.PNCounter, _ crdt.ReplicaID) *crdt.PNCounter { return state.Add("x#1", 5) })
	hearOf(c)
	for c.Busy() {
		c.Work()
	}
	state, _ := c.State("late")
	for lineage := range state.Lives() {
		t.Errorf("there is an entry of %s", lineage)
	}
	if state.Value() != 5 {
		t.Errorf("it shows %d", state.Value())
	}
}

// TestManyKeysAreSavedInPartsAndNothingIsSettledMeanwhile has a node hear that
// something is settled, and change a key, while a batch is being taken. Were that
// key's state in the batch, with what is settled moved in it, and the roster of
// before, it would count twice from that disk.
func TestManyKeysAreSavedInPartsAndNothingIsSettledMeanwhile(t *testing.T) {
	const keys = 3 * replica.DefaultAtOnce
	c := manyKeys(t, keys, 1, true)
	add := func(state *crdt.PNCounter, me crdt.ReplicaID) *crdt.PNCounter { return state.Add(me, 1) }
	for i := range keys {
		c.Update(fmt.Sprint("key-", i), add)
	}
	saved := map[string]bool{}
	for part := 1; ; part++ {
		b, ok := c.Batch()
		if !ok || b.Number != 1 || len(b.Items) > replica.DefaultAtOnce || part > keys {
			t.Fatalf("part %d is %v, has number %d and %d keys", part, ok, b.Number, len(b.Items))
		}
		for _, item := range b.Items {
			saved[item.Key] = true
		}
		if b.Last {
			if c.Busy() || part < 3 || len(saved) != keys || b.Roster == nil {
				t.Fatalf("part %d is the last, of %d keys", part, len(saved))
			}
			break
		}
		if b.Roster != nil || !c.Busy() {
			t.Fatal("the roster has come, or nobody knows that there are more parts")
		}
		hearOf(c)
		c.Tick()
		c.Update("key-0", add)
		if isSettled(c) {
			t.Fatal("settled while a batch was taken")
		}
		data, _ := c.Snapshot("key-1")
		if state, _ := crdt.Decode[crdt.PNCounter](data); state == nil || !state.Strip(func(lineage string, _ uint64) bool { return lineage == "x" }) {
			t.Fatal("what is to be written instead of a delta says that x is settled")
		}
	}
	if _, ok := c.Batch(); ok {
		t.Fatal("another batch before this one was saved")
	}
	c.Saved(1)
	if b, ok := batch(c); !ok || b.Number != 2 || len(b.Items) != 1 || b.Items[0].Key != "key-0" {
		t.Fatalf("what has changed meanwhile: %v, %d items", ok, len(b.Items))
	}
	c.Saved(2)
	hearOf(c) // it is said again
	for c.Busy() {
		c.Work()
	}
	if b, ok := batch(c); !ok || len(b.Items) != keys || !isSettled(c) {
		t.Errorf("in the end %d of %d are settled", len(b.Items), keys)
	}
}

// TestBooksAreNotClosedWhileABatchIsTaken is the same with a node that finds out by
// itself what is settled.
func TestBooksAreNotClosedWhileABatchIsTaken(t *testing.T) {
	c := manyKeys(t, 2*replica.DefaultAtOnce, 1, true)
	c.See(nil, nil)
	c.Forget("b")
	c.Forget("x")
	for _, key := range c.Keys() {
		c.Update(key, func(state *crdt.PNCounter, me crdt.ReplicaID) *crdt.PNCounter { return state.Add(me, 1) })
	}
	if b, ok := c.Batch(); !ok || b.Last {
		t.Fatal("it has not come in parts")
	}
	for range 3 {
		if c.Tick(); isSettled(c) {
			t.Fatal("settled while a batch was taken")
		}
	}
	b, _ := batch(c)
	c.Saved(b.Number)
	if c.Tick(); !isSettled(c) {
		t.Error("not settled afterwards")
	}
}

// TestWhatChangesWhileABatchIsTakenIsHeldOnlyWithTheNext has a write of this node's
// and a change of another's come between two parts.
func TestWhatChangesWhileABatchIsTakenIsHeldOnlyWithTheNext(t *testing.T) {
	c := manyKeys(t, 2*replica.DefaultAtOnce, 1, true)
	add := func(state *crdt.PNCounter, me crdt.ReplicaID) *crdt.PNCounter { return state.Add(me, 1) }
	for _, key := range c.Keys() {
		c.Update(key, add)
	}
	if b, ok := c.Batch(); !ok || b.Last {
		t.Fatal("it has not come in parts")
	}
	c.Hold(7, "key-0", c.Update("key-0", add), 1)
	data, _ := new(crdt.PNCounter).Add("b#1", 1).MarshalBinary()
	c.Step(replica.Delta{Node: "b", ID: "b#1", UpTo: 1, Items: []replica.Item{{Key: "key-1", Data: data}}})
	confirmed := func() (n int) {
		out := c.Take()
		for _, e := range out.Out {
			if _, ok := e.Msg.(replica.Ack); ok {
				n++
			}
		}
		return n + len(out.Done)
	}
	for number := range uint64(2) {
		if n := confirmed(); n > 0 {
			t.Fatalf("%d confirmed before batch %d is saved", n, number+1)
		}
		b, _ := batch(c)
		c.Saved(b.Number)
	}
	if n := confirmed(); n != 2 {
		t.Errorf("%d confirmed in the end", n)
	}
}

// BenchmarkLongestStepOfClosingTheBooks reports the longest step of one node that
// finds out by itself that what another has left in each of 100,000 counters can be
// settled.
func BenchmarkLongestStepOfClosingTheBooks(b *testing.B) {
	longest := time.Duration(0)
	for b.Loop() {
		b.StopTimer()
		c := manyKeys(b, 100_000, 5, false)
		c.See(nil, nil)
		c.Forget("b")
		c.Forget("x")
		b.StartTimer()
		for turns := 0; !isSettled(c) || c.Busy(); turns++ {
			if turns > 1000 {
				b.Fatal("not settled")
			}
			began := time.Now()
			if c.Busy() {
				c.Work()
			} else {
				c.Tick()
			}
			longest = max(longest, time.Since(began))
		}
	}
	b.ReportMetric(float64(longest.Microseconds())/1000, "ms/longest-step")
}

// BenchmarkLongestStepOfSettling reports the longest step, and the time of all,
// of one node's settling what another has left in each of 100,000 counters.
func BenchmarkLongestStepOfSettling(b *testing.B) {
	for _, durable := range []bool{false, true} {
		b.Run(fmt.Sprint("durable=", durable), func(b *testing.B) {
			longest, part := time.Duration(0), time.Duration(0)
			for b.Loop() {
				b.StopTimer()
				c := manyKeys(b, 100_000, 5, durable)
				b.StartTimer()
				step := func(f func()) time.Duration {
					began := time.Now()
					f()
					return time.Since(began)
				}
				longest = max(longest, step(func() { hearOf(c) }))
				for c.Busy() {
					longest = max(longest, step(c.Work))
				}
				for again := durable; again; again = c.Busy() {
					part = max(part, step(func() { c.Batch() }))
				}
				if !isSettled(c) {
					b.Fatal("not settled")
				}
			}
			b.ReportMetric(float64(longest.Microseconds())/1000, "ms/longest-step")
			b.ReportMetric(float64(part.Microseconds())/1000, "ms/longest-part")
		})
	}
}
