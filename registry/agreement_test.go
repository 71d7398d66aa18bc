package registry

import (
	"testing"
	"time"
)

func TestASideSettlesOnlyAfterItsViewsHaveAgreedForLongEnough(t *testing.T) {
	t0 := time.Unix(0, 0)
	at := func(s int) time.Time { return t0.Add(time.Duration(s) * time.Second) }
	a, b := newAgreement(testNode(1), 2*time.Second), newAgreement(testNode(2), 2*time.Second)
	a.fact(at(0), testNode(1), 1)
	b.fact(at(0), testNode(2), 2)
	if ok, _ := a.settled(at(2)); !ok {
		t.Error("a node alone never settles")
	}
	a.member(at(3), testNode(2), true)
	b.member(at(3), testNode(1), true)
	a.fact(at(3), testNode(2), 2)
	b.fact(at(3), testNode(1), 1)
	if ok, again := a.settled(at(9)); ok || !again.IsZero() {
		t.Error("settled before the other's view was heard")
	}
	a.heard(at(10), testNode(2), b.view())
	if ok, again := a.settled(at(11)); ok || again != at(12) {
		t.Errorf("settled = %v, look again at %v; want false, 12s", ok, again)
	}
	if ok, _ := a.settled(at(12)); !ok {
		t.Error("not settled after 2 s of agreement")
	}
	// The other sees a third node first: no agreement until this one does too.
	b.member(at(13), testNode(3), true)
	a.heard(at(13), testNode(2), b.view())
	if ok, _ := a.settled(at(60)); ok {
		t.Error("settled though the views differ")
	}
}

func TestANodesRestartIsNewsToTheView(t *testing.T) {
	now := time.Unix(0, 0)
	a := newAgreement(testNode(1), time.Second)
	old, renewed := testNode(2), testNode(2)
	renewed.Incarnation.Boot++
	a.member(now, old, true)
	before := a.view()
	a.member(now, old, false)
	a.member(now, renewed, true)
	if a.view() == before {
		t.Error("the view is the same though the node is another incarnation")
	}
}

func TestRepeatedNewsDoNotStartTheClockAnew(t *testing.T) {
	now := time.Unix(0, 0)
	a := newAgreement(testNode(1), time.Second)
	a.fact(now, testNode(1), 1)
	if a.fact(now.Add(500*time.Millisecond), testNode(1), 1) || a.member(now.Add(500*time.Millisecond), testNode(1), true) {
		t.Error("the node itself is news")
	}
	if ok, _ := a.settled(now.Add(time.Second)); !ok {
		t.Error("the clock was started anew")
	}
}

func TestNothingSettlesWhileAMemberIsNotKnownOrChanges(t *testing.T) {
	now := time.Unix(0, 0)
	a := newAgreement(testNode(1), time.Second)
	a.fact(now, testNode(1), 1)
	a.member(now, testNode(2), true)
	a.heard(now, testNode(2), a.view())
	if _, due := a.settled(now); !due.IsZero() {
		t.Error("it counts on a member of which it knows nothing")
	}
	before := a.view()
	if !a.fact(now, testNode(2), 7) || a.view() == before {
		t.Error("a fact is no news to the view")
	}
	a.heard(now, testNode(2), a.view())
	if ok, _ := a.settled(now.Add(time.Second)); !ok {
		t.Error("not settled after a second of agreement")
	}
	a.fact(now.Add(time.Second), testNode(1), 3) // a new weight of its own
	if ok, _ := a.settled(now.Add(9 * time.Second)); ok {
		t.Error("settled though the other does not know the new weight")
	}
}
