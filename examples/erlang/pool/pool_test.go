package main

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/supervisor"
)

func Example() {
	if err := run(context.Background(), os.Stdout); err != nil {
		panic(err)
	}
	// Output: ten clients were served by at most five connections
}

// stage is a pool whose connections are pipes, in a bubble.
type stage struct {
	t     *testing.T
	sys   *actor.System
	cfg   config
	mu    sync.Mutex
	ends  []net.Conn // the services' ends, in the order of dialling
	broke bool       // no connection can be made
}

func onStage(t *testing.T, size, overflow int, f func(t *testing.T, s *stage)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		sys, err := actor.NewSystem(actor.Config{})
		if err != nil {
			t.Fatal(err)
		}
		s := &stage{t: t, sys: sys}
		t.Cleanup(func() {
			if err := sys.Close(context.Background()); err != nil {
				t.Error(err)
			}
		})
		s.cfg = config{name: "db", size: size, overflow: overflow, worker: connect(s.dial)}
		if _, err := supervisor.Spawn(t.Context(), sys, s.cfg.spec()); err != nil {
			t.Fatal(err)
		}
		f(t, s)
	})
}

func (s *stage) dial() (net.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broke {
		return nil, errors.New("refused")
	}
	near, far := net.Pipe()
	s.ends = append(s.ends, far)
	go echo(far)
	return near, nil
}

func (s *stage) status() status {
	s.t.Helper()
	synctest.Wait()
	got, err := actor.Call[status](s.t.Context(), s.sys, s.cfg.name, ask{})
	if err != nil {
		s.t.Fatal(err)
	}
	return got
}

func (s *stage) expect(want status) {
	s.t.Helper()
	if got := s.status(); got != want {
		s.t.Errorf("the pool has %+v, want %+v", got, want)
	}
}

// client takes a connection and holds it until it is told what to do.
func (s *stage) client() actor.PID {
	s.t.Helper()
	pid, err := s.sys.Spawn(s.t.Context(), &holder{pool: s.cfg.name})
	if err != nil {
		s.t.Fatal(err)
	}
	_ = s.sys.Send(pid, "take")
	synctest.Wait()
	return pid
}

type holder struct {
	pool actor.Name
	conn actor.PID
}

var errPlanned = errors.New("planned")

func (h *holder) Receive(self *actor.Self, msg any) error {
	switch msg {
	case "take":
		conn, err := actor.Call[actor.PID](self.Context(), self, h.pool, checkout{client: self.PID(), wait: true})
		if err != nil {
			return err
		}
		h.conn = conn
	case "give back":
		return self.Send(h.pool, checkin{h.conn})
	case "crash":
		return errPlanned
	case "which":
		return self.Reply(h.conn)
	}
	return nil
}

func TestConnectionsComeBackAndOverflowIsClosed(t *testing.T) {
	onStage(t, 1, 1, func(t *testing.T, s *stage) {
		s.expect(status{Idle: 1})
		first, second := s.client(), s.client()
		s.expect(status{Busy: 2})
		_ = s.sys.Send(first, "give back")
		s.expect(status{Busy: 1})
		_ = s.sys.Send(second, "give back")
		s.expect(status{Idle: 1})
	})
}

func TestClientsWaitInOrder(t *testing.T) {
	onStage(t, 1, 0, func(t *testing.T, s *stage) {
		first, second, third := s.client(), s.client(), s.client()
		s.expect(status{Busy: 1, Waiting: 2})
		for _, pair := range [][2]actor.PID{{first, second}, {second, third}} {
			_ = s.sys.Send(pair[0], "give back")
			synctest.Wait()
			if conn, err := actor.Call[actor.PID](t.Context(), s.sys, pair[1], "which"); conn.IsZero() || err != nil {
				t.Fatalf("the next has %v, %v", conn, err)
			}
		}
	})
}

func TestCheckoutThatDoesNotWaitFailsAtOnce(t *testing.T) {
	onStage(t, 1, 0, func(t *testing.T, s *stage) {
		s.client()
		_, err := actor.Call[actor.PID](t.Context(), s.sys, s.cfg.name, checkout{})
		if !errors.Is(err, errFull) {
			t.Errorf("checkout fails with %v", err)
		}
	})
}

func TestWhoHasGivenUpGetsNoConnection(t *testing.T) {
	onStage(t, 1, 0, func(t *testing.T, s *stage) {
		first := s.client()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := actor.Call[actor.PID](ctx, s.sys, s.cfg.name, checkout{wait: true}); !errors.Is(err, actor.ErrTimeout) {
			t.Errorf("checkout fails with %v", err)
		}
		_ = s.sys.Send(first, "give back")
		s.expect(status{Idle: 1})
	})
}

func TestConnectionOfACrashedClientIsReplaced(t *testing.T) {
	onStage(t, 1, 0, func(t *testing.T, s *stage) {
		first := s.client()
		conn, err := actor.Call[actor.PID](t.Context(), s.sys, first, "which")
		if err != nil {
			t.Fatal(err)
		}
		second := s.client()
		_ = s.sys.Send(first, "crash")
		s.expect(status{Busy: 1})
		if s.sys.Alive(conn) {
			t.Error("the connection that was in use is still open")
		}
		if next, err := actor.Call[actor.PID](t.Context(), s.sys, second, "which"); next == conn || next.IsZero() || err != nil {
			t.Errorf("who waited has %v, %v", next, err)
		}
	})
}

func TestBrokenConnectionIsReplaced(t *testing.T) {
	onStage(t, 2, 0, func(t *testing.T, s *stage) {
		first := s.client()
		conn, _ := actor.Call[actor.PID](t.Context(), s.sys, first, "which")
		s.mu.Lock()
		for _, end := range s.ends {
			end.Close()
		}
		s.mu.Unlock()
		if _, err := actor.Call[string](t.Context(), s.sys, conn, query("hi")); err == nil {
			t.Error("a broken connection answers")
		}
		s.expect(status{Idle: 2})
	})
}

func TestPoolWithoutServiceGivesUpThroughItsSupervisor(t *testing.T) {
	onStage(t, 1, 0, func(t *testing.T, s *stage) {
		first := s.client()
		conn, _ := actor.Call[actor.PID](t.Context(), s.sys, first, "which")
		s.mu.Lock()
		s.broke = true
		s.mu.Unlock()
		_ = s.sys.Exit(conn, errPlanned)
		time.Sleep(time.Minute)
		if _, ok := s.sys.Whereis(s.cfg.name); ok {
			t.Error("the pool is there without a service")
		}
	})
}
