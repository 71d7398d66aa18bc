package supervisor

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/topos-go/topos/actor"
)

// plan decides what a supervisor does. Events go in, each with the time it
// happened, and effects come out: which process to start, to stop or to kill,
// whom to answer what. It has no process, clock or goroutine of its own.
//
//	boot      the supervisor starts                 → start …
//	started   the outcome of a start effect         → start …, reply, stop …
//	ended     the process of a child is gone        → start …, stop …, end
//	serve     somebody asks for something           → reply, start, stop
//	tick      the deadline has passed               → kill …, start …
//	shutdown  the supervisor ends                   → stop …
//
// The effects belong to the caller until the next event.
//
// Invariants:
//  1. There is one operation at a time. What happens meanwhile and is not part
//     of it waits in queue, so that nobody sees half an operation.
//  2. A start effect is the last of its batch, and started the next event.
//  3. waiting holds the children that are restarting and have a due time,
//     ordered by it. A child that is restarting and not in waiting is the one
//     that the operation is about.
//  4. Between two events the head of op.stop has a process that has been told
//     to end.
type plan struct {
	spec     Spec // without its Children
	template *ChildSpec
	rng      *rand.Rand
	family   family
	window   window

	op      operation
	queue   []pending
	waiting []*child
	out     []effect
	over    bool // the supervisor ends
}

// pending is an event that waits for the end of an operation: a request, or
// the end of a child, which is void if an operation has dealt with it.
type pending struct {
	req   request
	from  replier
	child *child
}

// operation is what a supervisor is doing: first some children are stopped, one
// after the other, then some are started.
type operation struct {
	kind  opKind
	stop  []*child // the next first
	start []*child // the next first

	child *child        // whom it is about
	delay time.Duration // of opClear: the Backoff that follows
	retry bool          // of opClear: let others have a turn first
	from  replier       // who waits for it
	err   error         // of opRollback: what failed
	due   time.Time     // of opEnd with instances: the earliest of theirs
}

type opKind uint8

const (
	opNone      opKind = iota
	opBoot             // starts the children of the Spec
	opRollback         // stops them again because one did not start
	opAdd              // starts a new child
	opStart            // starts a child that was stopped, by request
	opTerminate        // stops a child by request
	opClear            // stops the siblings of a child before it is restarted
	opRevive           // restarts a child and its siblings
	opEnd              // stops everything
)

// effect is something that the plan wants done. Which fields count depends on
// do.
type effect struct {
	do    verb
	child *child
	pid   actor.PID // the child's process
	from  replier
	value any
	err   error
	what  string
}

type verb uint8

const (
	doStart  verb = iota + 1 // call child's start function, feed started
	doStop                   // tell pid to end
	doKill                   // kill pid
	doReply                  // answer from with value
	doReport                 // tell people what happened to child, and the err
	doEnd                    // end the supervisor with err
)

// replier is who waits for an answer: an actor.From.
type replier interface{ Reply(value any) bool }

// newPlan makes the plan of a supervisor. spec must be valid.
func newPlan(spec Spec, rng *rand.Rand) *plan {
	p := &plan{spec: spec, rng: rng}
	p.family.init()
	if p.simple() {
		template := spec.Children[0]
		p.template = &template
	} else {
		for i := range spec.Children {
			p.family.add(newChild(spec.Children[i]), true)
		}
	}
	p.spec.Children = nil
	return p
}

func newChild(spec ChildSpec) *child { return &child{spec: &spec} }

func (p *plan) simple() bool { return p.spec.Strategy == SimpleOneForOne }

func (p *plan) emit(e effect) { p.out = append(p.out, e) }

func (p *plan) reply(to replier, value any) { p.emit(effect{do: doReply, from: to, value: value}) }

func (p *plan) report(what string, c *child, err error) {
	p.emit(effect{do: doReport, what: what, child: c, pid: c.pid, err: err})
}

// end ends the supervisor. Stopping the children follows with shutdown.
func (p *plan) end(reason error) {
	p.over, p.op = true, operation{}
	p.emit(effect{do: doEnd, err: reason})
}

// boot is the first event.
func (p *plan) boot(now time.Time) []effect {
	p.out = p.out[:0]
	p.op = operation{kind: opBoot, start: p.family.from(nil)}
	p.advance(now)
	return p.out
}

// serve is a request.
func (p *plan) serve(now time.Time, req request, from replier) []effect {
	p.out = p.out[:0]
	p.queue = append(p.queue, pending{req: req, from: from})
	p.settle(now)
	return p.out
}

// ended says that the process of c is gone, and why it ended. Only the first
// time counts.
func (p *plan) ended(now time.Time, c *child, reason error) []effect {
	p.out = p.out[:0]
	if !c.state.alive() {
		return nil
	}
	c.reason = reason
	if c.state == running {
		c.state = ended
		p.queue = append(p.queue, pending{child: c})
	} else {
		p.gone(now, c)
	}
	p.settle(now)
	return p.out
}

// tick says that it is now, which matters once the deadline has passed.
func (p *plan) tick(now time.Time) []effect {
	p.out = p.out[:0]
	if p.op.kind != opNone {
		p.killOverdue(now)
	} else if len(p.waiting) > 0 && !p.waiting[0].due.After(now) {
		p.clear(now, operation{child: p.waiting[0]})
	}
	p.settle(now)
	return p.out
}

// shutdown is the last request: stop everything. It may come at any moment.
// What follows are ended and tick, until awaited is nil.
func (p *plan) shutdown(now time.Time) []effect {
	p.out = p.out[:0]
	p.over = true
	p.op = operation{kind: opEnd}
	if p.simple() {
		p.stopInstances(now)
	} else {
		p.op.stop = p.family.from(nil)
		slices.Reverse(p.op.stop)
	}
	p.advance(now)
	return p.out
}

// deadline is when tick should be called; ok is false if never.
func (p *plan) deadline() (at time.Time, ok bool) {
	if c := p.awaited(); c != nil {
		at = c.due
		if p.op.kind == opEnd && p.simple() {
			at = p.op.due
		}
	} else if p.op.kind == opNone && len(p.waiting) > 0 {
		at = p.waiting[0].due
	}
	return at, !at.IsZero()
}

// settle deals with what has waited for the end of an operation.
func (p *plan) settle(now time.Time) {
	for p.op.kind == opNone && !p.over && len(p.queue) > 0 {
		next := p.queue[0]
		p.queue[0] = pending{}
		p.queue = p.queue[1:]
		if next.req != nil {
			next.req.serve(p, now, next.from)
		} else if c := next.child; c.state == ended {
			p.childEnded(now, c)
		}
	}
	if len(p.queue) == 0 {
		p.queue = nil
	}
}
