package partition

import (
	"slices"
	"testing"
)

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

// Of two guards that start, the first speaks to nobody yet. The second's word must do
// for both, long before the next interval.
func TestGuardThatIsHeardOfIsToldWhoHears(t *testing.T) {
	for _, lost := range []string{"a", "b"} {
		w := newWorld(smallLimits(), "a", "b")
		w.letters = slices.DeleteFunc(w.letters, func(l letter) bool { return l.from == lost })
		w.flow()
		for _, writer := range []string{"a", "b"} {
			if _, ok := w.write(writer, "op"); !ok {
				t.Fatal("refused")
			}
			w.flow()
			if log := w.nodes[writer].log; log.stable(log.self) != 1 {
				t.Errorf("%s spoke in vain: what %s wrote is not known to the other", lost, writer)
			}
		}
	}
}
