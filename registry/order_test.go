package registry

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// permutations calls f with list in every order.
func permutations[T any](list []T, f func([]T)) {
	if len(list) < 2 {
		f(list)
		return
	}
	for i := range list {
		rest := append(append([]T(nil), list[:i]...), list[i+1:]...)
		permutations(rest, func(tail []T) { f(append([]T{list[i]}, tail...)) })
	}
}

func TestRuleThatGoesRoundInCirclesHasOneWinnerInWhateverOrderClaimsCame(t *testing.T) {
	table := newTable(testPID(0, 1).NodeHandle(), func(a, b Claim) bool { return (a.PID.ID()+1)%3 == b.PID.ID()%3 })
	var claimants []claimant
	for i := range 3 {
		claimants = append(claimants, claimant{pid: testPID(i, i), claim: claim{ID: testPID(i, i).ID()}})
	}
	first := *table.best("name", claimants)
	permutations(claimants, func(list []claimant) {
		if got := table.best("name", list); got.pid != first.pid {
			t.Errorf("%v wins, or %v does", first.pid, got.pid)
		}
	})
}

func TestReaderThatCancelsIsNotToldTheRestOfWhatHappenedTogether(t *testing.T) {
	n := NewNames(NamesConfig{Node: testNode(1)})
	told := 0
	var cancel func()
	cancel = n.Subscribe(func(NameEvent) {
		told++
		cancel()
	})
	n.tell([]NameEvent{{Kind: NameUnregistered, Name: "a"}, {Kind: NameUnregistered, Name: "b"}})
	if told != 1 {
		t.Errorf("it was told %d times, and cancelled the first time", told)
	}
}

// The name comes between the moment when Await has found nothing and that when it can
// be woken. Which is a moment: so it is tried often.
func TestAwaitMissesNoNameThatComesWhileItBegins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNames(NamesConfig{Node: testNode(1)})
		pid := testPID(1, 1)
		for i := range 20_000 {
			name := fmt.Sprint("name", i)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			var both sync.WaitGroup
			both.Go(func() {
				if got, err := n.Await(ctx, name); err != nil || got != pid {
					t.Errorf("%s: %v, %v", name, got, err)
				}
			})
			both.Go(func() {
				if err := n.Register(name, pid); err != nil {
					t.Error(err)
				}
			})
			both.Wait()
			cancel()
			if t.Failed() {
				return
			}
		}
	})
}
