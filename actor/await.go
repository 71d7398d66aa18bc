package actor

import (
	"context"
	"errors"
	"time"
)

// ErrNoMonitor is returned by [Self.AwaitDown] for a ref that is not, or no
// longer, a monitor of the process.
var ErrNoMonitor = errors.New("actor: no such monitor")

// AwaitDown waits until the monitor ref of this process fires and returns its
// [Down], which then is not received as a message. If the Down waits in the
// mailbox already it is taken out of it; everything else stays there.
//
// It is made for Init and Terminate, in which no messages are received and
// which may have to see other processes end: a supervisor's do. A Receive
// should rather wait for the Down message, since a process that waits here
// handles nothing else.
//
// AwaitDown fails with ErrTimeout when ctx's deadline passes, with ctx's error
// when it is cancelled, with ErrKilled when this process is killed, and with
// [ErrNoMonitor]; after a failure the monitor stands as before. Exit signals do
// not end the wait, except through ctx: [Self.Context] ends with them.
func (s *Self) AwaitDown(ctx context.Context, ref MonitorRef) (Down, error) {
	return s.proc().awaitDown(ctx, ref)
}

func (p *process) awaitDown(ctx context.Context, ref MonitorRef) (Down, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var m *monitoring
	if a := p.annex.Load(); a != nil {
		m = a.monitors[ref]
	}
	if m == nil {
		return Down{}, ErrNoMonitor
	}
	for !m.fired {
		if p.fenced() || p.phase == phaseDead {
			return Down{}, ErrKilled
		}
		if ctx.Err() != nil {
			return Down{}, ContextError(ctx)
		}
		p.awaitLocked(ctx, m)
	}
	delete(p.annex.Load().monitors, ref) // a letter in the mailbox is void now
	of := m.of
	if _, whole := of.(wholeNode); whole {
		of = nil
	}
	return Down{Ref: ref, Of: of, Reason: m.reason}, nil
}

// awaitLocked waits until m fires, ctx ends or a signal interrupts p. It lends
// m a call that nobody is asked to answer: whoever completes it ends the wait.
// It is called with p.mu held, and gives it up for the time of the wait.
func (p *process) awaitLocked(ctx context.Context, m *monitoring) {
	a := p.annex.Load()
	c := p.sys.newCall(nil)
	c.deadline = time.Unix(0, 0) // any but none: ctx alone says how long
	r := c.ref()
	m.awaited, a.blocked = r, r
	p.mu.Unlock()
	r.wait(ctx)
	p.sys.recycle(c) // nobody completes r again, and no mailbox refers to c
	p.mu.Lock()
	m.awaited, a.blocked = callRef{}, callRef{}
}
