package remote_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote"
	"github.com/topos-go/topos/remote/wire"
)

// Messages without content take memory all the same.
func TestFloodOfEmptyMessagesIsBounded(t *testing.T) {
	n, err := remote.New(config("a"))
	if err != nil {
		t.Fatal(err)
	}
	sys, err := actor.NewSystem(actor.Config{Node: n.ID(), Router: n, Budget: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Start(sys); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close(context.Background()); sys.Close(context.Background()) })
	s := &stopped{let: make(chan struct{})}
	t.Cleanup(func() { close(s.let) })
	pid, err := sys.Spawn(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	cfg := config("b", n.Addr())
	cfg.Channels = []remote.Channel{{Name: remote.DefaultChannel, WhenFull: remote.Fail}}
	b := start(t, cfg)
	<-b.news
	for sent := uint64(0); sent < 1_000_000; sent++ {
		if errors.Is(b.sys.Send(pid, []byte{}), remote.ErrQueueFull) {
			return
		}
		if sent%10_000 == 0 { // let it come, and the word that it is too much
			waitUntil(t, func() bool { return n.Stats().Received >= sent || b.Stats().Throttled > 0 })
		}
	}
	t.Error("a million messages wait for a process with a budget of 64 KiB")
}

// sluice is a network of which the newest connection can be made to take nothing.
type sluice struct {
	remote.Transport
	mu   sync.Mutex
	last *sluiced
}

type sluiced struct {
	net.Conn
	shut atomic.Bool
	open chan struct{} // closed to let everything through again
}

func (s *sluice) Dial(ctx context.Context, addr string) (net.Conn, error) {
	c, err := s.Transport.Dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = &sluiced{Conn: c, open: make(chan struct{})}
	return s.last, nil
}

func (s *sluiced) Write(b []byte) (int, error) {
	if s.shut.Load() {
		<-s.open
	}
	return s.Conn.Write(b)
}

// One of two lanes is stuck. What comes over the other one and must wait for it is
// not confirmed, so that the sender's queue bounds what waits at the receiver.
func TestWhatWaitsForAStuckLaneIsBoundedByItsSendersQueue(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		const queue = 256 << 10
		a := start(t, w.config("a"))
		cfg := w.config("b", a)
		tap := &sluice{Transport: cfg.Transport}
		cfg.Transport = tap
		cfg.Channels = []remote.Channel{{Name: "wide", MaxLanes: 2, GrowBytes: 16 << 10, QueueBytes: queue, WhenFull: remote.Fail}}
		b := start(t, cfg)
		meet(t, a, b)
		var got atomic.Int64
		var to []actor.PID
		for range 32 {
			to = append(to, a.spawn(t, actor.Func(func(*actor.Self, any) error { got.Add(1); return nil })))
		}
		sent := 0
		send := func(size int) {
			for _, pid := range to {
				if b.sys.Send(pid, make([]byte, size), actor.Channel("wide")) == nil {
					sent++
				}
			}
		}
		send(1)
		w.pass(time.Second)
		tap.mu.Lock()
		stuck := tap.last // the connection of lane 0
		tap.mu.Unlock()
		stuck.shut.Store(true)
		for range 2 {
			send(1000) // these wait on lane 0
		}
		w.pass(50 * time.Millisecond)
		for range 20_000 {
			send(1) // some of these go over lane 1, and have to wait
			if sent%1000 == 0 {
				w.pass(10 * time.Millisecond)
			}
		}
		if b.Stats().LanesOpened == 0 {
			t.Fatal("there is only one lane")
		}
		if most := queue / 10; sent > most {
			t.Errorf("%d messages were taken, of which the queue has room for %d", sent, most)
		}
		close(stuck.open)
		stuck.shut.Store(false)
		w.pass(30 * time.Second)
		if got.Load() != int64(sent) {
			t.Errorf("%d of %d have come", got.Load(), sent)
		}
	})
}

// keep answers heartbeats, so that the insider stays a member.
func (in *insider) keep() {
	for {
		f, ok, err := in.dec.Next()
		if err != nil {
			return
		}
		if !ok {
			n, err := in.Read(in.dec.Space())
			if in.dec.Advance(n); err != nil {
				return
			}
			continue
		}
		var m wire.Membership
		if f.Kind == wire.KindMembership && m.Unmarshal(f.Head) == nil && m.Kind == 1 {
			m.Kind = 2
			if _, err := in.Write(wire.Append(nil, wire.KindMembership, &m, 0)); err != nil {
				return
			}
		}
	}
}

// pour writes until the connection is closed or times times have been written.
func (in *insider) pour(b []byte, times int) (closed bool) {
	for range times {
		if _, err := in.Write(b); err != nil {
			return true
		}
	}
	return false
}

// A member that makes others wait for what never comes is given up before it has
// taken much memory, whatever the size of what waits.
func TestMemberThatMakesTooMuchWaitIsGivenUp(t *testing.T) {
	for name, flood := range map[string]func(pid actor.PID) (first, then []byte, times int){
		"messages without content": func(pid actor.PID) (first, then []byte, times int) {
			first = wire.Append(nil, wire.KindSignal, &wire.Signal{Kind: 1, To: pid.ID(), Shard: 1, Encoding: 1, Remember: 1}, 0)
			first = wire.Append(first, wire.KindAfter, &wire.After{Shard: 1, Marks: []*wire.Mark{{Shard: 5, Seq: 1 << 60}}}, 0)
			for range 10_000 {
				then = wire.AppendAgain(then, 0, 0)
			}
			return first, then, 200
		},
		"conditions": func(actor.PID) (first, then []byte, times int) {
			marks := make([]*wire.Mark, 50_000)
			for i := range marks {
				marks[i] = &wire.Mark{Shard: 5, Seq: 1}
			}
			return nil, wire.Append(nil, wire.KindAfter, &wire.After{Shard: 1, Marks: marks}, 0), 500
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFortress(t, nil)
			pid := f.spawn(t, &counter{})
			link := infiltrate(t, f.host, 0, 1)
			go link.keep() // ends with the connection
			<-f.news
			in := infiltrate(t, f.host, 1, 1)
			first, then, times := flood(pid)
			if in.pour(first, 1) {
				t.Fatal("it is closed at once")
			}
			before := heap()
			closed := in.pour(then, times)
			waitUntil(t, func() bool { return len(f.Members()) == 1 })
			if took := heap() - before; took > 1<<30 {
				t.Errorf("it took %d MiB", took>>20)
			}
			t.Log("closed while it wrote:", closed)
		})
	}
}

func TestLongNamesOfTypesAreNotRemembered(t *testing.T) {
	f := newFortress(t, nil)
	pid := f.spawn(t, &counter{})
	link := infiltrate(t, f.host, 0, 1)
	go link.keep()
	<-f.news
	in := infiltrate(t, f.host, 1, 1)
	bad := f.Stats().BadFrames
	in.pour(wire.Append(nil, wire.KindSignal, &wire.Signal{
		Kind: 1, To: pid.ID(), Shard: 1, Encoding: 2, Type: strings.Repeat("x", 2000), Remember: 1,
	}, 0), 1)
	waitUntil(t, func() bool { return f.Stats().BadFrames > bad })
}
