package directory

import (
	"fmt"
	"testing"
	"time"

	"github.com/topos-go/topos/overlay"
)

// watcher has a core with many members, and keeps what it says of partitions.
type watcher struct {
	core  *Core
	now   time.Time
	found Effects
}

func newWatcher(t *testing.T, members int) *watcher {
	w := &watcher{core: quiet(t, "a", Config{Interval: 10_000 * time.Hour, MaxReports: 3}), now: start}
	for i := range members - 1 {
		w.core.Step(start, Met{member(i)})
	}
	return w
}

func member(i int) overlay.Node {
	return overlay.Node{Name: fmt.Sprintf("n%03d@n", i), Boot: 1}
}

func (w *watcher) keep(effects Effects) {
	for _, e := range effects {
		switch e.(type) {
		case PartitionDetected, PartitionHealed, PartitionEnded:
			w.found = append(w.found, e)
		}
	}
}

// silence has some members fall silent, and waits.
func (w *watcher) silence(from, to int, wait time.Duration) {
	for i := from; i < to; i++ {
		w.keep(w.core.Step(w.now, Obituary{Node: member(i)}))
	}
	w.wait(wait)
}

func (w *watcher) wait(d time.Duration) {
	for end := w.now.Add(d); ; {
		due := w.core.Deadline()
		if due.After(end) {
			w.now = end
			return
		}
		w.now = due
		w.keep(w.core.Tick(due))
	}
}

// sides are the sizes of the sides of each report.
func (w *watcher) sides() (sizes [][2]int) {
	for _, e := range w.found {
		if d, ok := e.(PartitionDetected); ok {
			sizes = append(sizes, [2]int{len(d.Sides[0]), len(d.Sides[1])})
		}
	}
	return sizes
}

func TestFewOfManyThatFallSilentAreNoPartition(t *testing.T) {
	for silent, want := range map[int]string{1: "[]", 9: "[]", 10: "[[90 10]]", 99: "[[1 99]]"} {
		w := newWatcher(t, 100)
		w.silence(0, silent, time.Minute)
		if got := fmt.Sprint(w.sides()); got != want {
			t.Errorf("%d of 100: %s", silent, got)
		}
	}
	w := newWatcher(t, 5) // a fifth, but one
	w.silence(0, 1, time.Minute)
	if len(w.found) > 0 {
		t.Errorf("%v", w.found)
	}
}

func TestSilencesFarApartAreNoPartition(t *testing.T) {
	for _, gap := range []time.Duration{DefaultWindow - time.Second, DefaultWindow + time.Second} {
		w := newWatcher(t, 10)
		w.silence(0, 1, gap)
		w.silence(1, 2, time.Minute)
		if found := len(w.found) > 0; found != (gap < DefaultWindow) {
			t.Errorf("%v apart: %v", gap, w.found)
		}
	}
}

func TestSilencesAddUpWithinTheWindow(t *testing.T) {
	w := newWatcher(t, 100)
	w.silence(0, 9, 10*time.Second)
	w.silence(9, 10, time.Minute)
	if got := fmt.Sprint(w.sides()); got != "[[90 10]]" {
		t.Errorf("said: %s", got)
	}
	w = newWatcher(t, 100) // two of ten have crashed after all, and two more follow
	w.silence(0, 10, time.Second)
	w.core.Step(w.now, Obituary{member(0), true})
	w.core.Step(w.now, Obituary{member(1), true})
	w.wait(10 * time.Second)
	if len(w.found) > 0 {
		t.Errorf("said: %s", w.found)
	}
	w.silence(10, 12, time.Minute)
	if got := fmt.Sprint(w.sides()); got != "[[88 10]]" {
		t.Errorf("said: %s", got)
	}
}

func TestAPartitionThatNeverSettlesIsSaidInTheEnd(t *testing.T) {
	w := newWatcher(t, 100)
	w.silence(0, 10, DefaultSettle/2)
	for i := 10; len(w.found) == 0; i++ {
		if w.silence(i, i+1, DefaultSettle/2); w.now.Sub(start) > DefaultWindow+DefaultSettle {
			t.Fatalf("nothing is said in %v", w.now.Sub(start))
		}
	}
	if w.now.Sub(start) < DefaultWindow {
		t.Errorf("said after %v already", w.now.Sub(start))
	}
}

func TestAPartitionGrowsAsLongAsSilencesFollow(t *testing.T) {
	w := newWatcher(t, 100)
	w.silence(0, 10, 10*time.Second)
	w.silence(10, 11, 10*time.Second) // one more, soon after
	w.silence(11, 13, time.Hour)
	w.silence(13, 14, time.Hour) // by itself, much later
	if got := fmt.Sprint(w.sides()); got != "[[90 10] [89 11] [87 13]]" {
		t.Errorf("said: %s", got)
	}
	w.silence(20, 40, time.Minute) // another side
	if got := fmt.Sprint(w.sides()); got != "[[90 10] [89 11] [87 13] [66 33]]" {
		t.Errorf("said: %s", got)
	}
	for _, e := range w.found {
		if d := e.(PartitionDetected); d.ID != 1 || d.Leaders != [2]overlay.Node{node("a"), member(0)} {
			t.Errorf("%v", d)
		}
	}
	w.silence(50, 70, time.Minute) // but MaxReports is 3
	if got := len(w.sides()); got != 4 {
		t.Errorf("said %d times", got)
	}
}

func TestAPartitionOfCrashedNodesEndsWithoutHealing(t *testing.T) {
	w := newWatcher(t, 10)
	w.silence(0, 3, time.Minute)
	for i := range 3 {
		w.keep(w.core.Step(w.now, TryFailed{Node: member(i), Refused: true}))
	}
	w.wait(time.Minute)
	if len(w.found) != 2 {
		t.Fatalf("%v", w.found)
	}
	if e, ok := w.found[1].(PartitionEnded); !ok || len(e.Crashed) != 3 || len(e.Returned) != 0 {
		t.Errorf("%v", w.found[1])
	}
	w.silence(3, 6, time.Minute) // the next one is another
	if d, ok := w.found[len(w.found)-1].(PartitionDetected); !ok || d.ID != 2 || len(d.Sides[1]) != 3 {
		t.Errorf("%v", w.found)
	}
}

// TestAPartitionIsForgottenWithItsNodes has nobody come back.
func TestAPartitionIsForgottenWithItsNodes(t *testing.T) {
	w := newWatcher(t, 10)
	w.silence(0, 3, DefaultForget-time.Second)
	if len(w.found) != 1 {
		t.Fatalf("%v", w.found)
	}
	w.wait(2 * time.Second)
	if e, ok := w.found[len(w.found)-1].(PartitionEnded); !ok || len(e.Crashed) != 3 || w.core.parted.split != nil {
		t.Errorf("%v", w.found)
	}
}
