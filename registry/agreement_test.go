package registry

import (
	"testing"
	"time"
)

func TestASideSettlesOnlyAfterItsViewsHaveAgreedForLongEnough(t *testing.T) {
	t0 := time.Unix(0, 0)
	at := func(s int) time.Time { return t0.Add(time.Duration(s) * time.Second) }
	a, b := newAgreement(testNode(1), 2*time.Second), newAgreement(testNode(2), 2*time.Second)
	a.weigh(at(0))
	if ok, _ := a.settled(at(2)); !ok {
		t.Error("a node alone never settles")
	}
	a.member(at(3), testNode(2), true)
	b.member(at(3), testNode(1), true)
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
	a.weigh(now)
	if a.member(now.Add(500*time.Millisecond), testNode(1), true) {
		t.Error("the node itself is news")
	}
	if ok, _ := a.settled(now.Add(time.Second)); !ok {
		t.Error("the clock was started anew")
	}
}
