package plumtree

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// newHostile returns a core with the neighbors a, b and c, which has had a1 of
// each of a and b, and limits that are soon reached.
func newHostile(t *testing.T) (*Core, func(from string, m Message) Effects) {
	core, err := New(Config{
		Self: node("self"), Rand: rand.New(rand.NewPCG(1, 1)), MaxRetained: 30, MaxBytes: 1000, MaxPayload: 100,
		MaxHoles: 4, MaxMissing: 40, MaxOrigins: 12, MaxIHave: 20, MaxDigest: 5, MaxRepair: 10, MaxRepairBytes: 200,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b", "c"} {
		core.Step(epoch, NeighborUp{node(name)})
	}
	tell := func(from string, m Message) Effects {
		t.Helper()
		effects := core.Step(epoch, Received{node(from), m})
		if err := core.valid(); err != nil {
			t.Fatalf("after %+v: %v", m, err)
		}
		return effects
	}
	for _, name := range []string{"a", "b"} {
		tell(name, Gossip{ID: ID{node(name), 1}, Round: 1})
	}
	return core, tell
}

func deliveries(effects Effects) (n int) {
	for _, e := range effects {
		if _, ok := e.(Deliver); ok {
			n++
		}
	}
	return n
}

func TestNonsenseIsCountedAndLeftAlone(t *testing.T) {
	id := ID{node("a"), 2}
	long := make([]Span, 1000)
	for i := range long {
		long[i] = Span{uint64(3*i + 3), uint64(3*i + 3)}
	}
	for name, m := range map[string]Message{
		"nothing":             nil,
		"gossip of nobody":    Gossip{ID: ID{Seq: 1}, Round: 1},
		"gossip number 0":     Gossip{ID: ID{Origin: node("a")}, Round: 1},
		"gossip number huge":  Gossip{ID: ID{node("a"), math.MaxUint64}, Round: 1},
		"gossip round 0":      Gossip{ID: id},
		"gossip round < 0":    Gossip{ID: id, Round: math.MinInt},
		"gossip round absurd": Gossip{ID: id, Round: math.MaxInt},
		"gossip too large":    Gossip{ID: id, Round: 1, Payload: make([]byte, 101)},
		"gossip unborn":       Gossip{ID: id, Round: 1, Age: -1},
		"gossip of this node": Gossip{ID: ID{node("self"), 7}, Round: 1},
		"ihave too long":      IHave{make([]Announcement, 21)},
		"ihave round < 0":     IHave{[]Announcement{{id, -1}}},
		"ihave round absurd":  IHave{[]Announcement{{id, math.MaxInt}}},
		"ihave of nobody":     IHave{[]Announcement{{ID{Seq: 1}, 1}}},
		"graft of nobody":     Graft{ID: ID{Seq: 1}},
		"graft number huge":   Graft{ID: ID{node("a"), math.MaxUint64}},
		"digest too long":     Digest{Origins: make([]Have, 6)},
		"digest twice":        Digest{Origins: []Have{{Origin: node("a")}, {Origin: node("a")}}},
		"digest unordered":    Digest{Origins: []Have{{Origin: node("b")}, {Origin: node("a")}}},
		"digest before after": Digest{After: node("b"), Origins: []Have{{Origin: node("a")}}},
		"digest past until":   Digest{Until: node("a"), Origins: []Have{{Origin: node("b")}}},
		"digest huge":         Digest{Origins: []Have{{Origin: node("a"), Low: math.MaxUint64}}},
		"digest no hole":      Digest{Origins: []Have{{Origin: node("a"), Low: 1, Above: []Span{{2, 3}}}}},
		"digest backwards":    Digest{Origins: []Have{{Origin: node("a"), Above: []Span{{5, 4}}}}},
		"digest many holes":   Digest{Origins: []Have{{Origin: node("a"), Above: long}}},
		"repair too long":     Repair{Messages: make([]Gossip, 11)},
		"repair all gone":     Repair{Gone: make([]Gone, 6)},
		"gone backwards":      Repair{Gone: []Gone{{Origin: node("a"), First: 3, Last: 2}}},
		"gone huge":           Repair{Gone: []Gone{{Origin: node("a"), First: 2, Last: math.MaxUint64}}},
		"gone in the future":  Repair{Gone: []Gone{{Origin: node("a"), First: 2, Last: 3, Age: -1}}},
	} {
		core, tell := newHostile(t)
		before := core.Stats()
		effects := tell("c", m)
		after := core.Stats()
		if after.Malformed == before.Malformed {
			t.Errorf("%s is not counted", name)
		}
		if after.Malformed = before.Malformed; after != before || len(effects) > 0 {
			t.Errorf("%s has effects: %+v, %+v", name, effects, after)
		}
	}
}

func TestAnOldMessageIsNotTakenSinceItMayBeForgotten(t *testing.T) {
	core, tell := newHostile(t)
	if n := deliveries(tell("c", Gossip{ID: ID{node("z"), 1}, Round: 1, Age: DefaultRetain})); n > 0 || core.Stats().Stale != 1 {
		t.Errorf("%d delivered, %+v", n, core.Stats())
	}
}

func TestFloodOfAnnouncementsLeavesRoomForOthers(t *testing.T) {
	core, tell := newHostile(t)
	for i := range uint64(5000) {
		if effects := tell("c", IHave{[]Announcement{{ID{node("a"), 1000 + 7*i}, 1}, {ID{node("c"), 3 + i}, 1}}}); len(effects) > 0 {
			t.Fatalf("a flood is answered: %+v", effects)
		}
	}
	if n := core.Stats().Missing; n != 10 {
		t.Errorf("one neighbor has %d of 40 places", n)
	}
	tell("b", IHave{[]Announcement{{ID{node("b"), 2}, 1}}})
	grafts := 0
	for now := epoch; now.Before(epoch.Add(10 * time.Second)); now = core.Deadline() {
		for _, e := range core.Tick(now) {
			if s, ok := e.(Send); ok {
				if g, ok := s.Message.(Graft); ok {
					grafts++
					if g.ID == (ID{node("b"), 2}) && s.To != node("b") {
						t.Error("the wrong neighbor is asked")
					}
				}
			}
		}
	}
	if grafts != 11 || core.Stats().Missing != 0 {
		t.Errorf("%d grafts, %d missing in the end", grafts, core.Stats().Missing)
	}
	if n := deliveries(tell("b", Gossip{ID: ID{node("b"), 2}, Round: 1})); n != 1 {
		t.Error("what exists is not delivered")
	}
}

func TestFloodOfOriginsKeepsOthersOutForAWhileOnly(t *testing.T) {
	core, _ := newHostile(t)
	now := epoch
	refused := 0
	for i := range 1000 {
		id := ID{node("x" + string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676))), 1}
		for _, e := range core.Step(now, Received{node("c"), Gossip{ID: id, Round: 1}}) {
			if m, ok := e.(Missed); ok && m.Reason == ErrOriginsFull {
				refused++
			}
		}
	}
	if s := core.Stats(); s.Origins != 12 || refused != 990 {
		t.Errorf("%d refused, %+v", refused, s)
	}
	now = now.Add(2 * DefaultRetain)
	if n := deliveries(core.Step(now, Received{node("c"), Gossip{ID: ID{node("late"), 1}, Round: 1}})); n != 1 {
		t.Error("a new origin is kept out for good")
	}
	if err := core.valid(); err != nil {
		t.Error(err)
	}
}

func TestGraftsForWhatNeverExistedAreAnsweredShortly(t *testing.T) {
	_, tell := newHostile(t)
	for i := range uint64(100) {
		effects := tell("c", Graft{ID: ID{node("nobody"), 1 + i}})
		if len(effects) != 1 {
			t.Fatalf("%+v", effects)
		}
		if r, ok := effects[0].(Send).Message.(Repair); !ok || len(r.Messages) > 0 || len(r.Gone) != 1 {
			t.Fatalf("%+v", effects)
		}
	}
}

func TestFloodOfDigestsHasWhatIsRetainedOnceInAWhile(t *testing.T) {
	core, tell := newHostile(t)
	for i := range uint64(20) {
		tell("a", Gossip{ID: ID{node("a"), 2 + i}, Round: 1, Age: 30 * time.Second, Payload: make([]byte, 20)})
	}
	answers := 0
	if effects := tell("c", Digest{Partial: true, Origins: []Have{{Origin: node("a")}}}); len(effects) > 0 {
		t.Fatalf("nobody has asked: %+v", effects)
	}
	for range 100 {
		for _, e := range tell("c", Digest{}) {
			answers++
			if r, ok := e.(Send).Message.(Repair); !ok || len(r.Messages) > 10 {
				t.Fatalf("%+v", e)
			}
		}
		answers += len(tell("c", Digest{Partial: true, Origins: []Have{{Origin: node("a")}}}))
	}
	// The first brings ten of twenty messages. Four times it may be gone on.
	if answers != 5 || core.Stats().Refused != 196 {
		t.Errorf("%d answers, %+v", answers, core.Stats())
	}
}

func TestAnnouncementsOfShortPathsChangeFewLinks(t *testing.T) {
	_, tell := newHostile(t)
	var list []Announcement
	for i := range uint64(20) {
		id := ID{node("a"), 2 + i}
		tell("a", Gossip{ID: id, Round: 50})
		list = append(list, Announcement{id, 1})
	}
	if effects := tell("c", IHave{list}); len(effects) != 2 { // a graft and a prune
		t.Errorf("%d effects: %+v", len(effects), effects)
	}
}

func TestALieThatMessagesAreGoneYieldsToWhoHasThem(t *testing.T) {
	core, tell := newHostile(t)
	tell("c", Repair{Gone: []Gone{{Origin: node("a"), First: 2, Last: 9}}})
	if n := deliveries(tell("b", Gossip{ID: ID{node("a"), 5}, Round: 1})); n != 1 {
		t.Error("what is said to be gone is not delivered when it comes")
	}
	var missed []Missed
	for range 20 {
		for _, e := range core.Tick(core.Deadline()) {
			if m, ok := e.(Missed); ok {
				missed = append(missed, m)
			}
		}
	}
	if len(missed) != 2 || missed[0].First != 2 || missed[0].Last != 4 || missed[1].First != 6 || missed[1].Last != 9 || missed[0].Reason != ErrGone {
		t.Errorf("%+v", missed)
	}
}

func TestAStrangersWordIsNotTakenButItsPayloadIs(t *testing.T) {
	core, tell := newHostile(t)
	for _, m := range []Message{
		IHave{[]Announcement{{ID{node("a"), 9}, 1}}}, Graft{ID: ID{node("a"), 1}}, Prune{node("a")}, Digest{},
		Repair{Messages: []Gossip{{ID: ID{node("a"), 8}, Round: 1}}},
	} {
		if effects := tell("stranger", m); len(effects) > 0 {
			t.Errorf("%T of a stranger: %+v", m, effects)
		}
	}
	g := Gossip{ID: ID{node("a"), 2}, Round: 1}
	if effects := tell("stranger", g); deliveries(effects) != 1 || len(effects) != 4 { // and three are pushed it
		t.Errorf("%+v", effects)
	}
	if effects := tell("stranger", g); len(effects) > 0 {
		t.Errorf("a stranger's duplicate: %+v", effects)
	}
	if s := core.Stats(); s.Strangers != 7 || len(core.Eager()) != 3 {
		t.Errorf("%+v", s)
	}
}
