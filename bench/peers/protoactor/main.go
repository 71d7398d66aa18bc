// Protoactor does the works of the benchmarks with proto.actor for Go, in its
// default configuration with its logger silenced. It imports nothing of
// Topos but package pair, which is linked and imports nothing but the standard
// library.
//
//	protoactor -work tell -n 1000000
//
// prints one JSON object: the work and, per operation, wall-clock nanoseconds,
// CPU nanoseconds over all cores, allocations, and live bytes.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/topos-go/topos/bench/peers/protoactor/pair"
)

type message struct{ n int }

var works = map[string]func(*actor.ActorSystem, int) (result, error){
	"tell": tell, "fanin": fanIn, "busy": busy, "call": call, "spawn": spawn,
	"idle_bytes": idleBytes, "restart": restart,
}

func main() {
	work := flag.String("work", "", "tell, fanin, busy, call, spawn, idle_bytes or restart")
	n := flag.Int("n", 1, "how many operations")
	node := pair.Flags(flag.CommandLine)
	flag.Parse()
	if node.Asked() {
		end(pair.Main(node, between(), os.Stdin, os.Stdout))
	}
	f, ok := works[*work]
	if !ok {
		fmt.Fprintf(os.Stderr, "unknown work %q\n", *work)
		os.Exit(2)
	}
	sys := actor.NewActorSystem(actor.WithLoggerFactory(quiet))
	r, err := f(sys, *n)
	if err != nil {
		end(err)
	}
	r.Work = *work
	end(json.NewEncoder(os.Stdout).Encode(r))
}

// end ends the program, with a complaint if there is one.
func end(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

type counter struct {
	seen, want int
	ordered    bool
	done       chan error
}

func (c *counter) Receive(ctx actor.Context) {
	m, ok := ctx.Message().(*message)
	if !ok {
		return // a lifecycle message
	}
	if c.ordered && m.n != c.seen {
		c.done <- fmt.Errorf("message %d came as number %d", m.n, c.seen)
	}
	if c.seen++; c.seen == c.want {
		c.done <- nil
	}
}

func tell(sys *actor.ActorSystem, n int) (result, error) {
	r, err := tellFrom(sys, n, 1)
	if err != nil {
		return r, err
	}
	const numbered = 10_000
	c := &counter{want: numbered, ordered: true, done: make(chan error, 2)}
	pid := sys.Root.Spawn(actor.PropsFromProducer(func() actor.Actor { return c }))
	for i := range numbered {
		sys.Root.Send(pid, &message{i})
	}
	return r, <-c.done
}

func fanIn(sys *actor.ActorSystem, n int) (result, error) { return tellFrom(sys, n, 8) }

func tellFrom(sys *actor.ActorSystem, n, senders int) (result, error) {
	c := &counter{want: n, done: make(chan error, 1)}
	pid := sys.Root.Spawn(actor.PropsFromProducer(func() actor.Actor { return c }))
	msg := any(&message{})
	var err error
	r := measure(n, func() {
		for i := range senders {
			share := n / senders
			if i == 0 {
				share += n % senders
			}
			go func() {
				for range share {
					sys.Root.Send(pid, msg)
				}
			}()
		}
		err = <-c.done
	})
	return r, err
}

const pairs = 500

type player struct {
	peer *actor.PID
	left int
	wg   *sync.WaitGroup
}

func (p *player) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.PID:
		p.peer = m
	case *message:
		if p.left--; p.left >= 0 {
			ctx.Send(p.peer, m)
		}
		if p.left == 0 {
			p.wg.Done()
		}
	}
}

func busy(sys *actor.ActorSystem, n int) (result, error) {
	rounds := max(1, n/pairs/2)
	var wg sync.WaitGroup
	var servers []*actor.PID
	for range pairs {
		wg.Add(2)
		a := sys.Root.Spawn(actor.PropsFromProducer(func() actor.Actor { return &player{left: rounds, wg: &wg} }))
		b := sys.Root.Spawn(actor.PropsFromProducer(func() actor.Actor { return &player{left: rounds, wg: &wg} }))
		sys.Root.Send(a, b)
		sys.Root.Send(b, a)
		servers = append(servers, a)
	}
	msg := any(&message{})
	return measure(rounds*pairs*2, func() {
		for _, pid := range servers {
			sys.Root.Send(pid, msg)
		}
		wg.Wait()
	}), nil
}

func call(sys *actor.ActorSystem, n int) (result, error) {
	pid := sys.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		if m, ok := ctx.Message().(*message); ok {
			ctx.Respond(m)
		}
	}))
	msg := &message{}
	var err error
	r := measure(n, func() {
		for range n {
			if _, e := sys.Root.RequestFuture(pid, msg, 5*time.Second).Result(); e != nil {
				err = e
			}
		}
	})
	return r, err
}

// starter says when it has been started: that is when a spawn is complete.
type starter struct{ wg *sync.WaitGroup }

func (s starter) Receive(ctx actor.Context) {
	if _, ok := ctx.Message().(*actor.Started); ok {
		s.wg.Done()
	}
}

func spawn(sys *actor.ActorSystem, n int) (result, error) {
	var wg sync.WaitGroup
	wg.Add(n)
	props := actor.PropsFromProducer(func() actor.Actor { return starter{&wg} })
	return measure(n, func() {
		for range n {
			sys.Root.Spawn(props)
		}
		wg.Wait()
	}), nil
}

type burst struct {
	left int
	wg   *sync.WaitGroup
}

func (b *burst) Receive(ctx actor.Context) {
	if _, ok := ctx.Message().(*message); ok {
		if b.left--; b.left == 0 {
			b.wg.Done()
		}
	}
}

const burstMessages = 100

func idleBytes(sys *actor.ActorSystem, n int) (result, error) {
	pids := make([]*actor.PID, n)
	var wg sync.WaitGroup
	wg.Add(n)
	msg := any(&message{})
	before := live()
	for i := range pids {
		pids[i] = sys.Root.Spawn(actor.PropsFromProducer(func() actor.Actor { return &burst{burstMessages, &wg} }))
	}
	for _, pid := range pids {
		for range burstMessages {
			sys.Root.Send(pid, msg)
		}
	}
	wg.Wait()
	r := result{Bytes: float64(live()-before) / float64(n)}
	runtime.KeepAlive(sys)
	runtime.KeepAlive(pids)
	return r, nil
}

type mortal struct{ born chan time.Time }

func (m mortal) Receive(ctx actor.Context) {
	switch ctx.Message().(type) {
	case *actor.Started:
		m.born <- time.Now()
	case *message:
		panic(errors.New("crash"))
	}
}

// restart crashes a supervised actor; Wall is the median time until its
// successor has been started.
func restart(sys *actor.ActorSystem, n int) (result, error) {
	born := make(chan time.Time, 1)
	strategy := actor.NewOneForOneStrategy(n+1, time.Hour, func(any) actor.Directive { return actor.RestartDirective })
	child := actor.PropsFromProducer(func() actor.Actor { return mortal{born} })
	pids := make(chan *actor.PID, 1)
	sys.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		if _, ok := ctx.Message().(*actor.Started); ok {
			pids <- ctx.Spawn(child)
		}
	}, actor.WithSupervisor(strategy)))
	pid := <-pids
	<-born
	msg := any(&message{})
	return median(n, func() time.Duration {
		began := time.Now()
		sys.Root.Send(pid, msg)
		return (<-born).Sub(began)
	}), nil
}
