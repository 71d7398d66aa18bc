package remote

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote/handshake"
	"github.com/topos-go/topos/remote/memory"
)

// quietNode returns a node of which nothing runs but what the test calls, with a
// channel "other".
func quietNode(t *testing.T) *Node {
	t.Helper()
	n, err := New(Config{
		Name: "a", Secret: "a secret of some length", Listen: "a:1", Transport: memory.NewNetwork().Host("a"),
		Channels: []Channel{{Name: "other"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close(t.Context()) })
	if n.core, err = newMembership(&n.cfg, overlayNode(n.id), nil, 1); err != nil {
		t.Fatal(err)
	}
	sys, err := actor.NewSystem(actor.Config{Node: n.ID(), Router: n})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sys.Close(t.Context()) })
	n.sys = sys
	n.peers.open()
	return n
}

// meet returns the peer that n has for b.
func meet(n *Node) *peer {
	p, _ := n.peers.ensure(n, actor.NodeID{Name: "b@b:1", Incarnation: actor.Incarnation{Boot: 1}})
	return p
}

func TestNothingIsQueuedForAPeerThatIsBeingReleased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := quietNode(t)
		p := meet(n)
		if !n.ledger.release(p) { // and it is not retired yet
			t.Fatal("a peer that nobody needs is kept")
		}
		for _, channel := range []string{"", "other"} {
			for _, ack := range []bool{false, true} {
				sig := actor.Signal{Kind: actor.SignalMessage, Msg: "late", Via: actor.Delivery{Channel: channel, Ack: ack}}
				if err := n.routeTo(p, sig); !errors.Is(err, ErrNotMember) || !p.released.Load() {
					t.Errorf("channel %q, acknowledged %v: %v", channel, ack, err)
				}
			}
		}
		n.peers.release(p)
		p.retire(ErrNotMember)
		synctest.Wait()
		// Who found it before that begins the sessions over another.
		again := meet(n)
		if ss := n.sessionsOf(p); ss != nil {
			t.Error("sessions over a peer that is gone")
		}
		if ss := n.sessionsOf(again); ss == nil || n.sessionsOf(p) != ss || n.ledger.release(again) {
			t.Error("no sessions over the peer there is")
		}
	})
}

// What cannot be released is left alone, stream by stream: who came just then would
// be told that there is no such member.
func TestPeerThatStaysIsNeverSeenClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := quietNode(t)
		p := meet(n)
		other, _ := p.stream("other")
		if err := other.push(outgoing{frame: void(0)}, sameKey{}, &wait{}); err != nil {
			t.Fatal(err)
		}
		stop, seen := make(chan struct{}), make(chan bool)
		go func() {
			closed := false
			for {
				select {
				case <-stop:
					seen <- closed
					return
				default:
				}
				p.control.mu.Lock()
				closed = closed || p.control.closed || p.released.Load()
				p.control.mu.Unlock()
			}
		}()
		for range 20000 {
			if p.close() {
				t.Fatal("a peer for which something waits is released")
			}
		}
		if close(stop); <-seen {
			t.Error("a stream was closed meanwhile")
		}
	})
}

func TestPeerIsKeptUntilWhatWasAskedOfItIsKnown(t *testing.T) {
	for name, use := range map[string]func(t *testing.T, n *Node, p *peer){
		"somebody is on the way": func(t *testing.T, n *Node, p *peer) {
			attach := handshake.Attach{Channel: DefaultChannel, Association: 7}
			if got, err := n.admit(handshake.Peer{Node: p.id}, attach); got != p || err != nil {
				t.Fatalf("%v, %v", got, err)
			}
		},
		"the overlay is about to hear that it cannot be reached": func(_ *testing.T, n *Node, p *peer) {
			l := p.membership
			l.stream.mu.Lock()
			l.asked = true
			l.stream.mu.Unlock()
			go func() { <-n.inbox }()
			l.failed(errors.New("no answer"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := quietNode(t)
				p := meet(n)
				time.Sleep(releaseAfter)
				use(t, n, p)
				if n.releaseIdle(time.Now()); !n.current(p) {
					t.Error("it is released at that moment")
				}
				time.Sleep(releaseAfter)
				if n.releaseIdle(time.Now()); n.current(p) {
					t.Error("it is kept for ever")
				}
			})
		})
	}
}

// Both sides connect anew, each on another lane, and this side's attempt had begun
// with the old number.
func TestAttemptWithAnOldNumberIsMadeAgainThoughTheOtherSidesHasCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := quietNode(t)
		p := meet(n)
		if !p.associate(3, 1<<20) {
			t.Fatal("it has no number yet")
		}
		old, _ := p.numbers()
		attach := handshake.Attach{Channel: DefaultChannel, Association: 4}
		if got, err := n.admit(handshake.Peer{Node: p.id, MaxPayload: 1 << 20}, attach); got != p || err != nil {
			t.Fatalf("%v, %v", got, err)
		}
		p.data.lane(0).received.Add(1) // over that connection
		renewed, theirs := p.numbers()
		if !p.renew(old) {
			t.Error("the peer is given up for what became of its predecessor")
		}
		if mine, other := p.numbers(); mine != renewed || other != theirs {
			t.Error("it is begun anew once more")
		}
		if p.renew(renewed) {
			t.Error("what has been used is begun anew")
		}
	})
}
