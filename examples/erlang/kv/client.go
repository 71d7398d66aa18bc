package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/topos-go/topos"
	"github.com/topos-go/topos/actor"
)

// errUnavailable is returned when not enough owners of a key answer.
var errUnavailable = errors.New("kv: owners do not answer")

// client speaks to the stores of a cluster from one of its nodes. Whoever uses
// it does the coordination, on his own goroutine: there is no server in the
// middle that all would wait for.
type client struct{ node *topos.Node }

// put returns when every owner of key has the value. After an error some may
// have it, and the others will.
func (c client) put(ctx context.Context, key, value string) error {
	last, err := c.newest(ctx, key)
	if err != nil {
		return err
	}
	entry := Entry{key, value, Version{last.Version.N + 1, c.node.Name()}}
	for _, owner := range owners(key, c.node.Members()) {
		if _, err := actor.Call[int](ctx, c.node, at(owner), Write{[]Entry{entry}}); err != nil {
			return fmt.Errorf("%w: %w", errUnavailable, err)
		}
	}
	return nil
}

// get returns the newest value of key that one of its owners has.
func (c client) get(ctx context.Context, key string) (value string, found bool, err error) {
	e, err := c.newest(ctx, key)
	return e.Value, e.Version != Version{}, err
}

// newest asks all owners. One that does not answer is left to the others.
func (c client) newest(ctx context.Context, key string) (Entry, error) {
	var best Entry
	var failed []error
	who := owners(key, c.node.Members())
	for _, owner := range who {
		e, err := actor.Call[Entry](ctx, c.node, at(owner), Read{key})
		switch {
		case err != nil:
			failed = append(failed, err)
		case e.Version.newer(best.Version):
			best = e
		}
	}
	if len(failed) == len(who) {
		return Entry{}, fmt.Errorf("%w: %w", errUnavailable, errors.Join(failed...))
	}
	return best, nil
}

func at(node actor.NodeID) actor.NameAt { return actor.NameAt{Node: node.Name, Name: storeName} }
