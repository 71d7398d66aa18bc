package supervisor

import (
	"time"

	"github.com/topos-go/topos/actor"
)

// request is what can be asked of a supervisor; see the functions of the same
// names. The set is closed.
type request interface {
	// serve answers the request, or begins the operation that will.
	serve(p *plan, now time.Time, from replier)
}

// result is an answer.
type result[T any] struct {
	value T
	err   error
}

type (
	startChild        struct{ spec ChildSpec }
	startInstance     struct{ args []any }
	restartChild      struct{ id string }
	terminateChild    struct{ id string }
	terminateInstance struct {
		pid   actor.PID
		alive bool // filled in by the supervisor process
	}
	deleteChild   struct{ id string }
	whichChildren struct{}
	whichChild    struct{ id string }
	whichInstance struct{ pid actor.PID }
	countChildren struct{}
	childSpecOf   struct{ id string }
	updateSpec    struct{ spec Spec }
)

func (r startChild) serve(p *plan, now time.Time, from replier) {
	if p.simple() {
		p.reply(from, result[actor.PID]{err: ErrSimpleOneForOne})
		return
	}
	if err := r.spec.Validate(p.spec.AutoShutdown); err != nil {
		p.reply(from, result[actor.PID]{err: err})
		return
	}
	if c := p.family.byID[r.spec.ID]; c != nil {
		answer := result[actor.PID]{err: ErrAlreadyPresent}
		if c.state.status() == Running {
			answer = result[actor.PID]{c.pid, ErrAlreadyStarted}
		}
		p.reply(from, answer)
		return
	}
	p.begin(now, opAdd, newChild(r.spec), from)
}

func (r startInstance) serve(p *plan, now time.Time, from replier) {
	if !p.simple() {
		p.reply(from, result[actor.PID]{err: ErrNotSimpleOneForOne})
		return
	}
	p.begin(now, opAdd, &child{spec: p.template, args: r.args}, from)
}

// begin starts c as the operation kind.
func (p *plan) begin(now time.Time, kind opKind, c *child, from replier) {
	p.op = operation{kind: kind, start: []*child{c}, child: c, from: from}
	p.advance(now)
}

func (r restartChild) serve(p *plan, now time.Time, from replier) {
	c, err := p.stoppedChild(r.id)
	if err != nil {
		p.reply(from, result[actor.PID]{err: err})
		return
	}
	p.begin(now, opStart, c, from)
}

func (r deleteChild) serve(p *plan, _ time.Time, from replier) {
	c, err := p.stoppedChild(r.id)
	if err == nil {
		p.family.remove(c)
	}
	p.reply(from, result[actor.PID]{err: err})
}

// stoppedChild returns the child with that ID, if it has no process and will
// not have one by itself.
func (p *plan) stoppedChild(id string) (*child, error) {
	c, err := p.child(id)
	if err != nil {
		return nil, err
	}
	switch c.state.status() {
	case Running:
		return nil, ErrRunning
	case Restarting:
		return nil, ErrRestarting
	}
	return c, nil
}

func (p *plan) child(id string) (*child, error) {
	if p.simple() {
		return nil, ErrSimpleOneForOne
	}
	c := p.family.byID[id]
	if c == nil {
		return nil, ErrNotFound
	}
	return c, nil
}

// instance finds an instance by its process, or by its last one if it is being
// restarted.
func (p *plan) instance(pid actor.PID) (*child, error) {
	if !p.simple() {
		return nil, ErrNotSimpleOneForOne
	}
	c := p.family.byPID[pid]
	if c == nil {
		return nil, ErrNotFound
	}
	return c, nil
}

func (r terminateChild) serve(p *plan, now time.Time, from replier) {
	c, err := p.child(r.id)
	if err != nil {
		p.reply(from, result[actor.PID]{err: err})
		return
	}
	p.terminate(now, c, from)
}

func (r terminateInstance) serve(p *plan, now time.Time, from replier) {
	c, err := p.instance(r.pid)
	if err == ErrNotFound && !r.alive {
		err = nil // it is gone, whoever's it was
	}
	if c == nil {
		p.reply(from, result[actor.PID]{err: err})
		return
	}
	p.terminate(now, c, from)
}

func (p *plan) terminate(now time.Time, c *child, from replier) {
	p.op = operation{kind: opTerminate, stop: []*child{c}, from: from}
	p.advance(now)
}

func (whichChildren) serve(p *plan, _ time.Time, from replier) {
	list := make([]ChildInfo, 0, p.family.count)
	for c := p.family.first; c != nil; c = c.next {
		list = append(list, c.info())
	}
	p.reply(from, result[[]ChildInfo]{value: list})
}

func (r whichChild) serve(p *plan, _ time.Time, from replier) {
	replyInfo(p, from)(p.child(r.id))
}

func (r whichInstance) serve(p *plan, _ time.Time, from replier) {
	replyInfo(p, from)(p.instance(r.pid))
}

func replyInfo(p *plan, from replier) func(*child, error) {
	return func(c *child, err error) {
		answer := result[ChildInfo]{err: err}
		if err == nil {
			answer.value = c.info()
		}
		p.reply(from, answer)
	}
}

func (countChildren) serve(p *plan, _ time.Time, from replier) {
	n := Counts{Specs: p.family.count}
	if p.simple() {
		n.Specs = 1
	}
	for c := p.family.first; c != nil; c = c.next {
		if c.state.status() == Running {
			n.Active++
		}
		if c.spec.Type == Supervisor {
			n.Supervisors++
		} else {
			n.Workers++
		}
	}
	p.reply(from, result[Counts]{value: n})
}

func (r childSpecOf) serve(p *plan, _ time.Time, from replier) {
	answer := result[ChildSpec]{err: ErrNotFound}
	if p.simple() && p.template.ID == r.id {
		answer = result[ChildSpec]{value: p.template.withDefaults()}
	} else if c := p.family.byID[r.id]; c != nil {
		answer = result[ChildSpec]{value: c.spec.withDefaults()}
	}
	p.reply(from, answer)
}

func (r updateSpec) serve(p *plan, _ time.Time, from replier) {
	err := r.spec.Validate()
	if err == nil && (r.spec.Strategy == SimpleOneForOne) != p.simple() {
		err = specError("Strategy cannot change from %v to %v", p.spec.Strategy, r.spec.Strategy)
	}
	if err == nil {
		p.adopt(r.spec)
	}
	p.reply(from, result[actor.PID]{err: err})
}

// adopt replaces the flags and the children's specifications. Children keep
// their processes. Those that are not in spec stand behind those that are.
func (p *plan) adopt(spec Spec) {
	children := spec.Children
	p.spec = spec
	p.spec.Children = nil
	if p.simple() {
		*p.template = children[0]
		return
	}
	var order []*child
	named := make(map[string]bool, len(children))
	for i := range children {
		c := p.family.byID[children[i].ID]
		if c == nil {
			c = newChild(children[i])
		} else {
			*c.spec = children[i]
			c.expendable = false // the new Start is kept
		}
		named[c.spec.ID] = true
		order = append(order, c)
	}
	for c := p.family.first; c != nil; c = c.next {
		if !named[c.spec.ID] {
			order = append(order, c)
		}
	}
	p.family.reorder(order)
}
