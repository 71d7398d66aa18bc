package exchange_test

import (
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/registry/internal/exchange"
	"github.com/topos-go/topos/registry/internal/hub"
	"github.com/topos-go/topos/registry/internal/ledger"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// peer is a node with an exchange, and what that has told.
type peer struct {
	*exchange.Exchange[string]
	id  actor.NodeID
	end *hub.End

	mu      sync.Mutex
	shown   map[string]string
	byOwner map[string]string // likewise, with the owner's name before the key
	turned  int
}

const topic = "test"

func join(t testing.TB, h *hub.Hub, i int) *peer {
	t.Helper()
	return joinAs(t, h, i, false)
}

func joinAs(t testing.TB, h *hub.Hub, i int, hasty bool) *peer {
	t.Helper()
	p := &peer{id: actor.NodeID{Name: fmt.Sprint("n", i), Incarnation: actor.Incarnation{Boot: 1}}, shown: make(map[string]string), byOwner: make(map[string]string)}
	p.Exchange = exchange.New(exchange.Config[string]{
		Topic: topic, Node: p.id, Logger: slog.New(slog.DiscardHandler), Hasty: hasty,
		Weigh:   func(s string) int { return len(s) },
		Changed: p.changed,
		Turned: func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.turned++
		},
	})
	p.end = h.Join(p.id)
	p.Start(p.end)
	p.end.Open()
	t.Cleanup(p.Close)
	return p
}

// changed notes changes, after they are made.
func (p *peer) changed(_ *ledger.Ledger[string], changes []ledger.Change[string]) func() {
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, c := range changes {
			key := c.Owner.Value().Name + c.Key
			if c.Has {
				p.shown[c.Key], p.byOwner[key] = c.New, c.New
			} else {
				delete(p.shown, c.Key)
				delete(p.byOwner, key)
			}
		}
	}
}

func (p *peer) turns() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.turned
}

func (p *peer) put(key, value string) {
	p.Do(func(l *ledger.Ledger[string]) { l.Put(key, value) })
}

func (p *peer) part(of *peer) (part map[string]string) {
	p.Do(func(l *ledger.Ledger[string]) { part = maps.Collect(l.Part(of.id)) })
	return part
}

func TestChangesOfOneNodeAreSeenOnTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hub.New(1)
		defer h.Close()
		a, b := join(t, h, 1), join(t, h, 2)
		a.put("x", "1")
		synctest.Wait()
		c := join(t, h, 3)
		synctest.Wait()
		for _, p := range []*peer{b, c} {
			if got := p.part(a); got["x"] != "1" || p.shown["x"] != "1" || p.turned == 0 {
				t.Errorf("%v has %v, was told %v", p.id.Name, got, p.shown)
			}
		}
		a.Do(func(l *ledger.Ledger[string]) { l.Delete("x") })
		synctest.Wait()
		if got := b.part(a); len(got) > 0 || len(b.shown) > 0 {
			t.Errorf("after it was deleted: %v, %v", got, b.shown)
		}
	})
}

func TestWhatWasLostIsMadeUpForWithoutSendingEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hub.New(1)
		defer h.Close()
		a, b := join(t, h, 1), join(t, h, 2)
		synctest.Wait()
		for i := range 20_000 {
			a.put(fmt.Sprint("key", i), "some value of some length")
		}
		synctest.Wait()
		_, all := h.Traffic()
		h.Lose(func(_, _ actor.NodeID, _ string) bool { return true })
		a.put("key7", "another")
		synctest.Wait()
		h.Lose(nil)
		h.Traffic()
		time.Sleep(exchange.DefaultAntiEntropy + time.Second)
		if got := b.part(a)["key7"]; got != "another" {
			t.Errorf("it has %q", got)
		}
		if _, bytes := h.Traffic(); bytes > all/40 {
			t.Errorf("%d bytes to make up for one change, %d for all", bytes, all)
		}
	})
}

func TestGapIsNoticedWithTheNextChangeAndFilledAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hub.New(1)
		defer h.Close()
		a, b := join(t, h, 1), join(t, h, 2)
		synctest.Wait()
		h.Lose(func(_, _ actor.NodeID, _ string) bool { return true })
		a.put("lost", "1")
		synctest.Wait()
		h.Lose(nil)
		a.put("next", "2")
		synctest.Wait() // no time passes
		if got := b.part(a); got["lost"] != "1" || got["next"] != "2" {
			t.Errorf("it has %v", got)
		}
	})
}

func TestLargePartsTravelInPiecesAndLostOnesAreAskedForAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hub.New(1)
		defer h.Close()
		var mu sync.Mutex
		n := 0
		h.Latency(time.Millisecond, 0, 0)
		h.Lose(func(_, _ actor.NodeID, _ string) bool {
			mu.Lock()
			defer mu.Unlock()
			n++
			return n%5 == 0
		})
		a := join(t, h, 1)
		for i := range 10_000 {
			a.put(fmt.Sprint("key", i), strings.Repeat("v", 100))
		}
		synctest.Wait()
		h.Traffic()
		b := join(t, h, 2)
		time.Sleep(time.Minute)
		if got := len(b.part(a)); got != 10_000 {
			t.Errorf("it has %d records", got)
		}
		if payloads, bytes := h.Traffic(); bytes/payloads > 80<<10 {
			t.Errorf("%d bytes in %d payloads", bytes, payloads)
		}
	})
}

func TestQuietNodesSayLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hub.New(1)
		defer h.Close()
		a := join(t, h, 1)
		join(t, h, 2)
		for i := range 10_000 {
			a.put(fmt.Sprint("key", i), "value")
		}
		time.Sleep(10 * time.Second)
		h.Traffic()
		time.Sleep(time.Minute)
		if payloads, bytes := h.Traffic(); payloads > 30 || bytes > 2000 {
			t.Errorf("two quiet nodes sent %d payloads of %d bytes in a minute", payloads, bytes)
		}
	})
}

// FuzzHandle lets a node that is up send anything.
func FuzzHandle(f *testing.F) {
	for _, seed := range []string{
		"", "\xff", "not cbor", "\xa1\x01\xf6", // an update that is null
		"\xa1\x01\x82\x00\x81\x84\x61x\x01\xf4\x61y", // an update of one record
		"\xa1\x02\x82\x05\x06",                       // have
		"\xa1\x03\x82\x82\x39\xff\xff\x60\x81\x01",   // an ask from before the first bucket
		"\xa1\x05\x01",                               // a digest
		"\xa1\x06\x82\x81\x83\x01\x1b\xff\xff\xff\xff\xff\xff\xff\xff\x00\xf4",         // a vector
		"\xa1\x04\x85\x82\x00\x60\x01\x81\x84\x39\xff\xff\x60\x60\x80\x82\x00\x60\xf5", // a page
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		synctest.Test(t, func(t *testing.T) {
			h := hub.New(1)
			defer h.Close()
			a := join(t, h, 1)
			a.put("x", "1")
			end := h.Join(actor.NodeID{Name: "n9"})
			end.HandleControl(topic, func(actor.NodeID, []byte) {})
			end.Open()
			synctest.Wait()
			_ = end.SendControl(a.id, topic, payload)
			_ = end.Broadcast(topic, payload)
			synctest.Wait()
			b := join(t, h, 2)
			synctest.Wait()
			if got := b.part(a); len(got) != 1 || got["x"] != "1" {
				t.Errorf("after %x: %v", payload, got)
			}
		})
	})
}

func TestExchangeThatStartsLaterThanItsNodeIsAskedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hub.New(1)
		defer h.Close()
		a := join(t, h, 1)
		late := &peer{id: actor.NodeID{Name: "late", Incarnation: actor.Incarnation{Boot: 1}}, shown: make(map[string]string), byOwner: make(map[string]string)}
		late.Exchange = exchange.New(exchange.Config[string]{
			Topic: topic, Node: late.id, Logger: slog.New(slog.DiscardHandler),
			Weigh: func(s string) int { return len(s) }, Changed: late.changed,
		})
		end := h.Join(late.id)
		end.HandleControl("another topic", func(actor.NodeID, []byte) {})
		end.Open()
		synctest.Wait() // a has asked, and nobody was there to hear it
		before := a.turns()
		late.Start(end)
		t.Cleanup(late.Close)
		late.put("x", "1")
		synctest.Wait() // no time passes
		var synced bool
		a.Do(func(l *ledger.Ledger[string]) { synced = l.Synced(late.id) })
		if got := a.part(late); got["x"] != "1" || !synced {
			t.Errorf("%v, complete: %v", got, synced)
		}
		if turns := a.turns() - before; turns != 1 {
			t.Errorf("it was told %d times that a part is complete", turns)
		}
	})
}
