package remote_test

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote"
	"github.com/topos-go/topos/remote/memory"
)

func TestBroadcastReachesEveryMember(t *testing.T) {
	both(t, func(_ *testing.T, w *world, all []*host, c *chatter) {
		for _, h := range all {
			c.say(h)
			c.say(h)
			w.pass(10 * time.Millisecond)
		}
		w.pass(time.Second)
		c.complete(0, all...)
		for _, h := range all {
			if s := h.Stats(); s.Broadcasts != 2 || s.BroadcastsHandled != uint64(2*len(all)) || s.BroadcastsDropped+s.BroadcastsMissed != 0 {
				c.t.Errorf("%v: %+v", h.ID().Name, s)
			}
		}
		if len(c.opts) > 0 {
			c.ordered()
		}
	})
}

func TestCausalBroadcastsKeepTheirOrderWherePlainOnesDoNot(t *testing.T) {
	for size, begin := range gatherings {
		t.Run(size, func(t *testing.T) {
			seeds, broken := 6, 0
			if testing.Short() {
				seeds = 2
			}
			for seed := range uint64(seeds) {
				for _, opts := range [][]remote.BroadcastOption{nil, {remote.InCausalOrder()}} {
					bubble(t, func(t *testing.T, w *world) {
						all := begin(t, w)
						w.uneven(seed, len(all))
						w.pass(5 * time.Second)
						c := newChatter(t, seed, opts...)
						c.join(all...)
						c.chat(w, all, 5*time.Second)
						w.pass(15 * time.Second)
						c.complete(0, all...)
						for range 20 { // a tree that stays as it is keeps order
							c.chat(w, all, 300*time.Millisecond)
							w.net.Cut(fmt.Sprint("n", c.rng.IntN(len(all))), fmt.Sprint("n", c.rng.IntN(len(all))))
						}
						w.pass(15 * time.Second)
						switch {
						case len(opts) > 0:
							c.ordered()
						case len(c.wrong) > 0:
							broken++
						}
					})
				}
			}
			if broken < seeds/2 {
				t.Errorf("plain broadcasts kept causal order in %d of %d runs: this is no test of it", seeds-broken, seeds)
			}
		})
	}
}

// again checks that what is said from now on reaches the given nodes, in order.
func (c *chatter) again(w *world, hosts []*host) {
	c.t.Helper()
	first := c.said()
	c.chat(w, hosts, 2*time.Second)
	w.pass(20 * time.Second)
	c.complete(first, hosts...)
}

func TestBroadcastsGoOnWhenConnectionsAreLost(t *testing.T) {
	both(t, func(_ *testing.T, w *world, all []*host, c *chatter) {
		for range 8 {
			c.chat(w, all, 500*time.Millisecond)
			i, j := c.rng.IntN(len(all)), c.rng.IntN(len(all))
			w.net.Cut(fmt.Sprint("n", i), fmt.Sprint("n", j))
		}
		w.pass(30 * time.Second)
		if len(c.opts) > 0 {
			c.ordered()
		} else {
			c.complete(0, all...) // others have it, who are asked
		}
		c.again(w, all)
	})
}

func TestBroadcastsGoOnAfterAPartition(t *testing.T) {
	both(t, func(_ *testing.T, w *world, all []*host, c *chatter) {
		half := len(all) / 2
		cut := func(do func(a, b string)) {
			for i := range half {
				for j := half; j < len(all); j++ {
					do(fmt.Sprint("n", i), fmt.Sprint("n", j))
				}
			}
		}
		cut(w.net.Partition)
		w.pass(5 * time.Second) // all know
		first := c.said()
		c.chat(w, all, 2*time.Second)
		w.pass(time.Second)
		for i, h := range all {
			other := all[len(all)-1-i]
			for m := first; m < c.said(); m++ {
				c.mu.Lock()
				if c.from[m] == other.ID() && c.had[h.ID()][m] != 0 {
					c.t.Errorf("%v has heard %v through a partition", h.ID().Name, other.ID().Name)
				}
				c.mu.Unlock()
			}
		}
		cut(w.net.Heal)
		w.pass(3 * time.Minute)
		know(c.t, all)
		if len(c.opts) > 0 {
			c.ordered()
		}
		c.again(w, all)
		if len(c.opts) > 0 {
			c.ordered()
		}
	})
}

func TestPlainBroadcastsOfAShortPartitionComeWhenItHasHealed(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		all := w.mesh(4)
		c := newChatter(t, 1)
		c.join(all...)
		for i := range 3 {
			w.net.Partition("n3", fmt.Sprint("n", i))
		}
		w.pass(5 * time.Second)
		c.say(all[0])
		c.say(all[3])
		w.pass(time.Second)
		for i := range 3 {
			w.net.Heal("n3", fmt.Sprint("n", i))
		}
		w.pass(40 * time.Second)
		c.complete(0, all...)
	})
}

func TestBroadcastOutlivesItsOrigin(t *testing.T) {
	both(t, func(_ *testing.T, w *world, all []*host, c *chatter) {
		for i := range 3 {
			c.say(all[i+2])
			w.pass(3 * time.Millisecond) // its neighbors have it
			w.net.Kill(fmt.Sprint("n", i+2))
			w.pass(2 * time.Second)
		}
		w.pass(20 * time.Second)
		rest := append(all[:2:2], all[5:]...)
		if len(c.opts) == 0 {
			c.complete(0, rest...)
		} else {
			c.ordered()
		}
		c.again(w, rest)
	})
}

func TestNodeThatJoinsHearsWhatIsBroadcastFromThenOn(t *testing.T) {
	both(t, func(t *testing.T, w *world, all []*host, c *chatter) {
		c.chat(w, all, time.Second)
		w.pass(2 * time.Minute) // nobody keeps it any longer
		cfg := w.config("new", all[:2]...)
		cfg.Topology = all[0].Topology()
		joined := start(t, cfg, func(n *remote.Node) {
			c.join(&host{Node: n})
		})
		before := c.said()
		c.chat(w, all, 2*time.Second) // while it joins
		w.pass(10 * time.Second)
		c.again(w, append(all, joined))
		if len(c.opts) > 0 {
			c.ordered()
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		for m := range before {
			if c.had[joined.ID()][m] > 0 {
				t.Errorf("it was given %d, which was before it", m)
			}
		}
	})
}

func TestBroadcastsDoNotNoticeThatTheTopologyChanges(t *testing.T) {
	both(t, func(t *testing.T, w *world, all []*host, c *chatter) {
		for _, to := range []remote.Topology{remote.ClientServer, remote.FullMesh, remote.Gossip, remote.HyParView} {
			if err := lowestOf(all).SetTopology(t.Context(), to); err != nil {
				t.Fatal(err)
			}
			for range 20 {
				c.chat(w, all, 200*time.Millisecond)
				w.pass(400 * time.Millisecond)
			}
			for _, h := range all {
				if h.Topology() != to {
					t.Errorf("%v has %v, not %v", h.ID().Name, h.Topology(), to)
				}
			}
			w.pass(10 * time.Second)
		}
		w.pass(10 * time.Second)
		c.complete(0, all...)
		if len(c.opts) > 0 {
			c.ordered()
		}
		for _, h := range all {
			if s := h.Stats(); s.BroadcastsMissed+s.BroadcastsDropped > 0 {
				t.Errorf("%v: %d missed, %d dropped", h.ID().Name, s.BroadcastsMissed, s.BroadcastsDropped)
			}
		}
	})
}

func TestBroadcastIsRefusedThatCannotBegin(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		n, err := remote.New(w.config("x"))
		if err != nil {
			t.Fatal(err)
		}
		if err := n.Broadcast("t", nil); !errors.Is(err, remote.ErrNotStarted) {
			t.Errorf("before Start: %v", err)
		}
		if err := n.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if err := n.Broadcast("t", nil); !errors.Is(err, remote.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
		h := w.cluster("a", "b")
		for _, topic := range []string{"", string(make([]byte, 256))} {
			if err := h[0].Broadcast(topic, nil); err == nil {
				t.Errorf("a topic of %d bytes was taken", len(topic))
			}
		}
		for _, opts := range [][]remote.BroadcastOption{nil, {remote.InCausalOrder()}} {
			var got [][]byte
			h[1].HandleBroadcast("t", func(_ actor.NodeID, payload []byte) { got = append(got, payload) })
			if err := h[0].Broadcast("t", make([]byte, remote.MaxBroadcast+1), opts...); !errors.Is(err, remote.ErrTooLarge) {
				t.Errorf("got %v", err)
			}
			for _, size := range []int{remote.MaxBroadcast, 0} {
				if err := h[0].Broadcast("t", make([]byte, size), opts...); err != nil {
					t.Errorf("%d bytes: %v", size, err)
				}
				w.pass(10 * time.Second)
			}
			if len(got) != 2 || len(got[0]) != remote.MaxBroadcast || len(got[1]) != 0 {
				t.Errorf("%d came", len(got))
			}
		}
		if h[0].Stats().TooLarge != 2 {
			t.Errorf("%d were too large", h[0].Stats().TooLarge)
		}
		if err := h[0].Leave(t.Context()); err != nil {
			t.Error(err)
		}
		if err := h[0].Broadcast("t", nil); !errors.Is(err, remote.ErrClosed) {
			t.Errorf("after Leave: %v", err)
		}
	})
}

func TestBroadcastWithoutHandlerIsCounted(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		h := w.cluster("a", "b")
		w.pass(10 * time.Second)
		var got atomic.Int64 // of two goroutines
		h[1].HandleBroadcast("t", func(actor.NodeID, []byte) { got.Add(1) })
		_ = h[0].Broadcast("t", nil)
		_ = h[0].Broadcast("t", nil, remote.InCausalOrder())
		w.pass(time.Second)
		h[1].HandleBroadcast("t", nil)
		_ = h[0].Broadcast("t", nil)
		_ = h[0].Broadcast("t", nil, remote.InCausalOrder())
		w.pass(time.Second)
		if a, b := h[0].Stats().Unhandled, h[1].Stats().Unhandled; got.Load() != 2 || a != 4 || b != 2 {
			t.Errorf("%d were handled, %d and %d not", got.Load(), a, b)
		}
	})
}

func TestPayloadOfABroadcastMayBeUsedAgain(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		h := w.cluster("a", "b")
		w.pass(10 * time.Second)
		var got [][]byte
		h[1].HandleBroadcast("t", func(_ actor.NodeID, payload []byte) { got = append(got, payload) })
		payload := []byte("first")
		for _, opts := range [][]remote.BroadcastOption{nil, {remote.InCausalOrder()}} {
			copy(payload, "first")
			_ = h[0].Broadcast("t", payload, opts...)
			copy(payload, "again")
			w.pass(time.Second)
		}
		if len(got) != 2 || string(got[0]) != "first" || string(got[1]) != "first" {
			t.Errorf("got %s", got)
		}
	})
}

func TestSlowHandlerDelaysNothingElseAndWhatFindsNoRoomIsCounted(t *testing.T) {
	for kind, opts := range map[string][]remote.BroadcastOption{"plain": nil, "causal": {remote.InCausalOrder()}} {
		t.Run(kind, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				h := w.cluster("a", "b")
				w.pass(10 * time.Second)
				free := make(chan struct{})
				var got []byte
				h[1].HandleBroadcast("t", func(_ actor.NodeID, payload []byte) {
					<-free
					got = append(got, payload[0])
				})
				const sent = 300
				for i := range sent { // of 64 KiB: 16 MiB are less
					err := h[0].Broadcast("t", bytes.Repeat([]byte{byte(i)}, remote.MaxBroadcast), opts...)
					if err != nil {
						t.Fatal(err)
					}
					w.pass(10 * time.Millisecond)
				}
				w.pass(time.Minute)
				know(t, h) // the drive goes on
				s := h[1].Stats()
				if s.BroadcastsDropped < sent-256 || s.BroadcastsDropped > sent-254 {
					t.Errorf("%d were dropped", s.BroadcastsDropped)
				}
				close(free)
				synctest.Wait()
				if uint64(len(got)) != sent-s.BroadcastsDropped {
					t.Errorf("%d were handled, %d dropped", len(got), s.BroadcastsDropped)
				}
				for i := range got {
					if len(opts) > 0 && got[i] != byte(i) {
						t.Fatalf("number %d is %d", i, got[i])
					}
				}
				// There is room again.
				if err := h[0].Broadcast("t", []byte("x"), opts...); err != nil {
					t.Error(err)
				}
				w.pass(time.Second)
				if got[len(got)-1] != 'x' || h[1].Stats().BroadcastsDropped != s.BroadcastsDropped {
					t.Errorf("there is no room any more")
				}
			})
		})
	}
}

func TestNeighborThatDoesNotKeepUpHoldsBroadcastsUp(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		h := w.cluster("a", "b", "c")
		w.pass(10 * time.Second)
		w.net.SetLink("a", "b", memory.Link{Bandwidth: 100 << 10})
		payload := make([]byte, remote.MaxBroadcast)
		sent, refused := 0, error(nil)
		for refused == nil && sent < 1000 {
			if refused = h[0].Broadcast("t", payload, remote.InCausalOrder()); refused == nil {
				sent++
			}
		}
		if !errors.Is(refused, remote.ErrQueueFull) || sent < 60 || sent > 100 || h[0].Stats().QueueFull == 0 {
			t.Errorf("after %d: %v", sent, refused)
		}
		w.net.SetLink("a", "b", memory.Link{})
		w.pass(time.Minute)
		know(t, h)
		if err := h[0].Broadcast("t", payload, remote.InCausalOrder()); err != nil {
			t.Errorf("a minute later: %v", err)
		}
	})
}

func TestBroadcastsWhileTheNodeIsClosedEnd(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		h := w.cluster("a", "b")
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				for {
					var opts []remote.BroadcastOption
					if i%2 == 0 {
						opts = append(opts, remote.InCausalOrder())
					}
					if err := h[i%2].Broadcast("t", []byte("x"), opts...); err != nil {
						if !errors.Is(err, remote.ErrClosed) && !errors.Is(err, remote.ErrQueueFull) {
							t.Error(err)
						}
						if errors.Is(err, remote.ErrClosed) {
							return
						}
					}
					<-time.After(time.Millisecond)
				}
			})
		}
		w.pass(100 * time.Millisecond)
		h[0].stop(t)
		if err := h[1].Leave(t.Context()); err != nil {
			t.Error(err)
		}
		wg.Wait()
	})
}
