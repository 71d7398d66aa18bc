package partition_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/partition"
	"github.com/topos-go/topos/remote"
)

func TestBothSidesWriteAndAreMergedOnceWhenTheyMeet(t *testing.T) {
	for _, topology := range []remote.Topology{remote.FullMesh, remote.HyParView} {
		t.Run(topology.String(), func(t *testing.T) {
			play(t, 5, strategy(partition.MergeOnReconnect), func(t *testing.T, s *stage) {
				var want []string
				count := make([]int, 5)
				add := func(i int, text string) {
					t.Helper()
					s.mustAdd(i, text)
					count[i]++
					want = append(want, fmt.Sprintf("%d %s", count[i], text))
				}
				for i := range 5 {
					add(i, fmt.Sprintf("whole%d", i))
				}
				s.everywhere(want...)
				// Writes go on before anybody has noticed, and after.
				s.Partition([]int{0, 1, 2}, []int{3, 4})
				for round := range 30 {
					for i := range 5 {
						add(i, fmt.Sprintf("side%d.%d", i, round))
					}
					s.Pass(time.Second)
				}
				s.parted(true, 0, 1, 2, 3, 4)
				s.Partition([]int{0}, []int{1, 2, 3}, []int{4}) // another split
				for round := range 30 {
					for i := range 5 {
						add(i, fmt.Sprintf("split%d.%d", i, round))
					}
					s.Pass(time.Second)
				}
				s.Heal()
				s.WaitMembers(5)
				s.everywhere(want...)
				s.parted(false, 0, 1, 2, 3, 4)
				s.Eventually(time.Minute, func() bool {
					return !slices.ContainsFunc([]int{0, 1, 2, 3, 4}, func(i int) bool { return s.status(i).Unstable > 0 || len(s.status(i).Missing) > 0 })
				})
			}, configure("Topology", topology))
		})
	}
}

func TestRestartedNodeGetsTheWholeState(t *testing.T) {
	edit := func(_ int, cfg *partition.Config) { cfg.Strategy, cfg.Keep = partition.MergeOnReconnect, -1 }
	play(t, 3, edit, func(t *testing.T, s *stage) {
		var want []string
		for n := range 20 {
			s.mustAdd(2, "old")
			want = append(want, fmt.Sprintf("%d old", n+1))
		}
		s.everywhere(want...)
		s.Isolate(2)
		s.parted(true, 0, 1)
		s.mustAdd(0, "zero")
		s.Restart(2)
		s.guard(2, newBook)
		s.mustAdd(2, "new") // before it has met anyone
		s.Heal()
		s.everywhere(append(want, "1 zero", "1 new")...)
		// Nothing waits for the one that ran before.
		s.Eventually(time.Minute, func() bool { return s.status(0).Logged == 0 && s.status(0).Missing == nil })
		found := false
		s.log.mu.Lock()
		for _, ev := range s.log.events[s.Node(2).Name()] {
			if m, ok := ev.(partition.Merged); ok && m.State {
				found = true
			}
		}
		s.log.mu.Unlock()
		if !found {
			t.Error("no state was restored")
		}
	})
}

func TestGuardThatCrashesComesBackWithTheStateOfTheOthers(t *testing.T) {
	edit := func(_ int, cfg *partition.Config) { cfg.Strategy, cfg.Keep = partition.MergeOnReconnect, -1 }
	play(t, 2, edit, func(t *testing.T, s *stage) {
		s.mustAdd(0, "a")
		s.mustAdd(1, "b")
		s.everywhere("1 a", "1 b")
		if _, err := actor.Call[int](t.Context(), s.Node(0), notes, Bomb{}); err == nil {
			t.Fatal("it survived")
		}
		s.Settle()
		s.mustAdd(0, "c")
		s.everywhere("1 a", "1 b", "1 c") // c is the first of another origin
	})
}

func TestFullLogRefusesAndNamesWhoIsMissing(t *testing.T) {
	edit := func(_ int, cfg *partition.Config) { cfg.Strategy, cfg.MaxOps = partition.MergeOnReconnect, 3 }
	play(t, 3, edit, func(t *testing.T, s *stage) {
		s.Isolate(2)
		var want []string
		for n := range 3 {
			s.mustAdd(0, "x")
			want = append(want, fmt.Sprintf("%d x", n+1))
		}
		s.Settle()
		_, err := s.add(0, "x")
		var refused *partition.RefusedError
		if !errors.Is(err, partition.ErrLogFull) || !errors.As(err, &refused) || !slices.Equal(refused.Missing, []string{s.Node(2).Name()}) {
			t.Fatalf("%v", err)
		}
		if got := s.list(0); len(got) != 3 {
			t.Errorf("what was refused was applied: %v", got)
		}
		s.Heal()
		s.everywhere(want...)
		s.Settle()
		s.mustAdd(0, "x")
		s.everywhere(append(want, "4 x")...)
	})
}

func TestOperationTheActorRefusesReachesNobody(t *testing.T) {
	play(t, 2, strategy(partition.MergeOnReconnect), func(t *testing.T, s *stage) {
		if _, err := actor.Call[int](t.Context(), s.Node(0), notes, Bad{}); !errors.Is(err, errBad) {
			t.Error(err)
		}
		dead := deaths(t, s.Node(0))
		if err := s.Node(0).Send(notes, Bad{}); err != nil {
			t.Error(err)
		}
		s.Settle()
		if d := dead(); len(d) != 1 || !errors.Is(d[0].Reason, errBad) {
			t.Errorf("dead letters %v", d)
		}
		s.mustAdd(0, "good")
		s.everywhere("1 good")
	})
}
