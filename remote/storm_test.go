package remote_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/topos-go/topos/overlay/clientserver"
	"github.com/topos-go/topos/remote"
)

// dials notes when one address was dialled, by anybody.
type dials struct {
	addr string
	mu   sync.Mutex
	at   []time.Time
}

// watched is a transport that tells of it.
type watched struct {
	remote.Transport
	dials *dials
}

func (w watched) Dial(ctx context.Context, addr string) (net.Conn, error) {
	if addr == w.dials.addr {
		w.dials.mu.Lock()
		w.dials.at = append(w.dials.at, time.Now())
		w.dials.mu.Unlock()
	}
	return w.Transport.Dial(ctx, addr)
}

// since returns how many there were since begin, and the most in any d of it.
func (d *dials) since(begin time.Time, within time.Duration) (all, most int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	first, _ := slices.BinarySearchFunc(d.at, begin, time.Time.Compare)
	recent := d.at[first:]
	for i, from := 0, 0; i < len(recent); i++ {
		for recent[i].Sub(recent[from]) >= within {
			from++
		}
		most = max(most, i-from+1)
	}
	return len(recent), most
}

// 100 nodes lose one and come back to it: not all at once, and not for ever.
func TestHundredNodesComeBackWithoutAStorm(t *testing.T) {
	const peers, gone = 100, 10 * time.Second
	bubble(t, func(t *testing.T, w *world) {
		cfg := w.config("hub")
		cfg.Topology, cfg.Role = remote.ClientServer, clientserver.Server
		hub := start(t, cfg)
		d := &dials{addr: hub.Addr()}
		hosts := []*host{hub}
		for i := range peers {
			// They cannot dial each other, so that this is a star.
			cfg := w.config(fmt.Sprint("p", i), hub)
			cfg.Topology, cfg.Role, cfg.Hidden = remote.ClientServer, clientserver.Client, true
			cfg.Advertise, cfg.Transport, cfg.Seed = fmt.Sprintf("nowhere:%d", i+1), watched{cfg.Transport, d}, uint64(i+1)
			cfg.Logger = slog.New(slog.DiscardHandler) // each fails to dial each
			hosts = append(hosts, start(t, cfg))
		}
		linked := func() (n int) {
			for _, m := range hub.Members() {
				if m.Linked && !m.Self {
					n++
				}
			}
			return n
		}
		w.pass(5 * time.Second)
		if n := linked(); n != peers {
			t.Fatalf("%d of %d have joined", n, peers)
		}
		killed := time.Now()
		w.net.Kill("hub")
		w.pass(gone)
		// Attempts wait longer and longer, to RedialMax: those to a node that is
		// down, and those to an address that was given to join.
		// And so do those for messages that are to find out whether it is there.
		if all, _ := d.since(killed, time.Second); all > peers*20 {
			t.Errorf("%d attempts while it was gone", all)
		}
		back := time.Now()
		cfg = w.config("hub")
		cfg.Topology, cfg.Role = remote.ClientServer, clientserver.Server
		hub = start(t, cfg)
		w.pass(10 * time.Second)
		if n := linked(); n != peers {
			t.Errorf("%d of %d are back after 10 s", n, peers)
			reportAbsent(t, hub, hosts[1:peers+1])
		}
		all, most := d.since(back, 100*time.Millisecond)
		t.Logf("%d attempts, at most %d within 100 ms", all, most)
		if all > 3*peers || most > peers/3 {
			t.Errorf("%d attempts, %d of them within 100 ms", all, most)
		}
		if n := hub.Stats().Refused; n > 0 {
			t.Errorf("%d were refused", n)
		}
	})
}

// reportAbsent says what hub and those that are not linked with it know of each other.
func reportAbsent(t *testing.T, hub *host, others []*host) {
	t.Helper()
	known := make(map[string]remote.Member)
	for _, m := range hub.Members() {
		known[m.Node.Name] = m
	}
	for _, h := range others {
		m, member := known[h.ID().Name]
		if member && m.Linked {
			continue
		}
		t.Logf("%v is a member: %v; its neighbors are %v", h.ID(), member, h.Neighbors())
	}
}
