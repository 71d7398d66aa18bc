package actor

import (
	"context"
	"fmt"
	"time"
)

// A spawn on another node is two signals: SignalSpawn, which the parent's node
// sends, and SignalSpawned, which answers it.
//
//	parent's node                      child's node
//	─────────────                      ────────────
//	spawnThere     ── SignalSpawn ──▶  spawnAsked: a process that is there for
//	   waits                             this only constructs, links, calls Init,
//	                                     watches
//	spawned        ◀─ SignalSpawned ─  … and then opens the child's mailbox
//	   links, monitors
//
// The child's half of the link stands before Init, the parent's from when it
// hears of the child: everything the child's end says comes after that.

// spawnThere sends the request to another node and waits for the answer.
func (s *System) spawnThere(ctx context.Context, parent *process, node NodeID, constructor string, args any, tied ties) (PID, MonitorRef, error) {
	if parent != nil && parent.fenced() {
		return PID{}, MonitorRef{}, ErrKilled
	}
	if node.Name == s.node.Value().Name {
		return PID{}, MonitorRef{}, fmt.Errorf("%w: %v is another start of this node", ErrNoConnection, node)
	}
	to := nodeTarget(node)
	c := s.newCall(args)
	if d, ok := ctx.Deadline(); ok {
		c.deadline = d
	}
	sig := Signal{
		Kind: SignalSpawn, To: to.pid, Name: NameAt{Name: Name(constructor), Node: node.Name},
		Msg: args, Deadline: c.dueBy(), Link: tied.link, Watch: tied.watch,
	}
	if parent != nil {
		sig.From = parent.pid()
	}
	sig.Ref = s.expect(c, remoteCall{to: to, child: &expected{parent, tied}})
	value, err := c.outcome(ctx, parent, s.route(sig))
	if err != nil {
		return PID{}, MonitorRef{}, err
	}
	return value.(PID), MonitorRef{sig.Ref}, nil
}

// expected is the child that a request to another node asks for.
type expected struct {
	parent *process // nil: none
	tied   ties
}

// spawned carries out the answer to a SignalSpawn.
func (s *System) spawned(sig Signal) {
	c, waiting := s.peers.takeCall(sig.Ref)
	switch {
	case sig.Reason != nil:
		if waiting {
			c.ref.complete(nil, sig.Reason, false)
		}
	case !waiting || c.child == nil:
		s.abandon(sig)
	case !s.adopt(c.child, sig) || !c.ref.complete(sig.From, nil, true):
		if p := c.child.parent; p != nil {
			p.unlink(sig.From)
			p.demonitor(MonitorRef{sig.Ref}, true)
		}
		s.abandon(sig)
	}
}

// adopt makes the parent's half of what ties it to its child.
func (s *System) adopt(c *expected, sig Signal) bool {
	if c.tied.link && !c.parent.link(sig.From) {
		return false
	}
	child := target{pid: sig.From}
	return !c.tied.watch || c.parent.addMonitor(MonitorRef{sig.Ref}, &monitoring{of: sig.From, target: sig.From}, child, true)
}

// abandon undoes a spawn whose parent waits no more.
func (s *System) abandon(sig Signal) {
	reason := ErrTimeout
	if !s.Alive(sig.To) {
		reason = ErrNoProc
	}
	if sig.Link {
		_ = s.route(Signal{Kind: SignalExit, From: sig.To, To: sig.From, Reason: reason, Link: true})
	}
	if sig.Watch {
		_ = s.route(Signal{Kind: SignalDemonitor, From: sig.To, To: sig.From, Ref: sig.Ref})
	}
}

// errand is a SignalSpawn that is being carried out.
type errand struct {
	Signal
	lost error // why the node that asked is lost, if it is; guarded by peerTable.mu
}

// spawnAsked begins to carry out a SignalSpawn: in a process, because an Init
// may take long.
func (s *System) spawnAsked(sig Signal) {
	if sig.From.node != sig.Origin {
		sig.Link, sig.Watch = false, false // there is nobody to tie the child to
	}
	e := &errand{Signal: sig}
	s.peers.begin(e)
	p, err := s.spawn(context.Background(), nil, Func(e.run), false, nil, []SpawnOption{Label("spawns " + string(sig.Name.Name))})
	if err == nil {
		err = p.deliver(struct{}{}, nil, true)
	}
	if err != nil {
		s.peers.finish(e)
		s.answerSpawn(e, PID{}, err)
	}
}

// answerSpawn sends the outcome of e back. If the node is lost, so is who asked.
func (s *System) answerSpawn(e *errand, child PID, reason error) {
	sig := Signal{Kind: SignalSpawned, From: child, To: e.From, Ref: e.Ref, Reason: reason, Link: e.Link, Watch: e.Watch}
	if sig.To.IsZero() {
		sig.To = PID{node: e.Origin}
	}
	_ = s.route(sig)
}

// run is what the process does that carries out e.
func (e *errand) run(self *Self, _ any) error {
	s := self.sys
	err := ErrGoexit // Init may unwind this goroutine
	defer func() {
		s.peers.finish(e)
		if err != nil {
			s.answerSpawn(e, PID{}, err)
		}
	}()
	due := e.Deadline
	if due.IsZero() {
		due = time.Now().Add(DefaultCallTimeout)
	}
	ctx, cancel := context.WithDeadline(self.proc().lifeContext(), due)
	defer cancel()
	err = s.spawnFor(ctx, e)
	return ErrNormal
}

// spawnFor makes the process that e asks for.
func (s *System) spawnFor(ctx context.Context, e *errand) error {
	a, opts, err := s.construct(string(e.Name.Name), e.Msg)
	if err != nil {
		return err
	}
	p, set, err := s.conceive(ctx, nil, e.From, a, opts)
	if err != nil {
		return err
	}
	if e.Link {
		p.tieTo(e, func(a *annex) { a.links.add(e.From) })
	}
	if err = p.grow(ctx, set); err == nil && p.fence.Load() != 0 {
		err = p.interruption()
	}
	if err != nil {
		p.unlink(e.From) // it hears of the error
		p.abort(err)
		return contextReason(ctx, err)
	}
	if e.Watch {
		p.tieTo(e, func(a *annex) {
			if a.watchers == nil {
				a.watchers = make(map[watchKey]PID)
			}
			a.watchers[watchKey{e.Ref, e.From.node}] = e.From
		})
	}
	s.answerSpawn(e, p.pid(), nil)
	_ = p.open() // an exit signal that comes now is one to the running process
	return nil
}

// contextReason returns err, or ErrTimeout if that is because ctx's time is up.
func contextReason(ctx context.Context, err error) error {
	if context.Cause(ctx) == context.DeadlineExceeded {
		return ErrTimeout
	}
	return err
}

// tieTo lets tie put something that binds p to the process that asked for it
// into p's annex. If that process's node is lost already, p learns of it now.
func (p *process) tieTo(e *errand, tie func(*annex)) {
	a := p.ensureAnnex()
	p.mu.Lock()
	if p.told() {
		p.mu.Unlock()
		return
	}
	tie(a)
	a.abroad = true
	lost := p.sys.peers.watchFor(e, p.id)
	p.mu.Unlock()
	if lost != nil {
		p.nodeLost(e.From.node, lost)
	}
}
