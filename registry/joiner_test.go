package registry

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/remote/memory"
)

// A node tells of itself before it has neighbors, and what it registers at once is
// broadcast before anybody knows of it.
func TestJoinerAndWhatItRegistersAtOnceAreKnownWithinASecond(t *testing.T) {
	const n, joiners = 20, 8
	synctest.Test(t, func(t *testing.T) {
		net := memory.New(memory.Config{})
		net.SetLatency(time.Millisecond)
		var all []*sparse
		for i := range n {
			all = append(all, startSparse(t, net, i))
			time.Sleep(50 * time.Millisecond)
		}
		time.Sleep(time.Minute)
		since := func(begun time.Time, holds func(*sparse) bool) time.Duration {
			for slices.ContainsFunc(all, func(s *sparse) bool { return !holds(s) }) {
				if time.Since(begun) > 30*time.Second {
					t.Fatal("not after half a minute")
				}
				time.Sleep(time.Millisecond)
			}
			return time.Since(begun)
		}
		var took []time.Duration
		for i := range joiners {
			begun := time.Now()
			joiner := startSparse(t, net, n+i)
			joiner.holder(t, joiner.Remote.ID().Name)
			all = append(all, joiner)
			member := since(begun, func(s *sparse) bool { return len(s.Remote.Members()) == len(all) })
			named := since(begun, func(s *sparse) bool { _, ok := s.names.Whereis(joiner.Remote.ID().Name); return ok })
			t.Logf("joiner %d was known to all after %v, and its name after %v", i, member, named)
			took = append(took, named)
			if member > time.Second {
				t.Errorf("joiner %d was known to all after %v only", i, member)
			}
			if named > time.Second {
				t.Errorf("the name of joiner %d was known to all after %v only", i, named)
			}
			time.Sleep(10 * time.Second)
		}
		// One of some hundred waits 0.6 s, as none of those who mend the tree that making
		// room has broken finds its other part.
		if slices.Sort(took); took[joiners/2] > 100*time.Millisecond {
			t.Errorf("half of the names were known to all after %v only", took[joiners/2])
		}
	})
}
