package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/topos-go/topos"
	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/rpc"
	"github.com/topos-go/topos/supervisor"
)

// service is the name that the server has on each of its nodes.
const service = actor.Name("users")

// show is the cluster and the client that looks at it.
type show struct {
	out     io.Writer
	nodes   []*topos.Node
	join    []string
	servers map[string]*users
	at      []actor.NameAt // healthy, slow, failing

	node   *topos.Node // the client's
	client *rpc.Client
	mu     sync.Mutex
	tries  []rpc.Try // of the call that is made
}

// serve starts a node that serves users, and is what its name says.
func (s *show) serve(ctx context.Context, name string) error {
	node, err := s.start(ctx, name)
	if err != nil {
		return err
	}
	u := &users{node: name, balance: 100, failing: name == "failing"}
	if name == "slow" {
		u.slow = slowness
	}
	s.servers[name] = u
	s.at = append(s.at, actor.NameAt{Name: service, Node: node.Name()})
	_, err = node.Supervise(ctx, supervisor.Spec{Children: []supervisor.ChildSpec{{
		ID: "users", Start: rpc.Start(rpc.ServerConfig{Handler: u.handle, Types: types(), Concurrency: 2}, service),
	}}})
	return err
}

// connect starts the client's node and waits until it knows the others.
func (s *show) connect(ctx context.Context) error {
	var err error
	if s.node, err = s.start(ctx, "client"); err != nil {
		return err
	}
	ready := make(chan struct{})
	up := 0
	cancel := s.node.Watch(func(_ actor.NodeID, isUp bool) {
		if isUp {
			if up++; up == len(s.at) {
				close(ready)
			}
		}
	})
	defer cancel()
	select {
	case <-ready:
	case <-ctx.Done():
		return fmt.Errorf("waiting for the nodes: %w", ctx.Err())
	}
	s.client, err = rpc.New(rpc.Config{
		System: s.node.System, Types: types(),
		TryTimeout: 300 * time.Millisecond, Tries: 6, Timeout: 10 * time.Second,
		Backoff: rpc.Backoff{Initial: 20 * time.Millisecond},
		Alternative: func(_ actor.Address, tried []actor.Address) (actor.Address, bool) {
			for _, at := range s.at {
				if !slices.Contains(tried, actor.Address(at)) {
					return at, true
				}
			}
			return nil, false
		},
		Observe: func(t rpc.Try) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.tries = append(s.tries, t)
		},
	})
	return err
}

// title begins a scene.
func (s *show) title(format string, args ...any) {
	fmt.Fprintf(s.out, "\n%s\n", fmt.Sprintf(format, args...))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tries = nil
}

// saw prints the tries of a call and what it came to.
func (s *show) saw(value any, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.tries {
		hedge, outcome := "", "answered"
		if t.Hedge {
			hedge = " (hedge)"
		}
		if t.Err != nil {
			outcome = t.Verdict.String() + ": " + root(t.Err)
		}
		fmt.Fprintf(s.out, "  try %d of %v%s, %3d ms: %s\n", t.Number, t.To, hedge, t.Took.Milliseconds(), outcome)
	}
	if err != nil {
		fmt.Fprintf(s.out, "  the client gets the error: %v\n", root(err))
		return
	}
	fmt.Fprintf(s.out, "  the client gets %+v\n", value)
}

// root is what an error says that people want to know.
func root(err error) string {
	for _, known := range []error{errDatabase, errNoUser, actor.ErrNoConnection, actor.ErrNoProc, context.Canceled, actor.ErrTimeout} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return err.Error()
}

// wrong says that a promise was not kept.
func wrong(scene string, value any, err error) error {
	return fmt.Errorf("%s: got %+v, %v", scene, value, err)
}
