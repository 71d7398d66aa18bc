package crowd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"
)

// Heard is an event of a member, of type E.
type Heard[E any] struct {
	Index int
	Gone  bool // the member's life has ended; there is no event
	Event E
}

// Crowd is the members, whose events have the type E. Its methods are for one
// goroutine; indices are those of members, from 0. The zero value has none yet. Once
// one has been started, Close or End must be called.
type Crowd[E any] struct {
	members []*member
	program Program // runs members in this process; nil: they are processes
	said    chan said[E]
	unread  []said[E] // taken from said while something else was waited for
}

// member is one of the crowd, in all its lives.
type member struct {
	name  string
	addr  string
	fixed bool  // addr is its own although it does not run
	life  *life // the last one; nil before the first
}

func (m *member) runs() bool { return m.life != nil && !m.life.parting() }

// said is a frame of a member, or the end of its life.
type said[E any] struct {
	frame[E]
	of   *life
	over bool
	why  error // of the end: nil is success
}

// backlog bounds the events that nobody has read: readers wait beyond that.
const backlog = 1 << 14

var (
	// ErrGone is in the error of Next and Close for a member that ended by itself.
	ErrGone = errors.New("crowd: member ended by itself")
	// ErrLate is in their error for a member that had been told to leave and had to
	// be killed.
	ErrLate = errors.New("crowd: member did not leave in time")

	errRuns = errors.New("crowd: member runs already")
)

// New returns a crowd of n members, named n0, n1 and so on, none of which has been
// started. Each has a free port of this machine, and keeps it.
func New[E any](n int) (*Crowd[E], error) {
	addrs, err := freeAddrs(n)
	if err != nil {
		return nil, err
	}
	c := new(Crowd[E])
	for i, addr := range addrs {
		c.members = append(c.members, &member{name: fmt.Sprintf("n%d", i), addr: addr, fixed: true})
	}
	return c, nil
}

// Add adds a member, which has to be started, and returns its index.
func (c *Crowd[E]) Add(name string) int {
	c.members = append(c.members, &member{name: name})
	return len(c.members) - 1
}

// Inside makes members that are started from now on run in this process. Kill then
// only ends the context that p gets, and commands, and members cannot be stopped.
func (c *Crowd[E]) Inside(p Program) { c.program = p }

// Len is how many members there are, running or not.
func (c *Crowd[E]) Len() int { return len(c.members) }

// Name is what member i is called.
func (c *Crowd[E]) Name(i int) string { return c.members[i].name }

// Addr is where member i listens, or did in its last life; "" if nobody has said so.
func (c *Crowd[E]) Addr(i int) string { return c.members[i].addr }

// Locate notes where member i listens in this life.
func (c *Crowd[E]) Locate(i int, addr string) { c.members[i].addr = addr }

// Pid is the process of member i, which has been started.
func (c *Crowd[E]) Pid(i int) int {
	if cmd := c.members[i].life.cmd; cmd != nil {
		return cmd.Process.Pid
	}
	return os.Getpid()
}

// Start starts member i: for the first time, or after its end or what was to bring it
// about, which it waits for. What is extra goes to the member as JSON.
func (c *Crowd[E]) Start(i int, extra any) error {
	m := c.members[i]
	if m.runs() {
		return fmt.Errorf("%w: %s", errRuns, m.name)
	}
	if m.life != nil {
		c.settle(m.life, func(s said[E]) { c.unread = append(c.unread, s) })
	}
	setup := Setup{Index: i, Name: m.name}
	if m.fixed {
		setup.Listen = m.addr
	}
	for j, other := range c.members {
		if j != i && other.addr != "" && (other.fixed || other.runs()) {
			setup.Join = append(setup.Join, other.addr)
		}
	}
	var err error
	if setup.Extra, err = json.Marshal(extra); err != nil {
		return err
	}
	config, err := json.Marshal(setup)
	if err != nil {
		return err
	}
	l, out, err := begin(c.program, string(config))
	if err != nil {
		return fmt.Errorf("starting %s: %w", m.name, err)
	}
	l.of, l.index, m.life = m, i, l
	if c.said == nil {
		c.said = make(chan said[E], backlog)
	}
	go listen(l, out, c.said) // owned by settle, which waits for l.done
	return nil
}

// Tell sends command to member i, which has been started; what the member's Run takes
// for one must be the same type. To a member that has ended nothing can be told, and
// nothing is: its end is heard. It waits for a member that takes nothing in, as soon
// as the pipe is full.
func (c *Crowd[E]) Tell(i int, command any) { _ = c.members[i].life.out.Encode(command) }

// TellAll sends command to every member.
func (c *Crowd[E]) TellAll(command any) {
	for i := range c.members {
		c.Tell(i, command)
	}
}

// Next waits for the next event. Those of one member come in order. With an error that
// is [ErrGone] or [ErrLate], or the failure of a member that was leaving, there is a
// Heard with Gone.
func (c *Crowd[E]) Next(ctx context.Context) (Heard[E], error) {
	if len(c.unread) > 0 {
		s := c.unread[0]
		c.unread = c.unread[1:]
		return s.heard()
	}
	select {
	case s := <-c.said:
		return s.heard()
	case <-ctx.Done():
		return Heard[E]{}, ctx.Err()
	}
}

// Kill ends member i at once: it can do nothing about it.
func (c *Crowd[E]) Kill(i int) error { return c.members[i].life.end() }

// Stop freezes member i: its connections stand and nobody answers. It may go on for a
// moment after Stop has returned, until each of its threads has been interrupted.
func (c *Crowd[E]) Stop(i int) error { return c.members[i].life.signal(freeze) }

// Continue lets a stopped member go on.
func (c *Crowd[E]) Continue(i int) error { return c.members[i].life.signal(thaw) }

// Leave lets member i end by itself, by the end of its commands, and does not wait for
// it. If it has not ended after grace it is killed.
func (c *Crowd[E]) Leave(i int, grace time.Duration) { c.members[i].life.leave(grace) }

// Close lets all members leave that still run, and returns when all have ended. The error
// has those that Next would have returned, and the events are lost.
func (c *Crowd[E]) Close(grace time.Duration) error {
	for _, m := range c.members {
		if m.runs() {
			m.life.leave(grace)
		}
	}
	return c.wait()
}

// End kills all members and returns when they have ended.
func (c *Crowd[E]) End() {
	for _, m := range c.members {
		if m.life != nil {
			_ = m.life.end() // may have ended; ends a stopped one too
		}
	}
	_ = c.wait() // of what has been killed nothing is expected
}

// wait returns when all have ended, with what is wrong with that.
func (c *Crowd[E]) wait() error {
	var errs []error
	hear := func(s said[E]) {
		_, err := s.heard()
		errs = append(errs, err)
	}
	for _, s := range c.unread {
		hear(s)
	}
	c.unread = nil
	for _, m := range c.members {
		if m.life != nil {
			c.settle(m.life, hear)
		}
	}
	for len(c.said) > 0 { // nobody says more
		hear(<-c.said)
	}
	return errors.Join(errs...)
}

// settle returns when l has ended and its end is in said, or has been taken from there
// to hear, as all else must that holds it up.
func (c *Crowd[E]) settle(l *life, hear func(said[E])) {
	for {
		select {
		case s := <-c.said:
			hear(s)
		case <-l.done:
			return
		}
	}
}

// heard is what the director hears of s.
func (s said[E]) heard() (Heard[E], error) {
	h := Heard[E]{Index: s.of.index, Gone: s.over, Event: s.Event}
	if !s.over {
		return h, nil
	}
	return h, s.of.bury(s.why)
}
