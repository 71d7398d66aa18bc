package mesh

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
	"go.opentelemetry.io/otel/trace"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/registry/groups"
	"github.com/topos-go/topos/supervisor"
)

// DefaultTries is how many instances a call may ask.
const DefaultTries = 3

// Groups is what a mesh needs of process groups; *groups.Groups has it.
type Groups interface {
	Join(group string, pid actor.PID, metadata map[string]string) error
	Leave(group string, pid actor.PID) error
	Members(group string) []groups.Member
	Watch(group string, f func(groups.Event)) (cancel func())
}

// Config says what a [Mesh] is. System and Groups must be given; every other
// zero value means its default.
type Config struct {
	System *actor.System
	Groups Groups
	// TryTimeout is how long one instance may take to answer. Zero means as long
	// as the call has.
	TryTimeout time.Duration
	// Tries is how many instances a call may ask, one after the other, where
	// that is safe: see [Idempotent]. One means that there are no retries. Zero
	// means DefaultTries.
	Tries int
	// Pause is the mean pause before the third try, each next one being twice as
	// long; the second is made at once. Zero means 20 ms.
	Pause time.Duration
	// Failure says whether an error of a call is a failure of the instance. Nil
	// means what [Failure] says. It may be called by several goroutines at a
	// time.
	Failure func(err error) bool
	// Tracer makes a span of each call. Nil makes none.
	Tracer trace.TracerProvider
	// Logger gets a line when an instance or a circuit changes. Nil discards.
	Logger *slog.Logger
	// Observe, if not nil, is told of what changes. It may be called by several
	// goroutines at a time, must not wait and must not call the mesh.
	Observe func(Event)
	// Seed is where random choices begin. Zero means anywhere.
	Seed uint64
}

// Mesh is one node's part of the service mesh. It is safe for concurrent use.
// It is made by [Start] and must be closed.
type Mesh struct {
	cfg    Config
	tracer trace.Tracer
	epoch  time.Time
	root   actor.PID // supervises the keeper and the reporters

	keeper, reporters atomic.Value // PIDs

	closed atomic.Bool
	mu     sync.Mutex
	pools  map[string]*pool
	seeds  uint64
	booked map[registrationKey]bool
}

// Start starts the mesh on a node. The errors are those of cfg, all at once.
func Start(ctx context.Context, cfg Config) (*Mesh, error) {
	if err := cfg.valid(); err != nil {
		return nil, err
	}
	or(&cfg.Tries, DefaultTries)
	or(&cfg.Pause, 20*time.Millisecond)
	or(&cfg.Seed, rand.Uint64())
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Failure == nil {
		cfg.Failure = Failure
	}
	m := &Mesh{cfg: cfg, epoch: time.Now(), pools: make(map[string]*pool), seeds: cfg.Seed, booked: make(map[registrationKey]bool)}
	if cfg.Tracer != nil {
		m.tracer = cfg.Tracer.Tracer(scope)
	}
	var err error
	m.root, err = supervisor.Spawn(ctx, cfg.System, supervisor.Spec{Children: []supervisor.ChildSpec{
		{ID: "keeper", Start: actor.Start(func() actor.Actor { return &keeper{mesh: m} }, actor.Label("mesh keeper"))},
		{ID: "reporters", Type: supervisor.Supervisor, Shutdown: supervisor.Infinity, Start: m.startReporters},
	}}, actor.Label("mesh"))
	if err != nil {
		return nil, err
	}
	return m, nil
}

func (c *Config) valid() error {
	var errs []error
	if c.System == nil {
		errs = append(errs, errors.New("mesh: Config.System is nil"))
	}
	if c.Groups == nil {
		errs = append(errs, errors.New("mesh: Config.Groups is nil"))
	}
	if c.TryTimeout < 0 || c.Pause < 0 {
		errs = append(errs, fmt.Errorf("mesh: Config.TryTimeout %v or Pause %v is negative", c.TryTimeout, c.Pause))
	}
	if c.Tries < 0 {
		errs = append(errs, fmt.Errorf("mesh: Config.Tries %d is negative", c.Tries))
	}
	return errors.Join(errs...)
}

// startReporters starts the supervisor of those who report the health of this
// node's instances.
func (m *Mesh) startReporters(parent *actor.Self, _ ...any) (actor.PID, error) {
	pid, err := supervisor.Start(supervisor.Spec{
		Strategy: supervisor.SimpleOneForOne,
		Children: []supervisor.ChildSpec{{ID: "reporter", Restart: supervisor.Transient, Start: actor.StartWith(func(args ...any) actor.Actor {
			return &reporter{Registration: args[0].(*Registration)}
		}, actor.Label("mesh reporter"))}},
	})(parent)
	m.reporters.Store(pid)
	return pid, err
}

// Close ends the mesh's processes and returns when they have ended. Instances
// that were registered are taken out; calls that are under way go on, new ones
// fail with ErrClosed.
func (m *Mesh) Close(ctx context.Context) error {
	if m.closed.Swap(true) {
		return nil
	}
	m.mu.Lock()
	pools := m.pools
	m.pools = nil
	m.mu.Unlock()
	for _, p := range pools {
		p.cancel()
	}
	return m.stop(ctx)
}

// stop ends the supervisor and waits for it.
func (m *Mesh) stop(ctx context.Context) error {
	w := &waiter{root: m.root, ended: make(chan struct{})}
	pid, err := m.cfg.System.Spawn(ctx, w)
	if errors.Is(err, actor.ErrClosed) {
		return nil // and so has everything ended
	}
	if err != nil {
		return err
	}
	_ = m.cfg.System.Exit(m.root, actor.ErrShutdown)
	select {
	case <-w.ended:
	case <-m.cfg.System.ProcessContext(pid).Done(): // the system is being closed
	case <-ctx.Done():
		_ = m.cfg.System.Kill(m.root)
		return ctx.Err()
	}
	return nil
}

// waiter is a process that waits for the supervisor's end.
type waiter struct {
	root  actor.PID
	ended chan struct{}
}

func (w *waiter) Init(self *actor.Self) error {
	self.Monitor(w.root)
	return nil
}

func (w *waiter) Receive(_ *actor.Self, msg any) error {
	if _, ok := msg.(actor.Down); !ok {
		return nil
	}
	close(w.ended)
	return actor.ErrNormal
}

// now is the mesh's clock: what a call costs is measured by it.
func (m *Mesh) now() time.Duration { return time.Since(m.epoch) }

// pauses are those between a call's tries.
func (m *Mesh) pauses() backoff.BackOff {
	b := &backoff.ExponentialBackOff{InitialInterval: m.cfg.Pause, MaxInterval: 50 * m.cfg.Pause, Multiplier: 2, RandomizationFactor: 0.5}
	b.Reset()
	return b
}

// Event is something that changed for this node: one field says what.
type Event struct {
	Service string
	// Instance is zero if it is about the whole service.
	Instance actor.PID
	// Kind says what happened.
	Kind EventKind
	// State is the circuit's, of an event of the kind CircuitChanged.
	State State
}

// EventKind is what an [Event] is about.
type EventKind uint8

// The kinds of events.
const (
	Appeared       EventKind = iota + 1 // an instance has joined
	Vanished                            // it has left or ended
	Sickened                            // it reports that it is sick
	Recovered                           // it reports that it is well again
	CircuitChanged                      // a breaker has another State
	Ejected                             // an instance did worse than the others
	Readmitted                          // its ejection is over
	Unreachable                         // its node cannot be reached
	Reachable                           // its node can be reached again
)

// String returns the kind in words.
func (k EventKind) String() string {
	if int(k) < len(kinds) {
		return kinds[k]
	}
	return fmt.Sprintf("EventKind(%d)", uint8(k))
}

var kinds = [...]string{"none", "appeared", "vanished", "sickened", "recovered", "circuit changed", "ejected", "readmitted", "unreachable", "reachable"}

// tell announces an event.
func (m *Mesh) tell(e Event) {
	m.cfg.Logger.Info("mesh: "+e.Kind.String(), "service", e.Service, "instance", e.Instance, "state", e.State)
	if m.cfg.Observe != nil {
		m.cfg.Observe(e)
	}
}
