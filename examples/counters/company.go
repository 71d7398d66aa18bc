package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/topos-go/topos/behaviours/partition"
	"github.com/topos-go/topos/crdtactor/crdt"
	"github.com/topos-go/topos/internal/crowd"
)

// company is all members, by their index, and what they have told.
type company struct {
	crowd crowd.Crowd[event]
	last  [nodes]status             // what each last told
	asked [nodes]int                // commands that it has not answered
	says  func(member, text string) // shows what a member has to say
}

// grace is how long a member that has been told to go may stay.
const grace = 5 * time.Second

// enter starts the next member, which joins those before it.
func (c *company) enter(ctx context.Context, secret string, s partition.Strategy) error {
	i := c.crowd.Add(nodeName(c.crowd.Len()))
	if err := c.crowd.Start(i, options{Secret: secret, Strategy: s}); err != nil {
		return err
	}
	for c.crowd.Addr(i) == "" {
		if err := c.hear(ctx); err != nil {
			return fmt.Errorf("waiting for %s to start: %w", c.crowd.Name(i), err)
		}
	}
	return nil
}

// hear takes in one event.
func (c *company) hear(ctx context.Context) error {
	h, err := c.crowd.Next(ctx)
	if err != nil {
		return err
	}
	switch e := h.Event; e.Kind {
	case "started":
		c.crowd.Locate(h.Index, e.Text)
	case "says":
		c.says(c.crowd.Name(h.Index), e.Text)
	case "status":
		c.last[h.Index] = *e.Status
		c.asked[h.Index]--
	}
	return nil
}

// listen hears what members have to say for a while.
func (c *company) listen(ctx context.Context, d time.Duration) error {
	listening, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	for {
		switch err := c.hear(listening); {
		case errors.Is(err, context.DeadlineExceeded):
			return ctx.Err()
		case err != nil:
			return err
		}
	}
}

// ask tells all members to do the same, and returns when all have done it.
func (c *company) ask(ctx context.Context, do command) error {
	return c.askEach(ctx, func(int) command { return do })
}

// askEach tells every member what to do, and returns when all have done it.
func (c *company) askEach(ctx context.Context, do func(i int) command) error {
	ids := make(map[string]crdt.ReplicaID)
	for i, s := range c.last {
		if s.ID != "" {
			ids[nodeName(i)] = s.ID
		}
	}
	for i := range nodes {
		what := do(i)
		what.IDs = ids
		c.asked[i]++
		c.crowd.Tell(i, what)
	}
	for i := range nodes {
		for c.asked[i] > 0 {
			if err := c.hear(ctx); err != nil {
				return fmt.Errorf("waiting for what %s answers: %w", nodeName(i), err)
			}
		}
	}
	return nil
}

// statuses returns what all members last told, in their order.
func (c *company) statuses() []status { return slices.Clone(c.last[:]) }
