package trial

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// Group is some nodes that watch each other over a network in memory.
type Group interface {
	Now() time.Time
	// Wait lets time pass.
	Wait(d time.Duration)
	// Complete says whether each node takes all others for alive.
	Complete() bool
	// Kill has the node at place i fall silent, and returns its name: what it
	// sends goes nowhere from then on, and nothing reaches or refuses it.
	Kill(i int) string
	// Replace has a new node take the place of a silent one.
	Replace(i int) error
}

// Plan says what is done.
type Plan struct {
	Nodes, Trials int
	// Quiet is how long nothing happens, Pause how long between two trials.
	Quiet, Pause time.Duration
	Seed         uint64
}

// Result is what has come of it. Times are seconds.
type Result struct {
	Suspected Times `json:"suspected"` // until somebody suspects the silent node
	First     Times `json:"first"`     // until the first verdict
	All       Times `json:"all"`       // until the verdict of all
	// Missed is how many trials ended without a verdict of all.
	Missed int `json:"missed"`
	// Accused and Wrong are how many live nodes were suspected at least once in
	// quiet times, and how many were declared failed; Verdicts is how often.
	Accused  int `json:"accused"`
	Wrong    int `json:"wrong"`
	Verdicts int `json:"verdicts"`
	// WrongLater is Wrong in the time of the trials.
	WrongLater int `json:"wrong_later"`
	// Bytes and Messages are those that a node sends in a second of quiet.
	Bytes    float64 `json:"bytes"`
	Messages float64 `json:"messages"`
}

// Times are quantiles of the times of a kind, in seconds.
type Times struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

const (
	settling = 5 * time.Minute        // for a group that grows
	patience = 2 * time.Minute        // for a verdict
	glance   = 100 * time.Millisecond // from one look at the book to the next
	phase    = 2 * time.Second        // a node falls silent at any moment of it
)

// ErrIncomplete is returned by [Measure] if the nodes do not come to know each
// other.
var ErrIncomplete = errors.New("trial: the group is not complete")

// Measure carries out the plan with g, whose nodes write into b.
func Measure(p Plan, g Group, b *Book) (Result, error) {
	var r Result
	if err := complete(g); err != nil {
		return r, err
	}
	g.Wait(p.Pause) // what has come of growing is over
	b.tally()
	g.Wait(p.Quiet)
	quiet := b.tally()
	seconds := float64(p.Nodes) * p.Quiet.Seconds()
	r.Accused, r.Wrong, r.Verdicts = len(quiet.accused), len(quiet.wrong), quiet.verdicts
	r.Bytes, r.Messages = float64(quiet.bytes)/seconds, float64(quiet.messages)/seconds
	rng := rand.New(rand.NewPCG(p.Seed, 7))
	var suspected, first, all []time.Duration
	for range p.Trials {
		g.Wait(time.Duration(rng.Int64N(int64(phase))))
		if err := complete(g); err != nil {
			return r, err
		}
		i := rng.IntN(p.Nodes)
		node := g.Kill(i)
		for waited := time.Duration(0); b.known(node) < p.Nodes-1 && waited < patience; waited += glance {
			g.Wait(glance)
		}
		doubt, known := b.times(node)
		if doubt >= 0 {
			suspected = append(suspected, doubt)
		}
		if len(known) > 0 {
			first = append(first, known[0])
		}
		if len(known) == p.Nodes-1 {
			all = append(all, known[len(known)-1])
		} else {
			r.Missed++
		}
		if err := g.Replace(i); err != nil {
			return r, fmt.Errorf("trial: a new node: %w", err)
		}
		g.Wait(p.Pause)
	}
	r.WrongLater = len(b.tally().wrong)
	r.Suspected, r.First, r.All = timesOf(suspected), timesOf(first), timesOf(all)
	return r, nil
}

// complete waits until g is.
func complete(g Group) error {
	for waited := time.Duration(0); !g.Complete(); waited += time.Second {
		if waited > settling {
			return ErrIncomplete
		}
		g.Wait(time.Second)
	}
	return nil
}

func timesOf(ds []time.Duration) Times {
	if len(ds) == 0 {
		return Times{}
	}
	slices.Sort(ds)
	at := func(q float64) float64 { return ds[min(len(ds)-1, int(q*float64(len(ds))))].Seconds() }
	return Times{P50: at(.5), P99: at(.99), Max: at(1)}
}
