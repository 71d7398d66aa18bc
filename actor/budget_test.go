package actor

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"
)

// brake is a router to nowhere that notes who has been relieved.
type brake struct {
	mu       sync.Mutex
	relieved []PID
	told     chan PID
}

func (b *brake) Route(Signal) error { return ErrNoConnection }

func (b *brake) Relieved(pid PID) {
	b.mu.Lock()
	b.relieved = append(b.relieved, pid)
	b.mu.Unlock()
	b.told <- pid
}

// stuck handles a message when it is let.
type stuck struct {
	let     chan struct{}
	handled int
}

func (s *stuck) Receive(*Self, any) error {
	<-s.let
	s.handled++
	return nil
}

func newBraked(t *testing.T, budget int) (*System, *brake) {
	t.Helper()
	b := &brake{told: make(chan PID, 100)}
	s, err := NewSystem(Config{Router: b, Budget: budget})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s, b
}

func (b *brake) await(t *testing.T, pid PID) {
	t.Helper()
	select {
	case got := <-b.told:
		if got != pid {
			t.Errorf("%v is relieved, not %v", got, pid)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("nobody is relieved")
	}
}

func TestMailFromOtherNodesIsOverItsBudgetUntilHalfIsHandled(t *testing.T) {
	const budget, size = 1 << 20, 10 << 10
	s, b := newBraked(t, budget)
	a := &stuck{let: make(chan struct{})}
	pid, err := s.Spawn(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	sig := Signal{Kind: SignalMessage, To: pid, Msg: "x", Size: size}
	sent := 0
	for ; !s.Deliver(sig); sent++ {
		if sent > 1000 {
			t.Fatal("it is never over")
		}
	}
	if bytes := sent * size; bytes < budget || bytes > budget+3*few*size { // some are not charged
		t.Errorf("it is over after %d bytes", bytes)
	}
	if got, over := s.Overloaded(sig); got != pid || !over {
		t.Errorf("overloaded: %v, %v", got, over)
	}
	for range 20 {
		a.let <- struct{}{}
	}
	select {
	case <-b.told:
		t.Error("relieved far too early")
	case <-time.After(10 * time.Millisecond):
	}
	for range sent - 20 - 10 {
		a.let <- struct{}{}
	}
	b.await(t, pid)
	if _, over := s.Overloaded(sig); over {
		t.Error("still over")
	}
	close(a.let)
	// It can happen again.
	for i := 0; i < 10; i++ {
		s.Deliver(Signal{Kind: SignalMessage, To: pid, Msg: "x", Size: budget + 1})
	}
	b.await(t, pid)
}

func TestProcessThatKeepsUpIsNeverOver(t *testing.T) {
	s, _ := newBraked(t, 1<<20)
	a := &stuck{let: make(chan struct{})}
	close(a.let)
	pid, err := s.Spawn(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	for range 10000 {
		if s.Deliver(Signal{Kind: SignalMessage, To: pid, Msg: "x", Size: 1000}) {
			t.Fatal("over")
		}
		if _, err := Call[any](t.Context(), s, pid, "y"); !errors.Is(err, ErrNoReply) {
			t.Fatal(err)
		}
	}
}

func TestEndOfAnOverloadedProcessRelievesItsSenders(t *testing.T) {
	s, b := newBraked(t, 1<<20)
	a := &stuck{let: make(chan struct{})}
	pid, err := s.Spawn(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	for !s.Deliver(Signal{Kind: SignalMessage, To: pid, Msg: "x", Size: 100 << 10}) {
	}
	_ = s.Kill(pid)
	close(a.let)
	b.await(t, pid)
}

func TestFullMailboxThatBlocksTakesMailFromOtherNodesAndIsOver(t *testing.T) {
	s, b := newBraked(t, 1<<20)
	a := &stuck{let: make(chan struct{})}
	pid, err := s.Spawn(t.Context(), a, Mailbox{Capacity: 3, Overflow: OverflowBlock, Wait: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	sig := Signal{Kind: SignalMessage, To: pid, Msg: "x", Size: 10}
	begun := time.Now()
	over := 0
	const n = 20
	for range n {
		if s.Deliver(sig) {
			over++
		}
	}
	if over < n-5 || time.Since(begun) > time.Minute {
		t.Errorf("%d were over", over)
	}
	close(a.let)
	b.await(t, pid)
	if _, err := Call[any](t.Context(), s, pid, "y"); !errors.Is(err, ErrNoReply) || a.handled != n+1 {
		t.Errorf("%d handled, %v", a.handled, err)
	}
}

func TestMarksAreNotSeenByTheActor(t *testing.T) {
	s, b := newBraked(t, quanta)
	a := &stuck{let: make(chan struct{})}
	close(a.let)
	pid, err := s.Spawn(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	const n = 100
	for range n {
		s.Deliver(Signal{Kind: SignalMessage, To: pid, Msg: "x", Size: small})
	}
	if _, err := Call[any](t.Context(), s, pid, "y"); !errors.Is(err, ErrNoReply) || a.handled != n+1 {
		t.Errorf("%d handled, %v", a.handled, err)
	}
	b.await(t, pid)
}

// Nobody who was told to stop waits for ever, however the two race.
func TestRelieveIsNeverMissed(t *testing.T) {
	s, b := newBraked(t, 4*small)
	a := &stuck{let: make(chan struct{})}
	close(a.let)
	pid, err := s.Spawn(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	sig := Signal{Kind: SignalMessage, To: pid, Msg: "x", Size: small}
	for range 3000 {
		if !s.Deliver(sig) {
			continue
		}
		if _, over := s.Overloaded(sig); over {
			b.await(t, pid)
		} else {
			select { // it was relieved meanwhile
			case <-b.told:
			case <-time.After(10 * time.Second):
				t.Fatal("not relieved")
			}
		}
		for len(b.told) > 0 {
			<-b.told
		}
	}
}
