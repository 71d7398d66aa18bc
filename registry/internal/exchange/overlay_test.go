package exchange_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/registry/internal/hub"
	"github.com/topos-go/topos/registry/internal/ledger"
)

// number is which node id is of those that join has made.
func number(id actor.NodeID) (i int) {
	_, _ = fmt.Sscanf(id.Name, "n%d", &i)
	return i
}

// ring links each node with those whose numbers are at most two away.
func ring(a, b actor.NodeID) bool {
	d := number(a) - number(b)
	return -2 <= d && d <= 2
}

func (p *peer) synced(of *peer) (yes bool) {
	p.Do(func(l *ledger.Ledger[string]) { yes = l.Synced(of.id) })
	return yes
}

// differ says who has another part of whom than that itself, if there is somebody.
func differ(all []*peer) error {
	for _, owner := range all {
		want := owner.part(owner)
		for _, p := range all {
			if got := p.part(owner); !maps.Equal(got, want) || p != owner && !p.synced(owner) {
				return fmt.Errorf("%s has of %s %v, complete: %v; it is %v", p.id.Name, owner.id.Name, got, p == owner || p.synced(owner), want)
			}
		}
	}
	return nil
}

func TestNodesThatAreNotLinkedHearOfChangesAndDoNotSpeak(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hub.New(1)
		defer h.Close()
		h.Latency(time.Millisecond, 20*time.Millisecond, 0)
		h.Link(ring)
		var all []*peer
		for i := range 12 {
			all = append(all, join(t, h, i))
		}
		time.Sleep(10 * time.Second)
		for i, p := range all {
			p.put("x", fmt.Sprint(i))
		}
		time.Sleep(50 * time.Millisecond) // no neighbor has been asked anything
		if err := differ(all); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Minute)
		h.Traffic()
		time.Sleep(time.Minute)
		for _, p := range all {
			for _, to := range p.end.Spoken() {
				if !ring(p.id, to) {
					t.Errorf("%s has sent something to %s", p.id.Name, to.Name)
				}
			}
		}
		if payloads, bytes := h.Traffic(); payloads > 62*len(all) || bytes > 20*payloads {
			t.Errorf("%d nodes at rest sent %d payloads of %d bytes in a minute", len(all), payloads, bytes)
		}
	})
}

// circle returns eight nodes that have been in a ring for a while. It runs in a bubble.
func circle(t *testing.T) (*hub.Hub, []*peer) {
	t.Helper()
	h := hub.New(1)
	t.Cleanup(h.Close)
	h.Link(ring)
	var all []*peer
	for i := range 8 {
		all = append(all, join(t, h, i))
	}
	time.Sleep(10 * time.Second)
	return h, all
}

func TestBroadcastThatOneNodeMissesIsMadeUpForWithinASecondOrSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, all := circle(t)
		h.Lose(func(_, to actor.NodeID, _ string) bool { return to == all[7].id })
		all[0].put("last", "1")
		synctest.Wait()
		h.Lose(nil)
		time.Sleep(1250 * time.Millisecond)
		if err := differ(all); err != nil {
			t.Error(err)
		}
		// With the next change it is known that something is missing.
		h.Lose(func(_, to actor.NodeID, _ string) bool { return to == all[7].id })
		all[0].put("lost", "1")
		time.Sleep(50 * time.Millisecond)
		h.Lose(nil)
		all[0].put("next", "1")
		time.Sleep(300 * time.Millisecond)
		if err := differ(all); err != nil {
			t.Error(err)
		}
	})
}

func TestChangeThatNobodyHasHeardOfGoesFromNeighborToNeighbor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, all := circle(t)
		h.Lose(func(_, _ actor.NodeID, _ string) bool { return true })
		all[0].put("x", "1")
		synctest.Wait()
		h.Lose(nil)
		time.Sleep(8 * time.Second)
		if err := differ(all); err != nil {
			t.Error(err)
		}
	})
}

func TestHastyNodesCompareAtOnceWhenAMemberIsLost(t *testing.T) {
	for _, hasty := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			h := hub.New(1)
			defer h.Close()
			h.Link(ring)
			var all []*peer
			for i := range 7 {
				all = append(all, joinAs(t, h, i, hasty))
			}
			time.Sleep(10 * time.Second)
			h.Kill(all[6].id)
			all = all[:6]
			h.Lose(func(_, _ actor.NodeID, _ string) bool { return true }) // as if it led over that
			for _, p := range all {
				p.put("x", "1")
			}
			synctest.Wait()
			h.Lose(nil)
			time.Sleep(400 * time.Millisecond)
			if err := differ(all); hasty != (err == nil) {
				t.Errorf("hasty: %v, after 400 ms: %v", hasty, err)
			}
		})
	}
}

func TestNodeThatJoinsHasEverythingFromItsNeighbors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hub.New(1)
		defer h.Close()
		h.Latency(time.Millisecond, 0, 0)
		h.Link(ring)
		var all []*peer
		for i := range 40 {
			all = append(all, join(t, h, i))
		}
		for i := range 10_000 {
			all[0].put(fmt.Sprint("key", i), strings.Repeat("v", 50))
		}
		for _, p := range all {
			p.put("x", "1")
		}
		time.Sleep(time.Minute)
		late := join(t, h, 40)
		h.Traffic()
		time.Sleep(time.Second)
		for _, p := range all {
			if got, want := late.part(p), p.part(p); !maps.Equal(got, want) || !late.synced(p) {
				t.Errorf("of %s it has %d of %d, complete: %v", p.id.Name, len(got), len(want), late.synced(p))
			}
		}
		for _, to := range late.end.Spoken() {
			if !ring(late.id, to) {
				t.Errorf("it has asked %s", to.Name)
			}
		}
	})
}

func TestPartOfANodeThatWasLostIsConfirmedByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hub.New(1)
		defer h.Close()
		h.Link(ring)
		a, b, c := join(t, h, 0), join(t, h, 2), join(t, h, 4)
		a.put("stays", "1")
		a.put("goes", "1")
		time.Sleep(5 * time.Second)
		h.Split(func(n actor.NodeID) int { return number(n) / 4 })
		synctest.Wait()
		h.Lose(func(from, to actor.NodeID, _ string) bool { return from == a.id && to == b.id || to == a.id })
		a.Do(func(l *ledger.Ledger[string]) { l.Delete("goes") })
		time.Sleep(5 * time.Second)
		h.Split(nil)
		time.Sleep(5 * time.Second) // b has what a had, and a answers nobody
		if got := c.part(a); len(got) > 0 {
			t.Errorf("without its owner's word %v is shown", got)
		}
		h.Lose(nil)
		time.Sleep(2 * time.Second)
		if got := c.part(a); len(got) != 1 || got["stays"] != "1" {
			t.Errorf("it has %v", got)
		}
	})
}

func TestTopologyMayChangeWhileChangesAreMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hub.New(1)
		defer h.Close()
		h.Latency(time.Millisecond, 50*time.Millisecond, 0)
		var all []*peer
		for i := range 6 {
			all = append(all, join(t, h, i))
		}
		for i := range 200 {
			if i%20 == 0 {
				h.Link(ring)
			} else if i%20 == 10 {
				h.Link(nil)
			}
			p := all[i%len(all)]
			p.put(fmt.Sprint("key", i%17), fmt.Sprint(i))
			p.Do(func(l *ledger.Ledger[string]) { l.Delete(fmt.Sprint("key", (i+5)%17)) })
			time.Sleep(7 * time.Millisecond)
		}
		h.Link(nil)
		time.Sleep(3 * time.Second)
		if err := differ(all); err != nil {
			t.Error(err)
		}
	})
}

// Whatever is lost, overtaken and parted, and whoever is killed: in the end all have
// the same, what was shown comes to it, and it is quiet.
func TestAllHaveTheSameAfterAnyFaultsOnceTheseEnd(t *testing.T) {
	const places = 6
	circle := func(a, b actor.NodeID) bool {
		d := (number(a) - number(b) + 1000*places) % places
		return d <= 1 || d == places-1
	}
	for seed := range uint64(12) {
		synctest.Test(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 3))
			h := hub.New(seed)
			defer h.Close()
			h.Latency(time.Millisecond, 100*time.Millisecond, 200*time.Millisecond)
			h.Loss(0.15)
			h.Link(circle)
			var all []*peer
			for i := range places {
				all = append(all, join(t, h, i))
			}
			for range 150 {
				p := all[rng.IntN(len(all))]
				key := fmt.Sprint("key", rng.IntN(20))
				switch rng.IntN(12) {
				case 0:
					cut := 1 + rng.IntN(places-1)
					h.Split(func(n actor.NodeID) int { return number(n) % places / cut })
				case 1, 2:
					h.Split(nil)
				case 3:
					if rng.IntN(3) == 0 {
						all = slices.DeleteFunc(all, func(o *peer) bool { return o == p })
						h.Kill(p.id)
						all = append(all, join(t, h, number(p.id)+places))
					}
				case 4, 5:
					p.Do(func(l *ledger.Ledger[string]) { l.Delete(key) })
				default:
					p.put(key, fmt.Sprint(rng.Int()))
				}
				time.Sleep(time.Duration(rng.IntN(200)) * time.Millisecond)
			}
			h.Split(nil)
			h.Loss(0)
			time.Sleep(20 * time.Second)
			if err := differ(all); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			h.Traffic()
			time.Sleep(time.Minute)
			if payloads, bytes := h.Traffic(); payloads > 62*len(all) || bytes > 20*payloads {
				t.Errorf("seed %d: %d nodes at rest sent %d payloads of %d bytes in a minute", seed, len(all), payloads, bytes)
			}
			for _, p := range all {
				want := make(map[string]string)
				for _, owner := range all {
					if owner != p {
						for key, value := range p.part(owner) {
							want[owner.id.Name+key] = value
						}
					}
				}
				if !maps.Equal(p.told(), want) {
					t.Errorf("seed %d: %s was told %v, and there is %v", seed, p.id.Name, p.told(), want)
				}
			}
		})
	}
}

// told is what changes have come to, by owner and key.
func (p *peer) told() map[string]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.byOwner)
}

// A joiner writes at once. What it broadcasts is heard before it is known.
func TestWhatIsHeardOfANodeBeforeItIsKnownIsThereWhenItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, all := circle(t)
		h.Tardy(100 * time.Millisecond)
		joiner := join(t, h, len(all))
		joiner.put("first", "1")
		time.Sleep(30 * time.Millisecond) // longer than changes are gathered
		joiner.put("second", "2")
		time.Sleep(50 * time.Millisecond)
		for _, p := range all {
			if part := p.part(joiner); len(part) > 0 {
				t.Errorf("%s shows %v of a node that is not known to be there", p.id.Name, part)
			}
		}
		time.Sleep(25 * time.Millisecond) // it has just become known
		for _, p := range all {
			if part := p.part(joiner); part["first"] != "1" || part["second"] != "2" || !p.synced(joiner) {
				t.Errorf("%s has %v", p.id.Name, part)
			}
		}
	})
}

func TestWhatIsHeardOfANodeThatNeverComesIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, all := circle(t)
		h.Tardy(time.Minute)
		joiner := join(t, h, len(all))
		for i := range 400 {
			joiner.put(fmt.Sprint(i), "1")
			time.Sleep(25 * time.Millisecond)
		}
		if n := all[0].Waiting(); n != 256 {
			t.Errorf("%d updates wait", n)
		}
		time.Sleep(21 * time.Second)
		if n := all[0].Waiting(); n > 0 {
			t.Errorf("%d updates wait after 21 seconds", n)
		}
	})
}
