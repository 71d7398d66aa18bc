package strong

import (
	"errors"
	"slices"
	"testing"
)

func TestQueueRefusesWhatIsTooMuchAndWhatComesAfterItsEnd(t *testing.T) {
	q := newQueue[int](3)
	for i := range 3 {
		if err := q.put(i); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case <-q.wake:
	default:
		t.Error("nobody is woken")
	}
	if err := q.put(3); !errors.Is(err, errBusy) {
		t.Errorf("a fourth of three: %v, want errBusy", err)
	}
	if got := q.take(func(waiting []int) int { return min(2, len(waiting)) }); !slices.Equal(got, []int{0, 1}) {
		t.Errorf("taken: %v", got)
	}
	if err := q.put(4); err != nil {
		t.Errorf("with room again: %v", err)
	}
	if left := q.close(); !slices.Equal(left, []int{2, 4}) {
		t.Errorf("left: %v", left)
	}
	if err := q.put(5); !errors.Is(err, errClosed) {
		t.Errorf("after its end: %v, want errClosed", err)
	}
}
