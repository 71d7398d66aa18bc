package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/topos-go/topos"
	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/rpc"
	"github.com/topos-go/topos/remote/codec"
)

// User is who a GetUser asks for.
type User struct {
	ID   int
	Name string
	Node string // that has answered
}

// GetUser asks for a user. It may be answered by any node, and by two.
type GetUser struct{ ID int }

// Charge takes money from a user's account: once, please. The answer is what is
// left.
type Charge struct {
	ID     int
	Amount int
}

var (
	errNoUser   = errors.New("no such user")
	errDatabase = errors.New("the database is down")
)

// types are what nodes send to each other, failures what they fail with.
func types() []codec.Type {
	return topos.Types(append(rpc.WireTypes(), User{}, GetUser{}, Charge{})...)
}

func failures() []error { return append(rpc.WireErrors(), errNoUser, errDatabase) }

// slowness is how long the slow node takes.
const slowness = 700 * time.Millisecond

// users is the service on one node.
type users struct {
	node string

	mu        sync.Mutex
	balance   int
	failing   bool
	slow      time.Duration // before each answer
	running   int           // requests at this moment
	charges   int           // that have run
	cancelled int           // requests whose context ended while they ran
}

// handle is an rpc.Handler. Two requests may run at a time.
func (u *users) handle(ctx context.Context, _ *actor.Self, req any) (any, error) {
	if u.failing {
		return nil, rpc.Retry(errDatabase) // nothing was done: it may be tried again
	}
	u.note(func() { u.running++ })
	defer u.note(func() { u.running-- })
	left := 0
	if charge, ok := req.(Charge); ok {
		u.note(func() {
			u.charges++
			u.balance -= charge.Amount
			left = u.balance
		})
	}
	select {
	case <-time.After(u.slow):
	case <-ctx.Done():
		u.note(func() { u.cancelled++ })
		return nil, ctx.Err()
	}
	get, ok := req.(GetUser)
	switch {
	case !ok:
		return left, nil
	case get.ID != 7:
		return nil, fmt.Errorf("%w: %d", errNoUser, get.ID)
	}
	return User{ID: 7, Name: "Ada", Node: u.node}, nil
}

func (u *users) note(f func()) {
	u.mu.Lock()
	defer u.mu.Unlock()
	f()
}

// counts is what has happened so far.
func (u *users) counts() (running, charges, cancelled int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.running, u.charges, u.cancelled
}
