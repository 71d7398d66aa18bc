package pool

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/supervisor"
)

// Route says which worker gets a job.
type Route uint8

// The routes of single jobs. What goes to several workers is sent with
// [Broadcast], [Scatter] and [First].
const (
	// RoundRobin takes the workers in turn, leaving out those that have their
	// hands full. It is the default.
	RoundRobin Route = iota
	// LeastBusy takes the worker with the fewest jobs in hand.
	LeastBusy
	// Hash takes the same worker for the same key, by rendezvous hashing: when
	// a worker is added or removed only the keys that it gets or had move. A
	// worker that is restarted keeps its keys, and jobs for it wait meanwhile.
	Hash
)

// String returns the route's name, such as "round_robin".
func (r Route) String() string {
	switch r {
	case RoundRobin:
		return "round_robin"
	case LeastBusy:
		return "least_busy"
	case Hash:
		return "hash"
	}
	return fmt.Sprintf("Route(%d)", uint8(r))
}

// Overflow says what happens to a job that finds the queue full.
type Overflow uint8

const (
	// Fail refuses the job: a call fails with [ErrFull].
	Fail Overflow = iota
	// Block lets a caller wait outside, in order, until there is room or its
	// deadline has passed. A job for which nobody waits is refused.
	Block
)

// String returns "fail" or "block".
func (o Overflow) String() string {
	switch o {
	case Fail:
		return "fail"
	case Block:
		return "block"
	}
	return fmt.Sprintf("Overflow(%d)", uint8(o))
}

// Defaults of [Config].
const (
	// DefaultQueue is how many jobs may wait: some seconds' work, so that a
	// burst is served and an overload noticed.
	DefaultQueue = 1024
	// DefaultBlocked is how many callers may wait outside a full queue: more
	// than a node has in any sound state.
	DefaultBlocked = 1 << 16
	// DefaultIdle is how long a surplus worker stays without work: longer than
	// the pauses of a steady load.
	DefaultIdle = 30 * time.Second
	// DefaultGrowWait is how long a job waits before an elastic pool grows: a
	// person does not notice it yet.
	DefaultGrowWait = 100 * time.Millisecond
)

// Config says what a pool is. Size is mandatory, and so is either Work or Worker.
type Config struct {
	// Work does a job in a process of the pool and returns the reply. An error is
	// the caller's; a panic ends the worker. ctx ends when nobody wants the job
	// done any more: the caller has given up or been answered by another, or the
	// worker is being stopped.
	Work func(ctx context.Context, job any) (any, error)
	// Worker, instead of Work, returns the start function of the worker in a
	// slot, from 0 on: any actor that answers calls, here or on another node, for
	// to a worker each job is a call. [Same] and [Spread] make one. The worker in
	// a slot is started again with the same function when it crashes. Its
	// self.Context() ends as Work's does.
	Worker func(slot int) actor.StartFunc
	// Size is how many workers there are; of an elastic pool, at least.
	Size int
	// Max, if greater than Size, makes the pool elastic: it is how many workers
	// there are at most.
	Max int
	// Limit is how many jobs a worker has in hand at the same time, those in
	// its mailbox included. Zero means one.
	Limit int

	// Route says which worker gets a job, and Key is what Hash hashes.
	Route Route
	Key   func(job any) string

	// Queue is how many jobs may wait for a worker; zero means DefaultQueue.
	// Overflow is what happens to those that find it full, and Blocked how many
	// callers may wait outside; zero means DefaultBlocked.
	Queue    int
	Overflow Overflow
	Blocked  int

	// GrowQueue and GrowWait make an elastic pool grow by a worker: when that
	// many jobs wait, or one has waited for so long. Zero means Size jobs, and
	// DefaultGrowWait.
	GrowQueue int
	GrowWait  time.Duration
	// Idle is how long a worker of an elastic pool must have had nothing to do
	// to be stopped, if there are more than Size. Zero means DefaultIdle.
	Idle time.Duration

	// Intensity, Period, Backoff and Shutdown are those of the supervisor of
	// the workers, and mean there what they mean in package supervisor. If it
	// gives up, the pool ends with its reason.
	Intensity supervisor.Intensity
	Period    time.Duration
	Backoff   supervisor.Backoff
	Shutdown  time.Duration
}

// Same gives all slots the same start function.
func Same(start actor.StartFunc) func(int) actor.StartFunc {
	return func(int) actor.StartFunc { return start }
}

// Spread gives the slots the start functions in turn: with [actor.StartAt] the
// workers are spread over nodes.
func Spread(starts ...actor.StartFunc) func(int) actor.StartFunc {
	return func(slot int) actor.StartFunc {
		if len(starts) == 0 {
			return nil
		}
		return starts[slot%len(starts)]
	}
}

// Errors of pools. A call fails with them wrapped in an *actor.CallError.
var (
	// ErrFull is returned for a job that found the queue full.
	ErrFull = errors.New("pool: queue is full")
	// ErrConfig is wrapped by every mistake in a [Config].
	ErrConfig = errors.New("pool: invalid config")
	// ErrNoneGood is returned by [First] when no worker gave a good answer. It
	// wraps the errors of those that failed.
	ErrNoneGood = errors.New("pool: no good answer")
	// ErrKey is returned for a job whose key cannot be said: Key has panicked.
	ErrKey = errors.New("pool: no key")
	// ErrNoWorkers is returned by [Broadcast], [Scatter] and [First] when no
	// worker is there.
	ErrNoWorkers = errors.New("pool: no workers")
)

// Validate reports every mistake in c at once, each by name. The errors wrap
// [ErrConfig].
func (c Config) Validate() error {
	var errs []error
	report := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("%w: "+format, append([]any{ErrConfig}, args...)...))
	}
	switch {
	case c.Work != nil && c.Worker != nil:
		report("Work and Worker exclude each other")
	case c.Work == nil && (c.Worker == nil || c.Worker(0) == nil):
		report("no Work and no Worker")
	}
	if c.Size <= 0 {
		report("Size %d is not positive", c.Size)
	}
	if c.Max != 0 && c.Max < c.Size {
		report("Max %d is less than Size %d", c.Max, c.Size)
	}
	if c.Route > Hash {
		report("%v is no route", c.Route)
	}
	if c.Overflow > Block {
		report("%v is no overflow", c.Overflow)
	}
	if (c.Route == Hash) != (c.Key != nil) {
		report("Key is for Route Hash, which needs one")
	}
	for name, n := range map[string]int64{
		"Limit": int64(c.Limit), "Queue": int64(c.Queue), "Blocked": int64(c.Blocked), "GrowQueue": int64(c.GrowQueue),
		"GrowWait": int64(c.GrowWait), "Idle": int64(c.Idle),
	} {
		if n < 0 {
			report("%s is negative", name)
		}
	}
	if err := c.spec(nil).Validate(); err != nil {
		errs = append(errs, fmt.Errorf("%w: %w", ErrConfig, err))
	}
	return errors.Join(errs...)
}

// withDefaults returns c with its defaults written out.
func (c Config) withDefaults() Config {
	set := func(field *int, to int) {
		if *field == 0 {
			*field = to
		}
	}
	if c.Work != nil {
		work := c.Work
		c.Worker = Same(actor.Start(func() actor.Actor { return doer{work} }))
	}
	set(&c.Max, c.Size)
	set(&c.Limit, 1)
	set(&c.Queue, DefaultQueue)
	set(&c.Blocked, DefaultBlocked)
	set(&c.GrowQueue, c.Size)
	if c.Idle == 0 {
		c.Idle = DefaultIdle
	}
	if c.GrowWait == 0 {
		c.GrowWait = DefaultGrowWait
	}
	return c
}
