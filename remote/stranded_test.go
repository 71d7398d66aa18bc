package remote

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote/memory"
)

// That a question had to go another way is to be known when the next one is asked.
func TestPeersWithoutADirectWayAreReleasedLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, err := New(Config{Name: "a", Secret: "a secret of some length", Listen: "a:1", Transport: memory.NewNetwork().Host("a")})
		if err != nil {
			t.Fatal(err)
		}
		defer n.Close(context.Background())
		if n.core, err = newMembership(&n.cfg, overlayNode(n.id), nil, 1); err != nil {
			t.Fatal(err)
		}
		n.peers.open()
		asked := func(name string) *peer {
			p, _ := n.peers.ensure(n, actor.NodeID{Name: name, Incarnation: actor.Incarnation{Boot: 1}})
			s, _ := p.stream(PostChannel)
			s.lane(0)
			return p
		}
		reached, stranded := asked("b@b:1"), asked("c@c:1")
		s, _ := stranded.stream(PostChannel)
		s.mu.Lock()
		s.lanes[0].postsFailedLocked()
		s.mu.Unlock()
		for _, step := range []struct {
			until          time.Duration
			first, another bool
		}{
			{releaseAfter - 1, true, true},
			{releaseAfter, false, true},
			{releaseStranded - 1, false, true},
			{releaseStranded, false, false},
		} {
			time.Sleep(step.until - time.Since(reached.asked.load()))
			n.releaseIdle(time.Now())
			if n.current(reached) != step.first || n.current(stranded) != step.another {
				t.Errorf("after %v: one that was reached is kept: %v, another: %v", step.until, n.current(reached), n.current(stranded))
			}
		}
	})
}
