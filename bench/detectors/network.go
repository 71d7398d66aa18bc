package main

import (
	"math/rand/v2"
	"time"

	"github.com/topos-go/topos/bench/detectors/trial"
	"github.com/topos-go/topos/internal/sim/timeline"
)

// setting is what all sides have in common.
type setting struct {
	loss        float64
	least, most time.Duration // that a message takes
	nodes       int
	seed        uint64
}

// network is virtual time, on one goroutine, and what nodes send each other in it.
type network struct {
	setting
	rng   *rand.Rand
	now   time.Time
	queue timeline.Timeline[func()]
	book  *trial.Book
}

func newNetwork(s setting) *network {
	return &network{
		setting: s, rng: rand.New(rand.NewPCG(s.seed, 1)), now: time.Unix(1_000_000_000, 0), book: new(trial.Book),
	}
}

// fork returns a source of randomness for a part of a node.
func (n *network) fork() *rand.Rand { return rand.New(rand.NewPCG(n.rng.Uint64(), n.rng.Uint64())) }

func (n *network) Now() time.Time { return n.now }

func (n *network) at(t time.Time, do func()) { n.queue.Put(t, do) }

// latency draws how long something takes.
func (n *network) latency() time.Duration {
	return n.least + time.Duration(n.rng.Int64N(int64(n.most-n.least)))
}

// datagram has do done when it arrives, if it does.
func (n *network) datagram(bytes int, do func()) {
	n.book.Sent(bytes)
	at := n.now.Add(n.latency())
	if n.rng.Float64() >= n.loss {
		n.at(at, do)
	}
}

// Wait lets time pass.
func (n *network) Wait(d time.Duration) {
	until := n.now.Add(d)
	for at, do, ok := n.queue.Take(until); ok; at, do, ok = n.queue.Take(until) {
		n.now = at
		do()
	}
	n.now = until
}

// alarm has somebody called again when that is due, and not more often.
type alarm struct{ at time.Time }

// set sees to it that do is called at next, and at no time that was set before.
func (a *alarm) set(n *network, next time.Time, do func()) {
	if next.IsZero() || !a.at.IsZero() && !next.Before(a.at) {
		return
	}
	if !next.After(n.now) {
		next = n.now.Add(1)
	}
	a.at = next
	n.at(next, func() {
		if a.at.Equal(next) {
			a.at = time.Time{}
			do()
		}
	})
}
