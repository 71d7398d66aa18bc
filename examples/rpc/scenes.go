package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/rpc"
)

func (s *show) healthy() actor.NameAt { return s.at[0] }
func (s *show) slow() actor.NameAt    { return s.at[1] }
func (s *show) failing() actor.NameAt { return s.at[2] }

func (s *show) answered(ctx context.Context) error {
	s.title("A healthy node answers.")
	user, err := rpc.Call[User](ctx, s.client, s.node, s.healthy(), GetUser{7})
	s.saw(user, err)
	if user.Name != "Ada" || user.Node != "healthy" || err != nil {
		return wrong("healthy", user, err)
	}
	return nil
}

func (s *show) refused(ctx context.Context) error {
	s.title("What the server itself answers is not tried again.")
	user, err := rpc.Call[User](ctx, s.client, s.node, s.healthy(), GetUser{8}, rpc.Idempotent())
	s.saw(user, err)
	if !errors.Is(err, errNoUser) || !errors.Is(err, rpc.ErrServer) {
		return wrong("refused", user, err)
	}
	return nil
}

func (s *show) fallsBack(ctx context.Context) error {
	s.title("A failing node is tried again, then the request goes to another.")
	user, err := rpc.Call[User](ctx, s.client, s.node, s.failing(), GetUser{7}, rpc.Idempotent())
	s.saw(user, err)
	if user.Node != "healthy" || err != nil {
		return wrong("fallback", user, err)
	}
	return nil
}

func (s *show) hedged(ctx context.Context) error {
	s.title("A slow node is hedged: after 30 ms another is asked too.")
	hedging, err := rpc.New(rpc.Config{
		System: s.node.System, Types: types(), HedgeAfter: 30 * time.Millisecond,
		Observe: func(t rpc.Try) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.tries = append(s.tries, t)
		},
	})
	if err != nil {
		return err
	}
	_, _, before := s.servers["slow"].counts()
	user, err := rpc.Call[User](ctx, hedging, s.node, s.slow(), GetUser{7}, rpc.Idempotent(), rpc.Fallback(s.healthy()))
	s.saw(user, err)
	if user.Node != "healthy" || err != nil {
		return wrong("hedge", user, err)
	}
	return s.awaitCancelled(ctx, before+1)
}

// await waits until ok says so of what has happened on the slow node.
func (s *show) await(ctx context.Context, ok func(running, charges, cancelled int) bool) error {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !ok(s.servers["slow"].counts()) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("waiting for the slow node: %w", ctx.Err())
		}
	}
	return nil
}

// awaitCancelled waits until the slow node has heard that nobody waits for it.
func (s *show) awaitCancelled(ctx context.Context, n int) error {
	err := s.await(ctx, func(_, _, cancelled int) bool { return cancelled >= n })
	if err == nil {
		fmt.Fprintln(s.out, "  the slow node's handler was cancelled")
	}
	return err
}

func (s *show) runsOnce(ctx context.Context) error {
	s.title("A charge takes longer than a try, and runs once however often it is tried.")
	left, err := rpc.Call[int](ctx, s.client, s.node, s.slow(), Charge{ID: 7, Amount: 30})
	s.saw(left, err)
	_, charges, _ := s.servers["slow"].counts()
	fmt.Fprintf(s.out, "  the charge ran %d time(s)\n", charges)
	if left != 70 || err != nil || charges != 1 {
		return wrong("once", left, err)
	}
	return nil
}

func (s *show) cancelled(ctx context.Context) error {
	s.title("A client that gives up ends the handler, wherever it runs.")
	_, _, before := s.servers["slow"].counts()
	short, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { // ends before the call does
		_ = s.await(short, func(running, _, _ int) bool { return running > 0 })
		cancel()
	}()
	user, err := rpc.Call[User](short, s.client, s.node, s.slow(), GetUser{7})
	s.saw(user, err)
	if !errors.Is(err, context.Canceled) {
		return wrong("cancel", user, err)
	}
	return s.awaitCancelled(ctx, before+1)
}

func (s *show) loses(ctx context.Context) error {
	s.title("The slow node is lost in the middle of two calls: a read goes elsewhere, a charge does not.")
	type result struct {
		value any
		err   error
	}
	patient, err := rpc.New(rpc.Config{System: s.node.System, Types: types(), TryTimeout: 5 * time.Second})
	if err != nil {
		return err
	}
	reads, charges := make(chan result, 1), make(chan result, 1)
	go func() {
		user, err := rpc.Call[User](ctx, patient, s.node, s.slow(), GetUser{7}, rpc.Idempotent(), rpc.Fallback(s.healthy()))
		reads <- result{user, err}
	}()
	go func() {
		left, err := rpc.Call[int](ctx, patient, s.node, s.slow(), Charge{ID: 7, Amount: 10}, rpc.Fallback(s.healthy()))
		charges <- result{left, err}
	}()
	if err := s.await(ctx, func(running, _, _ int) bool { return running == 2 }); err != nil {
		return err
	}
	s.nodes[1].Kill()
	read, charge := <-reads, <-charges
	fmt.Fprintf(s.out, "  the read gets %+v\n  the charge gets the error: %v\n", read.value, charge.err)
	if user, _ := read.value.(User); user.Node != "healthy" || read.err != nil {
		return wrong("lost read", read.value, read.err)
	}
	if !errors.Is(charge.err, actor.ErrOutcomeUnknown) {
		return wrong("lost charge", charge.value, charge.err)
	}
	if _, charged, _ := s.servers["healthy"].counts(); charged != 0 {
		return fmt.Errorf("the charge was made on another node too")
	}
	return nil
}
