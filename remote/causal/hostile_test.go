package causal

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
)

// hostile draws stamps that are nearly right.
type hostile struct{ rng *rand.Rand }

func (h hostile) seq() Seq {
	switch h.rng.IntN(12) {
	case 0:
		return Seq(h.rng.Uint64())
	case 1:
		return makeSeq(maxEpoch, h.rng.Uint64N(2))
	case 2:
		return makeSeq(maxEpoch-1, maxCount-h.rng.Uint64N(2))
	}
	return makeSeq(h.rng.Uint64N(3), h.rng.Uint64N(12))
}

func (h hostile) node() actor.NodeID {
	if h.rng.IntN(100) == 0 {
		return actor.NodeID{}
	}
	id := node(fmt.Sprint("n", h.rng.IntN(12)))
	id.Incarnation.Boot = 1 + h.rng.Uint64N(40)/10*h.rng.Uint64N(20)
	return id
}

func (h hostile) stamp() Stamp {
	s := Stamp{Void: h.rng.IntN(6) == 0, Seq: h.seq()}
	for range h.rng.IntN(3) {
		first := h.seq()
		s.Gone = append(s.Gone, Span{first, first + Seq(h.rng.IntN(3))})
	}
	for range h.rng.IntN(6) {
		s.Others = append(s.Others, h.node())
	}
	for _, entries := range []*[]Entry{&s.Needs, &s.Done} {
		for from := range others + len(s.Others) {
			for to := range others + len(s.Others) {
				if h.rng.IntN(8) == 0 {
					*entries = append(*entries, Entry{uint8(from), uint8(to), h.seq()})
				}
			}
		}
	}
	if h.rng.IntN(10) > 0 {
		h.repair(&s)
	}
	return s
}

// repair makes s valid, as far as it lies with its parts.
func (h hostile) repair(s *Stamp) {
	if !s.Void && !s.Seq.numbers() {
		s.Seq = 1
	}
	s.Gone = nil
	if count := s.Seq.Count(); count > 2 && h.rng.IntN(2) == 0 {
		s.Gone = []Span{{s.Seq - Seq(1+h.rng.Uint64N(count-1)), s.Seq - 1}}
	}
	entries := func(b []Entry, messages bool) (kept []Entry) {
		for _, e := range b {
			if e.From != e.To && (!messages || e.Seq.numbers() && e.To != sender && (e.From != sender || e.To != receiver)) && e.Seq <= makeSeq(maxEpoch, 0) {
				kept = append(kept, e)
			}
		}
		return kept
	}
	s.Needs, s.Done = entries(s.Needs, true), entries(s.Done, false)
}

func TestAHostilePeerBreaksNoInvariantAndNoLimit(t *testing.T) {
	accepted, reasons := 0, map[error]bool{}
	for seed := range uint64(runs / 30) {
		h := hostile{rand.New(rand.NewPCG(seed, 7))}
		now := start
		g, err := New[int](Config{Self: node("self"), MaxHeld: 20, MaxBytes: 20000, MaxWait: time.Second, Forget: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 300 {
			now = now.Add(time.Duration(h.rng.IntN(100)) * time.Millisecond)
			var effects []Effect
			switch h.rng.IntN(20) {
			case 0:
				effects = g.Obituary(now, h.node(), h.rng.IntN(2) == 0)
			case 1:
				effects, _ = g.Met(now, h.node())
			case 2:
				effects = g.Tick(now)
				if due := g.Deadline(); !due.IsZero() && !due.After(now) {
					t.Fatalf("seed %d: due at %v, now %v", seed, due, now)
				}
			case 3:
				effects = g.GaveUp(h.node(), h.seq())
			case 4:
				g.Delivered(h.node(), h.seq())
			case 5, 6:
				if stamp, err := g.Stamp(h.node()); err == nil {
					if err := stamp.valid(); err != nil {
						t.Fatalf("seed %d: %+v: %v", seed, stamp, err)
					}
				}
			default:
				effects = g.Receive(now, h.node(), h.stamp(), i, h.rng.IntN(200)-10)
			}
			for _, e := range effects {
				switch e := e.(type) {
				case Deliver[int]:
					accepted++
				case Dead[int]:
					reasons[e.Reason] = true
				case Notify:
					if err := e.Stamp.valid(); err != nil {
						t.Fatalf("seed %d: %+v: %v", seed, e.Stamp, err)
					}
				}
			}
			if err := g.valid(); err != nil {
				t.Fatalf("seed %d, step %d: %v", seed, i, err)
			}
		}
	}
	for _, reason := range []error{ErrLate, ErrDuplicate, ErrBuried, ErrGroupFull, ErrNode} {
		if !reasons[reason] {
			t.Errorf("nothing was dead because of: %v", reason)
		}
	}
	if accepted == 0 {
		t.Error("nothing was delivered")
	}
}

func TestMessagesThatDependOnEachOtherEndWithThoseThatDoNot(t *testing.T) {
	// m1 of a and m2 of b claim to depend on each other; honest has been told of
	// m1, and came first.
	s := newStage(t, Config{})
	inject := func(from, item, needs string) {
		stamp := Stamp{Seq: 1, Others: []actor.NodeID{node(needs)}, Needs: []Entry{{others, receiver, 1}}}
		s.carryOut("c", s.group("c").Receive(s.now, node(from), stamp, item, 1))
	}
	inject("d", "honest", "a")
	inject("a", "m1", "b")
	inject("b", "m2", "a")
	s.wait(DefaultMaxWait)
	if len(s.got["c"]) != 2 || len(s.lost["c"]) != 1 || s.lost["c"][0] == "honest" {
		t.Fatalf("delivered %q, dead %q", s.got["c"], s.lost["c"])
	}
	s.said("messages depend on each other")
}

func TestWhatOneSaysOfThisNodesOwnMessagesIsNotBelieved(t *testing.T) {
	s := newStage(t, Config{})
	s.send("a", "c", "m1")
	lie := Stamp{Seq: 1, Others: []actor.NodeID{node("c")}, Needs: []Entry{{receiver, others, 99}}}
	s.carryOut("a", s.group("a").Receive(s.now, node("b"), lie, "x", 1))
	stamp, err := s.group("a").Stamp(node("d"))
	if err != nil || len(stamp.Needs) != 1 || stamp.Needs[0].Seq != 1 {
		t.Fatalf("%+v, %v", stamp, err)
	}
}

func TestAMalformedStampIsDeadAndNamesNobody(t *testing.T) {
	c := node("c")
	for name, stamp := range map[string]Stamp{
		"no number":             {},
		"number of no message":  {Seq: makeSeq(1, 0)},
		"last epoch":            {Seq: makeSeq(maxEpoch, 1)},
		"needs what it follows": {Seq: 2, Needs: []Entry{{sender, receiver, 1}}},
		"needs from oneself":    {Seq: 1, Needs: []Entry{{receiver, receiver, 1}}},
		"needs to the sender":   {Seq: 1, Needs: []Entry{{receiver, sender, 1}}},
		"needs nothing":         {Seq: 1, Others: []actor.NodeID{c}, Needs: []Entry{{others, receiver, 0}}},
		"needs of a stranger":   {Seq: 1, Needs: []Entry{{others, receiver, 1}}},
		"out of order":          {Seq: 1, Others: []actor.NodeID{c}, Needs: []Entry{{others, receiver, 1}, {sender, others, 1}}},
		"twice":                 {Seq: 1, Others: []actor.NodeID{c}, Needs: []Entry{{others, receiver, 1}, {others, receiver, 2}}},
		"done beyond the end":   {Seq: 1, Done: []Entry{{receiver, sender, makeSeq(maxEpoch, 1)}}},
		"gone itself":           {Seq: 2, Gone: []Span{{1, 2}}},
		"gone ahead":            {Seq: 9, Gone: []Span{{3, 10}}},
		"void gone ahead":       {Void: true, Seq: 9, Gone: []Span{{3, 10}}},
		"void last epoch":       {Void: true, Seq: makeSeq(maxEpoch, 1)},
		"gone backwards":        {Seq: 9, Gone: []Span{{3, 2}}},
		"gone unordered":        {Seq: 9, Gone: []Span{{5, 6}, {2, 3}}},
		"gone of another epoch": {Seq: makeSeq(1, 1), Gone: []Span{{1, 2}}},
		"gone over an epoch":    {Seq: makeSeq(1, 5), Gone: []Span{{1, makeSeq(1, 2)}}},
		"gone too much":         {Seq: 9, Gone: make([]Span, maxSpans+1)},
		"names itself":          {Seq: 1, Others: []actor.NodeID{node("b")}},
		"names the sender":      {Seq: 1, Others: []actor.NodeID{node("a")}},
		"names one twice":       {Seq: 1, Others: []actor.NodeID{c, c}},
		"names nobody":          {Seq: 1, Others: []actor.NodeID{{}}},
		"names too many":        {Seq: 1, Others: make([]actor.NodeID, MaxMembers-others+1)},
		"names the unsayable":   {Seq: 1, Others: []actor.NodeID{node(string(make([]byte, maxName+1)))}},
	} {
		s := newStage(t, Config{})
		s.carryOut("b", s.group("b").Receive(s.now, node("a"), stamp, name, 1))
		if stamp.Void {
			if err := stamp.valid(); !errors.Is(err, ErrMalformed) || s.group("b").Stats().Members != 1 {
				t.Errorf("%s: %v, %s", name, err, s.out.String())
			}
			continue
		}
		if len(s.lost["b"]) != 1 || s.group("b").Stats().Members != 1 {
			t.Errorf("%s: %s", name, s.out.String())
		}
		s.said("malformed stamp")
	}
}
