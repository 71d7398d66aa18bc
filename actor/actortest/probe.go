package actortest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
)

// Probe is a process that records everything it receives: messages as they are,
// calls as a [Request], [actor.Down] of its monitors, and [actor.Exit] of its
// links, since it traps exits. It acts when the test tells it to.
//
// Its methods must be called on the test's goroutine. They return when the
// probe's process has done what they say, and fail the test if it has ended.
type Probe struct {
	*Recorder
	sys *actor.System
	pid actor.PID
}

// Request is a call that a [Probe] has received. It waits for an answer through
// From; until then the caller waits too.
type Request struct {
	Msg  any
	From actor.From
}

// NewProbe starts a probe in sys.
func NewProbe(t testing.TB, sys *actor.System, opts ...actor.SpawnOption) *Probe {
	t.Helper()
	p := &Probe{Recorder: newRecorder(t), sys: sys}
	pid, err := sys.Spawn(context.Background(), (*recording)(p.Recorder), opts...)
	if err != nil {
		t.Fatalf("spawn a probe: %v", err)
	}
	p.pid = pid
	return p
}

// recording is the actor behind a probe.
type recording Recorder

// order is something that the test wants done in the probe's process.
type order struct{ do func(self *actor.Self) error }

func (r *recording) Init(self *actor.Self) error {
	self.TrapExit(true)
	return nil
}

func (r *recording) Receive(self *actor.Self, msg any) error {
	switch m := msg.(type) {
	case order:
		from := self.From() // before do, which may end the process
		err := m.do(self)
		from.Reply(true)
		return err
	default:
		if self.IsCall() {
			msg = Request{Msg: msg, From: self.From()}
		}
		(*Recorder)(r).add(msg)
	}
	return nil
}

// PID returns the probe's identity.
func (p *Probe) PID() actor.PID { return p.pid }

// System returns the system the probe runs in.
func (p *Probe) System() *actor.System { return p.sys }

// patience bounds an order: long enough for any test, so that only a deadlock
// meets it.
const patience = 10 * time.Minute

// Do runs f in the probe's process. An error ends the process with that reason.
func (p *Probe) Do(f func(self *actor.Self) error) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if _, err := actor.Call[bool](ctx, p.sys, p.pid, order{f}); err != nil {
		p.t.Fatalf("probe: %v", err)
	}
}

// act is Do for what cannot end the probe.
func (p *Probe) act(f func(self *actor.Self)) {
	p.t.Helper()
	p.Do(func(self *actor.Self) error {
		f(self)
		return nil
	})
}

// End ends the probe with reason, as if its Receive had returned it.
func (p *Probe) End(reason error) {
	p.t.Helper()
	p.Do(func(*actor.Self) error { return reason })
}

// Send sends msg from the probe; see [actor.Self.Send].
func (p *Probe) Send(to actor.Address, msg any, opts ...actor.SendOption) (err error) {
	p.t.Helper()
	p.act(func(self *actor.Self) { err = self.Send(to, msg, opts...) })
	return err
}

// Call calls from within the probe's process, which records nothing meanwhile;
// see [actor.Call].
func (p *Probe) Call(ctx context.Context, to actor.Address, req any, opts ...actor.SendOption) (reply any, err error) {
	p.t.Helper()
	p.act(func(self *actor.Self) { reply, err = actor.Call[any](ctx, self, to, req, opts...) })
	return reply, err
}

// Spawn spawns a from the probe. It fails the test if that fails.
func (p *Probe) Spawn(a actor.Actor, opts ...actor.SpawnOption) actor.PID {
	p.t.Helper()
	return p.spawn(a, (*actor.Self).Spawn, opts)
}

// SpawnLink spawns a, linked, from the probe. It fails the test if that fails.
func (p *Probe) SpawnLink(a actor.Actor, opts ...actor.SpawnOption) actor.PID {
	p.t.Helper()
	return p.spawn(a, (*actor.Self).SpawnLink, opts)
}

func (p *Probe) spawn(a actor.Actor, how func(*actor.Self, actor.Actor, ...actor.SpawnOption) (actor.PID, error), opts []actor.SpawnOption) (pid actor.PID) {
	p.t.Helper()
	var err error
	p.act(func(self *actor.Self) { pid, err = how(self, a, opts...) })
	if err != nil {
		p.t.Fatalf("spawn %T: %v", a, err)
	}
	return pid
}

// Link links the probe with the process at to; see [actor.Self.Link].
func (p *Probe) Link(to actor.PID) (err error) {
	p.t.Helper()
	p.act(func(self *actor.Self) { err = self.Link(to) })
	return err
}

// Unlink takes a link back; see [actor.Self.Unlink].
func (p *Probe) Unlink(to actor.PID) {
	p.t.Helper()
	p.act(func(self *actor.Self) { self.Unlink(to) })
}

// Monitor monitors the process at to; see [actor.Self.Monitor].
func (p *Probe) Monitor(to actor.Address) (ref actor.MonitorRef) {
	p.t.Helper()
	p.act(func(self *actor.Self) { ref = self.Monitor(to) })
	return ref
}

// Demonitor ends a monitor; see [actor.Self.Demonitor].
func (p *Probe) Demonitor(ref actor.MonitorRef) (ended bool) {
	p.t.Helper()
	p.act(func(self *actor.Self) { ended = self.Demonitor(ref) })
	return ended
}

// Exit sends an exit signal from the probe; see [actor.Self.Exit].
func (p *Probe) Exit(to actor.PID, reason error) (err error) {
	p.t.Helper()
	p.act(func(self *actor.Self) { err = self.Exit(to, reason) })
	return err
}

// ExpectDown fails the test unless the next thing recorded is the Down of a
// monitor of the address of, with a reason that matches reason as [errors.Is]
// sees it. It returns the Down.
func (p *Probe) ExpectDown(of actor.Address, reason error, timeout time.Duration) actor.Down {
	p.t.Helper()
	down := Expect[actor.Down](p, timeout)
	if down.Of != of || !errors.Is(down.Reason, reason) {
		p.t.Fatalf("got Down of %v: %v, want of %v: %v", down.Of, down.Reason, of, reason)
	}
	return down
}

// ExpectExit fails the test unless the next thing recorded is an Exit from the
// process from, with a reason that matches reason as [errors.Is] sees it. It
// returns the Exit.
func (p *Probe) ExpectExit(from actor.PID, reason error, timeout time.Duration) actor.Exit {
	p.t.Helper()
	exit := Expect[actor.Exit](p, timeout)
	if exit.From != from || !errors.Is(exit.Reason, reason) {
		p.t.Fatalf("got Exit from %v: %v, want from %v: %v", exit.From, exit.Reason, from, reason)
	}
	return exit
}
