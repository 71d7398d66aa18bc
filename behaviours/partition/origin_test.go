package partition

import "testing"

func TestGuardThatHasEndedAcknowledgesNothingAnyMore(t *testing.T) {
	l := smallLimits()
	l.keep = 0
	w := newWorld(l, "a", "b")
	w.flow()
	old := w.nodes["b"].log.self
	w.respawn("b")
	w.flow()
	if _, ok := w.write("a", "op"); !ok {
		t.Fatal("refused")
	}
	a := w.nodes["a"].log
	w.letters = nil // so the new guard does not have it
	w.run("a", a.gotDigest(Digest{From: old, Have: []Seen{{a.self, 1}}}))
	if a.kept != 1 || a.stable(a.self) != 0 {
		t.Error("a late digest of the guard before counts for this one")
	}
	w.settle()
	if err := w.agreed(); err != nil {
		t.Error(err)
	}
}
