package replica_test

import "testing"

// TestNeighborThatRestartsIsSentTheLogAgain loses all pulls, so that nothing but
// the log can bring what the restarted replica lacks. Another neighbor, out of
// reach, keeps the changes in it.
func TestNeighborThatRestartsIsSentTheLogAgain(t *testing.T) {
	w := newTown(t, "a", "b", "c")
	w.lost = cut("c")
	w.add("a", 5)
	w.periods(2)
	if got := w.state("b").Value(); got != 5 {
		t.Fatalf("before it restarts b shows %d", got)
	}
	noPulls := losing("Pull")
	w.lost = func(from, to string, msg any) bool { return cut("c")(from, to, msg) || noPulls(from, to, msg) }
	w.start("b")
	w.periods(3)
	if got := w.state("b").Value(); got != 5 {
		t.Errorf("after it has restarted b shows %d", got)
	}
}
