package actor

import (
	"context"
	"log/slog"
	"time"
)

// Self is a process's handle on itself. It is only for the code of the process:
// its Init, Receive and Terminate, on the goroutine that called them. What
// other goroutines need is the PID and the [System].
type Self process

func (s *Self) proc() *process { return (*process)(s) }

// PID returns the process's identity.
func (s *Self) PID() PID { return s.proc().pid() }

// Parent returns the process that spawned this one, which may be on another
// node; zero if it was spawned from outside a process.
func (s *Self) Parent() PID {
	if s.parent != 0 {
		return PID{node: s.sys.node, id: s.parent}
	}
	if a := s.proc().annex.Load(); a != nil {
		return a.parentAbroad
	}
	return PID{}
}

// System returns the system the process runs in.
func (s *Self) System() *System { return s.sys }

// Logger returns the system's logger with the process's PID.
func (s *Self) Logger() *slog.Logger { return s.sys.log.With("pid", s.PID()) }

// Context returns a context for the message in hand: it has the deadline of the
// call being handled and the trace of the message, and it is cancelled, with
// the exit reason as its cause, when the process is killed, receives an exit
// signal that ends it, or has ended. It costs nothing until it is asked for.
//
// That of a call is cancelled too as soon as its caller has given up, or has
// ended, or its node is lost; a caller on another node is heard of as far as the
// request's channel keeps order, and at the deadline in any case. It may be kept
// after the handler has returned: that of a call then lives until the call has
// been answered, that of another message as long as the process.
func (s *Self) Context() context.Context { return s.proc().messageContext() }

// Send sends msg to the process at to. It does not wait for it to be handled,
// nor, between nodes, for it to arrive. An error says why the message certainly
// will not be handled: ErrNoProc, ErrMailboxFull, ErrKilled when this process
// has been killed, its exit reason when that ended the wait for a full mailbox;
// the message is then a [DeadLetter] too. ErrNilMessage says that there was no
// message. Nil promises nothing but an attempt.
//
// Messages of one process to another on one channel arrive in the order sent.
func (s *Self) Send(to Address, msg any, opts ...SendOption) error {
	if s.proc().fenced() {
		return s.sys.fencedSend(s.proc(), to, msg)
	}
	return s.sys.send(s.proc(), to, msg, opts)
}

// Spawn starts a process and returns when its Init has returned; Init's error,
// or a [*PanicError] if it panicked, is Spawn's. An Init that calls
// [runtime.Goexit] ends this process too, with ErrGoexit. When an exit signal or
// a kill ends this process during Init, it ends the new one too. The new process
// is not linked; see [Self.SpawnLink].
func (s *Self) Spawn(a Actor, opts ...SpawnOption) (PID, error) {
	return s.spawn(a, false, nil, opts)
}

// SpawnLink is [Self.Spawn] with a link that stands before Init begins. A
// failing Init sends no exit signal to this process: the error is enough.
func (s *Self) SpawnLink(a Actor, opts ...SpawnOption) (PID, error) {
	return s.spawn(a, true, nil, opts)
}

// SpawnMonitor is [Self.Spawn] with a monitor that stands before the process
// handles its first message.
func (s *Self) SpawnMonitor(a Actor, opts ...SpawnOption) (PID, MonitorRef, error) {
	var ref MonitorRef
	pid, err := s.spawn(a, false, &ref, opts)
	if err != nil {
		return PID{}, MonitorRef{}, err
	}
	return pid, ref, nil
}

func (s *Self) spawn(a Actor, link bool, watch *MonitorRef, opts []SpawnOption) (PID, error) {
	ctx := context.Background()
	if _, ok := a.(Initializer); ok {
		ctx = s.proc().lifeContext()
	}
	p, err := s.sys.spawn(ctx, s.proc(), a, link, watch, opts)
	if err != nil {
		return PID{}, err
	}
	return p.pid(), nil
}

// Link makes a link with the process at to: when either ends, the other gets an
// exit signal with the reason. Linking twice is linking once. If there is no
// such process, the signal comes at once with ErrNoProc. Only the zero PID is
// an error, ErrNoProc, without any signal; linking to oneself does nothing.
func (s *Self) Link(to PID) error {
	if to.IsZero() {
		return ErrNoProc
	}
	if to != s.PID() {
		s.proc().linkTo(to)
	}
	return nil
}

// Unlink takes a link back, if there is one. No exit signal of it takes effect
// any more; an [Exit] message that is already in the mailbox stays there.
func (s *Self) Unlink(to PID) {
	if !to.IsZero() && to != s.PID() {
		s.proc().unlinkFrom(to)
	}
}

// TrapExit says whether exit signals are to become [Exit] messages. A signal
// from the parent is never such a message: it ends a process that traps exits
// when its turn in the mailbox comes, with Terminate, as gen_server does.
func (s *Self) TrapExit(trap bool) {
	p := s.proc()
	a := p.ensureAnnex()
	p.mu.Lock()
	a.trap = trap
	p.mu.Unlock()
}

// Exit sends an exit signal to the process at to, as if a link to it had
// broken with reason; see [Self.TrapExit]. ErrKilled kills it: that cannot be
// trapped. ErrNormal is ignored by a process that does not trap exits.
func (s *Self) Exit(to PID, reason error) error {
	if s.proc().fenced() {
		return ErrKilled
	}
	return s.sys.exitSignal(s.proc(), to, reason)
}

// Monitor asks for a [Down] when the process at to ends. The Down comes at once
// if there is none. A Name or ClusterName means the process that holds it now.
func (s *Self) Monitor(to Address) MonitorRef { return s.proc().monitor(to) }

// Demonitor ends a monitor. It reports false if its Down is already in the
// mailbox, or if ref is not a monitor of this process.
func (s *Self) Demonitor(ref MonitorRef) bool { return s.proc().demonitor(ref, false) }

// DemonitorFlush is [Self.Demonitor], after which the Down will certainly not
// be received.
func (s *Self) DemonitorFlush(ref MonitorRef) bool { return s.proc().demonitor(ref, true) }

// Register gives this process a local name. A process may have several.
func (s *Self) Register(name Name) error { return s.proc().register(name) }

// Unregister takes a local name from this process. It reports false if the
// process does not hold it.
func (s *Self) Unregister(name Name) bool { return s.proc().unregister(name) }

// Alias returns another PID for this process, which can be given away and taken
// back: after [Self.Unalias] it names nobody, for ever. It is an address for
// messages, calls, monitors and exit signals; a link to it finds no process.
func (s *Self) Alias() (PID, error) { return s.proc().addAlias() }

// Unalias ends an alias. It reports false if alias is not one of this process.
func (s *Self) Unalias(alias PID) bool { return s.proc().removeAlias(alias) }

// SendAfter sends msg to this process after d, unless it ends before. It panics
// if msg is nil.
func (s *Self) SendAfter(d time.Duration, msg any) TimerRef {
	if msg == nil {
		panic(ErrNilMessage)
	}
	return s.proc().startTimer(d, 0, msg)
}

// Every sends msg to this process every d, for the first time after d. Ticks
// that find the last one still waiting are left out. It panics if d is not
// positive or msg is nil.
func (s *Self) Every(d time.Duration, msg any) TimerRef {
	if msg == nil {
		panic(ErrNilMessage)
	}
	if d <= 0 {
		panic("actor: non-positive interval for Every")
	}
	return s.proc().startTimer(d, d, msg)
}

// CancelTimer stops a timer: its message will not be received any more. It
// reports false if the message has been received, or ref is not a timer of
// this process.
func (s *Self) CancelTimer(ref TimerRef) bool { return s.proc().cancelTimer(ref) }

// SetReceiveTimeout asks for a [ReceiveTimeout] message whenever no message has
// been handled for d; zero or less asks for none any more.
func (s *Self) SetReceiveTimeout(d time.Duration) { s.proc().setIdle(d) }

// Stash puts msg, which must be the message in hand, aside until
// [Self.UnstashAll]. If it is a call, the caller goes on waiting. It fails with
// ErrStashFull at the [StashLimit].
func (s *Self) Stash(msg any) error {
	if msg == nil {
		return ErrNilMessage
	}
	return s.proc().stashMessage(msg)
}

// UnstashAll puts the stashed messages before everything that waits in the
// mailbox, the longest stashed first, and returns how many there were.
func (s *Self) UnstashAll() int { return s.proc().unstashAll() }

// SetLabel names the process for people; see [Label].
func (s *Self) SetLabel(label string) {
	p := s.proc()
	a := p.ensureAnnex()
	p.mu.Lock()
	a.label = label
	p.mu.Unlock()
}
