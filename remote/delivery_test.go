package remote_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote"
)

// ledger is a System that notes what it is given, slowly.
type ledger struct {
	slow time.Duration // how long a delivery takes

	mu    sync.Mutex
	lines []string
}

func (l *ledger) note(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, fmt.Sprintf(format, args...))
}

func (l *ledger) read() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.lines)
}

func (l *ledger) Deliver(sig actor.Signal) bool {
	<-time.After(l.slow)
	l.note("%v from %v", sig.Msg, sig.Origin.Value().Incarnation.Boot)
	return false
}

func (l *ledger) NodeDown(node actor.NodeID, _ error) { l.note("down %v", node.Incarnation.Boot) }

// desk starts a node that serves a ledger.
func (w *world) desk(t *testing.T, l *ledger, cfg remote.Config) *remote.Node {
	t.Helper()
	n, err := remote.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Start(l); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close(context.Background()) })
	return n
}

// ofNode is the first process of a node.
func ofNode(n *remote.Node) actor.PID {
	pid, err := actor.ParsePID("<" + n.ID().String() + "/1.1>")
	if err != nil {
		panic(err)
	}
	return pid
}

func TestEverythingThatArrivedIsDeliveredBeforeNodeDown(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		l := &ledger{slow: 10 * time.Millisecond}
		a := w.desk(t, l, w.config("a"))
		cfg := w.config("b")
		cfg.Join, cfg.Incarnation = []string{"a:1"}, actor.Incarnation{Boot: 1}
		b := w.desk(t, new(ledger), cfg)
		synctest.Wait()
		for i := range 200 {
			if err := b.Route(actor.Signal{Kind: actor.SignalMessage, To: ofNode(a), Msg: i}); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait() // they have arrived, and one is being delivered
		w.net.Kill("b")
		w.pass(10 * time.Second)
		lines := l.read()
		if len(lines) != 201 || lines[199] != "199 from 1" || lines[200] != "down 1" {
			t.Errorf("%d lines, ending in %v", len(lines), lines[max(0, len(lines)-2):])
		}
	})
}

func TestNewIncarnationIsDeliveredOnlyAfterNodeDownOfTheOld(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		l := &ledger{slow: 100 * time.Millisecond}
		a := w.desk(t, l, w.config("a"))
		send := func(boot uint64, msg int) {
			cfg := w.config("b")
			cfg.Join, cfg.Incarnation = []string{"a:1"}, actor.Incarnation{Boot: boot}
			b := w.desk(t, new(ledger), cfg)
			synctest.Wait()
			for i := range 5 {
				if err := b.Route(actor.Signal{Kind: actor.SignalMessage, To: ofNode(a), Msg: msg + i}); err != nil {
					t.Fatal(err)
				}
			}
			synctest.Wait()
		}
		send(1, 0)
		w.net.Kill("b")
		send(2, 10)
		w.pass(10 * time.Second)
		want := []string{
			"0 from 1", "1 from 1", "2 from 1", "3 from 1", "4 from 1", "down 1",
			"10 from 2", "11 from 2", "12 from 2", "13 from 2", "14 from 2",
		}
		if got := l.read(); !slices.Equal(got, want) {
			t.Errorf("got %q", got)
		}
	})
}

func TestControlPayloadWaitsUntilSubscribersKnowTheNode(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		var d diary
		a := start(t, w.config("a"), func(n *remote.Node) {
			n.Subscribe(func(ev remote.MemberEvent) {
				w.pass(time.Second) // a slow subscriber
				d.note("%v", ev.Kind)
			})
			n.HandleControl("t", func(_ actor.NodeID, payload []byte) { d.note("%s", payload) })
		})
		b := w.start("b", a)
		b.await(t, remote.MemberUp, a.ID())
		if err := b.SendControl(a.ID(), "t", []byte("payload")); err != nil {
			t.Fatal(err)
		}
		w.pass(2 * time.Second)
		w.net.Kill("b")
		w.pass(3 * time.Second)
		if got := d.read(); !slices.Equal(got, []string{"up", "payload", "down"}) {
			t.Errorf("got %v", got)
		}
	})
}

func TestReceivedBytesBelongToTheReceiver(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		h := w.cluster("a", "b")
		p := newProbe(false)
		keeper := h[0].spawn(t, p)
		echo := h[0].spawn(t, &counter{})
		var replies [][]byte
		for i := range 500 {
			data := bytes.Repeat([]byte{byte(i)}, 100)
			if err := h[1].sys.Send(keeper, data); err != nil {
				t.Fatal(err)
			}
			reply, err := actor.Call[[]byte](t.Context(), h[1].sys, echo, data)
			if err != nil {
				t.Fatal(err)
			}
			replies = append(replies, reply)
		}
		for i := range 500 {
			want := bytes.Repeat([]byte{byte(i)}, 100)
			if got := next[[]byte](t, p); !bytes.Equal(got, want) {
				t.Fatalf("message %d has been overwritten", i)
			}
			if !bytes.Equal(replies[i], want) {
				t.Fatalf("reply %d has been overwritten", i)
			}
		}
	})
}

// freezer is a host whose connections can stop passing on what is written, one
// by one, without anybody noticing.
type freezer struct {
	remote.Transport
	mu    sync.Mutex
	conns []*frozen
}

type frozen struct {
	net.Conn
	cold atomic.Bool
}

func (c *frozen) Write(b []byte) (int, error) {
	if c.cold.Load() {
		return len(b), nil
	}
	return c.Conn.Write(b)
}

func (f *freezer) Dial(ctx context.Context, addr string) (net.Conn, error) {
	conn, err := f.Transport.Dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	c := &frozen{Conn: conn}
	f.conns = append(f.conns, c)
	return c, nil
}

func TestConnectionThatConfirmsNothingIsMadeAnew(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		a := w.start("a")
		cfg := w.config("b", a)
		ice := &freezer{Transport: cfg.Transport}
		cfg.Transport = ice
		b := start(t, cfg)
		meet(t, a, b)
		pid := a.spawn(t, &counter{})
		if _, err := actor.Call[int](t.Context(), b.sys, pid, Get{}); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Second)
		ice.mu.Lock()
		ice.conns[len(ice.conns)-1].cold.Store(true) // the default lane's
		ice.mu.Unlock()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := actor.Call[int](ctx, b.sys, pid, Get{}); err != nil {
			t.Errorf("got %v", err)
		}
		a.quiet(t)
		b.quiet(t)
	})
}
