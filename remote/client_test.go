package remote_test

import (
	"errors"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/remote"
)

// A node behind a firewall: it dials, but nobody listens at its address.
func (w *world) client(name string, join *host) *host {
	cfg := w.config(name, join)
	cfg.Advertise = "nowhere:1"
	return start(w.T, cfg)
}

func TestNodeThatCannotBeDialledIsServedOnTheConnectionsItOpens(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		cfg := w.config("a")
		cfg.Channels = []remote.Channel{{Name: "extra"}}
		a := start(t, cfg)
		b := w.client("b", a)
		meet(t, a, b)
		pid := b.spawn(t, &counter{n: 4})
		// The first to need a data lane is the one that cannot dial it.
		for _, channel := range []string{remote.DefaultChannel, "extra"} {
			if err := a.sys.Send(pid, Add{1}, actor.Channel(channel)); err != nil {
				t.Fatal(err)
			}
		}
		w.pass(time.Second)
		if n, err := actor.Call[int](t.Context(), a.sys, pid, Get{}); n != 6 || err != nil {
			t.Errorf("got %d, %v", n, err)
		}
		for range 3 {
			w.net.Cut("a", "b")
			w.pass(2 * time.Second)
			if n, err := actor.Call[int](t.Context(), a.sys, pid, Get{}); n != 6 || err != nil {
				t.Errorf("after a cut: %d, %v", n, err)
			}
		}
		a.quiet(t)
		b.quiet(t)
	})
}

func TestDeathOfANodeThatCannotBeDialledIsNoticedByItsSilence(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		a := w.start("a")
		b := w.client("b", a)
		meet(t, a, b)
		begun := time.Now()
		w.net.Kill("b")
		if ev := a.await(t, remote.MemberDown, b.ID()); !errors.Is(ev.Reason, overlay.ErrSilent) {
			t.Errorf("got %v", ev.Reason)
		}
		if took := time.Since(begun); took > 6*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}
