// Package works does the works of the benchmarks with Topos. Every work checks
// that all its messages were handled, in order where there is one.
package works

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/bench/measure"
	"github.com/topos-go/topos/supervisor"
)

type message struct{ n int }

func with(f func(*actor.System) (measure.Result, error)) (measure.Result, error) {
	sys, err := actor.NewSystem(actor.Config{})
	if err != nil {
		return measure.Result{}, err
	}
	r, err := f(sys)
	return r, errors.Join(err, sys.Close(context.Background()))
}

// counter counts messages and says when all are there.
type counter struct {
	seen, want int
	ordered    bool // the messages are numbered *message, in order
	done       chan error
}

func (c *counter) Receive(_ *actor.Self, msg any) error {
	if c.ordered && msg.(*message).n != c.seen {
		c.done <- fmt.Errorf("message %d came as number %d", msg.(*message).n, c.seen)
	}
	if c.seen++; c.seen == c.want {
		c.done <- nil
	}
	return nil
}

// Tell sends n messages from one goroutine to one process.
func Tell(n int) (measure.Result, error) { return tell(n, 1) }

// FanIn sends n messages from eight goroutines to one process.
func FanIn(n int) (measure.Result, error) { return tell(n, 8) }

func tell(n, senders int) (measure.Result, error) {
	return with(func(sys *actor.System) (measure.Result, error) {
		c := &counter{want: n, done: make(chan error, 1)}
		pid, err := sys.Spawn(context.Background(), c)
		if err != nil {
			return measure.Result{}, err
		}
		msg := any(&message{})
		r := measure.Of(n, func() {
			for i := range senders {
				share := n / senders
				if i == 0 {
					share += n % senders
				}
				go func() {
					for range share {
						_ = sys.Send(pid, msg) // counted at the other end
					}
				}()
			}
			err = <-c.done
		})
		if err == nil && senders == 1 {
			err = ordered(sys)
		}
		return r, err
	})
}

// ordered checks the order of messages in a run of its own, since numbered
// messages must be allocated.
func ordered(sys *actor.System) error {
	const n = 10_000
	c := &counter{want: n, ordered: true, done: make(chan error, 2)}
	pid, err := sys.Spawn(context.Background(), c)
	for i := 0; i < n && err == nil; i++ {
		err = sys.Send(pid, &message{i})
	}
	if err != nil {
		return err
	}
	return <-c.done
}

const pairs = 500

// player plays ping-pong with its peer.
type player struct {
	peer actor.PID
	left int
	wg   *sync.WaitGroup
}

type meet struct{ peer actor.PID }

func (p *player) Receive(self *actor.Self, msg any) error {
	if m, ok := msg.(meet); ok {
		p.peer = m.peer
		return nil
	}
	if p.left--; p.left >= 0 {
		if err := self.Send(p.peer, msg); err != nil {
			return err
		}
	}
	if p.left == 0 {
		p.wg.Done()
	}
	return nil
}

// Busy lets 1,000 processes play ping-pong in pairs, one message in flight a
// pair, until n messages have been passed.
func Busy(n int) (measure.Result, error) {
	return with(func(sys *actor.System) (measure.Result, error) {
		ctx := context.Background()
		rounds := max(1, n/pairs/2)
		var wg sync.WaitGroup
		var servers []actor.PID
		for range pairs {
			wg.Add(2)
			a, err := sys.Spawn(ctx, &player{left: rounds, wg: &wg})
			if err != nil {
				return measure.Result{}, err
			}
			b, err := sys.Spawn(ctx, &player{left: rounds, wg: &wg})
			if err != nil {
				return measure.Result{}, err
			}
			if err := errors.Join(sys.Send(a, meet{b}), sys.Send(b, meet{a})); err != nil {
				return measure.Result{}, err
			}
			servers = append(servers, a)
		}
		msg := any(&message{})
		return measure.Of(rounds*pairs*2, func() {
			for _, pid := range servers {
				_ = sys.Send(pid, msg) // wg would wait for ever if one failed
			}
			wg.Wait()
		}), nil
	})
}

type echo struct{}

func (echo) Receive(self *actor.Self, msg any) error { return self.Reply(msg) }

// Call lets one goroutine call a process n times.
func Call(n int) (measure.Result, error) {
	return with(func(sys *actor.System) (measure.Result, error) {
		ctx := context.Background()
		pid, err := sys.Spawn(ctx, echo{})
		if err != nil {
			return measure.Result{}, err
		}
		msg := &message{}
		r := measure.Of(n, func() {
			for range n {
				if _, e := actor.Call[*message](ctx, sys, pid, msg); e != nil {
					err = e
				}
			}
		})
		return r, err
	})
}

// born is a process whose Init is seen by the spawner.
type born struct{ seen *int }

func (b born) Init(*actor.Self) error       { *b.seen++; return nil }
func (born) Receive(*actor.Self, any) error { return nil }

// Spawn starts n processes, each with an Init.
func Spawn(n int) (measure.Result, error) {
	return with(func(sys *actor.System) (measure.Result, error) {
		ctx := context.Background()
		seen := 0
		var err error
		r := measure.Of(n, func() {
			for range n {
				if _, e := sys.Spawn(ctx, born{&seen}); e != nil {
					err = e
				}
			}
		})
		if seen != n {
			err = errors.Join(err, fmt.Errorf("%d of %d were initialised", seen, n))
		}
		return r, err
	})
}

// burst counts down a burst of messages.
type burst struct {
	left int
	wg   *sync.WaitGroup
}

func (b *burst) Receive(*actor.Self, any) error {
	if b.left--; b.left == 0 {
		b.wg.Done()
	}
	return nil
}

// burstMessages is how many messages are queued for each process of IdleBytes.
const burstMessages = 100

// IdleBytes is the live memory of one of n idle processes, each of which has
// handled a burst of 100 queued messages.
func IdleBytes(n int) (measure.Result, error) {
	return with(func(sys *actor.System) (measure.Result, error) {
		ctx := context.Background()
		pids := make([]actor.PID, n)
		var wg sync.WaitGroup
		msg := any(&message{})
		before := measure.Live()
		for i := range pids {
			wg.Add(1)
			pid, err := sys.Spawn(ctx, &burst{left: burstMessages, wg: &wg})
			if err != nil {
				return measure.Result{}, err
			}
			pids[i] = pid
		}
		for _, pid := range pids {
			for range burstMessages {
				if err := sys.Send(pid, msg); err != nil {
					return measure.Result{}, err
				}
			}
		}
		wg.Wait()
		after := measure.Live()
		return measure.Result{Bytes: float64(after-before) / float64(n)}, nil
	})
}

// mortal tells when it starts, and crashes when it gets a message.
type mortal struct{ born chan time.Time }

var errCrash = errors.New("crash")

func (m mortal) Init(*actor.Self) error         { m.born <- time.Now(); return nil }
func (m mortal) Receive(*actor.Self, any) error { return errCrash }

// Restart crashes a supervised process n times; Wall is the median time from
// sending the message that crashes it to the Init of its successor.
func Restart(n int) (measure.Result, error) {
	return with(func(sys *actor.System) (measure.Result, error) {
		started := make(chan time.Time, 1)
		sup, err := supervisor.New(supervisor.Spec{
			Intensity: supervisor.AtMost(n + 1),
			Children: []supervisor.ChildSpec{{
				ID:    "mortal",
				Start: actor.Start(func() actor.Actor { return mortal{started} }, actor.Name("mortal")),
			}},
		})
		if err != nil {
			return measure.Result{}, err
		}
		if _, err := sys.Spawn(context.Background(), sup); err != nil {
			return measure.Result{}, err
		}
		<-started
		msg := any(&message{})
		r := measure.Median(n, func() time.Duration {
			began := time.Now()
			// The name may still be its predecessor's for a moment.
			for sys.Send(actor.Name("mortal"), msg) != nil {
			}
			return (<-started).Sub(began)
		})
		return r, nil
	})
}
