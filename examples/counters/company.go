package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/topos-go/topos/crdtactor/crdt"
)

// company is all members, and what comes from them.
type company struct {
	members []*handle
	events  chan heard
	says    func(h *handle, text string) // shows what a member has to say
	ending  bool
}

// hear takes in one event, unless over comes first.
func (c *company) hear(ctx context.Context, over <-chan time.Time) (isOver bool, err error) {
	select {
	case <-ctx.Done():
		return false, ctx.Err()
	case <-over:
		return true, nil
	case e := <-c.events:
		return false, c.note(e)
	}
}

// note takes in an event. The unexpected end of a member is an error.
func (c *company) note(e heard) error {
	switch e.Kind {
	case "started":
		e.from.addr = e.Text
	case "says":
		c.says(e.from, e.Text)
	case "status":
		e.from.last = *e.Status
		e.from.asked--
	case "failed":
		return fmt.Errorf("%s has failed: %s", e.from.name, e.Text)
	case "gone":
		if !c.ending {
			return fmt.Errorf("%s has ended by itself", e.from.name)
		}
	}
	return nil
}

// listen hears what members have to say for a while.
func (c *company) listen(ctx context.Context, d time.Duration) error {
	over := time.NewTimer(d)
	defer over.Stop()
	for {
		if isOver, err := c.hear(ctx, over.C); isOver || err != nil {
			return err
		}
	}
}

// ask tells all members to do the same, and returns when all have done it.
func (c *company) ask(ctx context.Context, do command) error {
	return c.askEach(ctx, func(*handle) command { return do })
}

// askEach tells every member what to do, and returns when all have done it.
func (c *company) askEach(ctx context.Context, do func(*handle) command) error {
	ids := make(map[string]crdt.ReplicaID)
	for _, h := range c.members {
		if h.last.ID != "" {
			ids[h.name] = h.last.ID
		}
	}
	for _, h := range c.members {
		what := do(h)
		what.IDs = ids
		h.asked++
		h.do(what)
	}
	for _, h := range c.members {
		for h.asked > 0 {
			if _, err := c.hear(ctx, nil); err != nil {
				return fmt.Errorf("waiting for what %s answers: %w", h.name, err)
			}
		}
	}
	return nil
}

// statuses returns what all members last told, in their order.
func (c *company) statuses() []status {
	all := make([]status, 0, len(c.members))
	for _, h := range c.members {
		all = append(all, h.last)
	}
	return all
}

// endAll lets all members leave and waits for their processes.
func (c *company) endAll() error {
	c.ending = true
	done := make(chan error)
	for _, h := range c.members {
		go func() { done <- h.end() }()
	}
	var errs []error
	for ended := 0; ended < len(c.members); {
		select {
		case err := <-done:
			errs = append(errs, err)
			ended++
		case e := <-c.events: // nobody must be held up by this wait
			errs = append(errs, c.note(e))
		}
	}
	return errors.Join(errs...)
}
