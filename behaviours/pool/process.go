package pool

import (
	"context"
	"fmt"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/internal/hash"
	"github.com/topos-go/topos/supervisor"
)

// process is the process of a pool: it carries out what the desk decides.
type process struct {
	cfg  Config
	desk *desk

	sup, staff actor.PID
	supDown    actor.MonitorRef
	life       context.Context // of jobs for which nobody waits: the pool's

	workers []*member // by slot; nil where there was none yet
	watched map[actor.MonitorRef]*member
	work    map[uint64]*work
	last    uint64 // the job that came last
	timer   actor.TimerRef
	armed   time.Time // when timer is due; zero if it is not set

	completed, failed, refused uint64
}

// work is a job and who wants it done.
type work struct {
	job
	msg  any
	from actor.From // of a call
	part *gather    // of which it is the partOf-th part

	partOf int

	ctx     context.Context
	leave   func() bool // ends the watch over ctx while it waits
	worker  *member     // who has it in hand
	request *actor.Request[any]
}

// member is one worker, from its start to its end.
type member struct {
	pid   actor.PID
	slot  int
	gone  bool
	limbo []*work // what did not reach it, until it is known why
}

// The messages of the process to itself.
type (
	finished  struct{ job uint64 }
	withdrawn struct{ job uint64 }
	tick      struct{}
)

// New returns the actor of a pool, or every mistake in cfg.
func New(cfg Config) (actor.Actor, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	return &process{
		cfg: cfg, desk: newDesk(cfg), workers: make([]*member, cfg.Max),
		watched: make(map[actor.MonitorRef]*member), work: make(map[uint64]*work),
	}, nil
}

// Spawn starts a pool outside any process. It returns when its Size workers have
// been started.
func Spawn(ctx context.Context, sys *actor.System, cfg Config, opts ...actor.SpawnOption) (actor.PID, error) {
	a, err := New(cfg)
	if err != nil {
		return actor.PID{}, err
	}
	return sys.Spawn(ctx, a, opts...)
}

// Start returns the start function of a supervised pool. Mistakes in cfg are
// errors of every start. A pool is a supervisor to the one above it: give its
// child specification the Type supervisor.Supervisor.
func Start(cfg Config, opts ...actor.SpawnOption) actor.StartFunc {
	return func(parent *actor.Self, _ ...any) (actor.PID, error) {
		a, err := New(cfg)
		if err != nil {
			return actor.PID{}, err
		}
		return parent.SpawnLink(a, opts...)
	}
}

func (p *process) Init(self *actor.Self) error {
	self.TrapExit(true)
	pid := self.PID()
	spec := p.cfg.spec(func(parent *actor.Self, h hired) { _ = parent.Send(pid, h) })
	var err error
	if p.sup, err = supervisor.Start(spec, actor.Label("workers"))(self); err != nil {
		return err
	}
	p.supDown = self.Monitor(p.sup)
	for slot := range p.cfg.Size {
		worker, err := supervisor.StartInstance(actor.Patient(self.Context()), self, p.sup, slot)
		if err != nil {
			p.close(self)
			return err
		}
		if worker.IsZero() { // it is not wanted now
			p.desk.vacated(time.Now(), slot, true)
		}
	}
	if p.staff, err = self.SpawnLink(&staff{pool: pid, sup: p.sup}, actor.Label("staff")); err != nil {
		p.close(self)
		return err
	}
	p.life = actor.Patient(self.System().ProcessContext(pid))
	return nil
}

// close ends the workers and their supervisor.
func (p *process) close(self *actor.Self) {
	_ = self.Exit(p.sup, actor.ErrShutdown)
	_, _ = self.AwaitDown(self.Context(), p.supDown)
}

func (p *process) Receive(self *actor.Self, msg any) error {
	now := time.Now()
	if self.IsCall() {
		switch r := msg.(type) {
		case fanOut:
			p.fan(self, now, r)
		case statsRequest:
			return self.Reply(p.stats())
		default:
			p.take(self, now, &work{msg: msg, from: self.From(), ctx: self.Context(), job: job{call: true}})
		}
	} else if handled, err := p.own(self, now, msg); err != nil {
		return err
	} else if !handled {
		p.take(self, now, &work{msg: msg, ctx: p.life})
	}
	p.alarm(self)
	return nil
}

// own handles the messages of the pool itself and of the kernel.
func (p *process) own(self *actor.Self, now time.Time, msg any) (handled bool, err error) {
	switch m := msg.(type) {
	case finished:
		p.finish(self, now, p.work[m.job])
	case withdrawn:
		p.withdraw(self, p.work[m.job])
	case hired:
		p.hired(self, now, m)
	case notHired:
		self.Logger().Warn("pool cannot grow", "slot", m.slot, "reason", m.err)
		p.perform(self, p.desk.vacated(now, m.slot, true))
	case dismissed:
		p.perform(self, p.desk.vacated(now, m.slot, false))
	case tick:
		p.armed = time.Time{}
		p.perform(self, p.desk.tick(now))
	case actor.Down:
		p.down(self, p.watched[m.Ref], m)
	case actor.Exit:
		if m.From == p.sup || m.From == p.staff {
			return true, m.Reason
		}
	case actor.NodeDown, actor.ReceiveTimeout:
	default:
		return false, nil
	}
	return true, nil
}

// take brings a job that somebody has sent to the desk.
func (p *process) take(self *actor.Self, now time.Time, w *work) {
	self.Retain() // whose memory may be lent
	w.slot = anySlot
	p.note(w)
	if p.cfg.Route == Hash {
		key, err := p.key(w.msg)
		if err != nil {
			p.settle(self, w, nil, err)
			return
		}
		w.slot, w.hash = byHash, hash.Of(key)
	}
	p.perform(self, p.desk.offer(now, &w.job))
	p.watch(self, w)
}

// key returns the key of a message. A Key that panics refuses the message.
func (p *process) key(msg any) (key string, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%w: %w", ErrKey, actor.NewPanicError(v))
		}
	}()
	return p.cfg.Key(msg), nil
}

func (p *process) note(w *work) {
	p.last++
	w.id = p.last
	p.work[w.id] = w
}

// watch lets a job that waits be withdrawn when its caller gives up.
func (p *process) watch(self *actor.Self, w *work) {
	if p.desk.waiting[w.id] == nil || !w.call {
		return
	}
	sys, pid, id := self.System(), self.PID(), w.id
	w.leave = context.AfterFunc(w.ctx, func() { _ = sys.Send(pid, withdrawn{id}) })
}

func (p *process) withdraw(self *actor.Self, w *work) {
	if w != nil && p.desk.withdraw(w.id) {
		p.settle(self, w, nil, actor.ContextError(w.ctx))
	}
}

// perform does what the desk wants done.
func (p *process) perform(self *actor.Self, effects []effect) {
	for _, e := range effects {
		switch e.kind {
		case assign:
			p.assign(self, p.work[e.job], e.slot)
		case refuse:
			p.refused++
			p.settle(self, p.work[e.job], nil, ErrFull)
		case startWorker:
			_ = self.Send(p.staff, hire{e.slot})
		case stopWorker:
			_ = self.Send(p.staff, dismiss{e.slot, p.workers[e.slot].pid})
		}
	}
}

// assign hands a job to the worker in a slot.
func (p *process) assign(self *actor.Self, w *work, slot int) {
	if w.leave != nil {
		w.leave()
	}
	w.worker = p.workers[slot]
	w.request = actor.SendRequest[any](w.ctx, self, w.worker.pid, w.msg)
	w.request.Notify(self.PID(), finished{w.id})
}

// hired notes that there is a worker in a slot.
func (p *process) hired(self *actor.Self, now time.Time, h hired) {
	m := &member{pid: h.pid, slot: h.slot}
	p.workers[h.slot] = m
	p.watched[self.Monitor(h.pid)] = m
	p.perform(self, p.desk.rose(now, h.slot))
}

// down notes that the worker m has ended.
func (p *process) down(self *actor.Self, m *member, d actor.Down) {
	if m == nil {
		return
	}
	delete(p.watched, d.Ref)
	m.gone = true
	p.fell(m)
	for _, w := range m.limbo {
		p.again(self, w)
	}
	m.limbo = nil
}

// fell notes that m, if it is still that of its slot, gets no more jobs.
func (p *process) fell(m *member) {
	if p.workers[m.slot] == m {
		p.desk.fell(m.slot)
	}
}

// alarm sees to it that a tick comes when the desk will have something to do.
func (p *process) alarm(self *actor.Self) {
	at := p.desk.deadline()
	if at.IsZero() || !p.armed.IsZero() && !at.Before(p.armed) {
		return // the tick that comes sees to it
	}
	self.CancelTimer(p.timer)
	p.timer, p.armed = self.SendAfter(time.Until(at), tick{}), at
}

func (p *process) Terminate(self *actor.Self, _ error) {
	for _, w := range p.work {
		if w.leave != nil {
			w.leave()
		}
		if w.request != nil {
			p.conclude(self, w)
		}
	}
	p.close(self)
}
