package actor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"unique"
)

// Config says what a [System] is. The zero Config is a system of its own,
// called "local", that logs nothing.
type Config struct {
	// Node is the identity that PIDs of this system carry. It must differ from
	// every other system's that messages are exchanged with. The zero NodeID
	// means "local".
	Node NodeID
	// Router reaches other nodes. Nil: there are none.
	Router Router
	// Names holds the cluster-wide names. Nil: there are none.
	Names Names
	// Logger gets a line for every abnormal exit. Nil discards.
	Logger *slog.Logger
	// KillGrace is how long a killed process may stay in its handler before it
	// is declared a zombie. Zero means DefaultKillGrace.
	KillGrace time.Duration
	// Budget is how many bytes of messages and requests from other nodes may
	// wait for one process before those are asked to send it no more. Zero
	// means DefaultBudget.
	Budget int
	// Constructors are what other nodes, and this one, may spawn here by name;
	// see [Self.SpawnAt].
	Constructors map[string]Constructor
}

func (c *Config) valid() error {
	var errs []error
	if !c.Node.IsZero() {
		errs = append(errs, c.Node.valid())
	}
	if c.KillGrace < 0 {
		errs = append(errs, fmt.Errorf("actor: Config.KillGrace %v is negative", c.KillGrace))
	}
	for name, construct := range c.Constructors {
		if name == "" || construct == nil {
			errs = append(errs, fmt.Errorf("actor: Config.Constructors[%q] has no name or no function", name))
		}
	}
	if c.Budget < 0 {
		errs = append(errs, fmt.Errorf("actor: Config.Budget %d is negative", c.Budget))
	}
	return errors.Join(errs...)
}

// System runs processes. Its methods are safe for concurrent use. A System is
// made with [NewSystem] and must be closed.
type System struct {
	node      NodeHandle
	router    Router
	carrier   Carrier // router, if it is one
	log       *slog.Logger
	killGrace time.Duration
	budget    int

	constructors map[string]Constructor // never changed

	base context.Context
	stop context.CancelFunc

	procs        slab
	names        nameTable
	clusterNames Names
	peers        peerTable
	sched        scheduler
	observers    observers
	zombies      zombieSet

	chunks sync.Pool // of *chunk
	calls  sync.Pool // of *call

	refs        atomic.Uint64 // monitors, timers, and requests to other nodes
	deadLetters atomic.Uint64

	population population
}

// NewSystem starts a system. Errors are those of cfg, all at once.
func NewSystem(cfg Config) (*System, error) {
	if err := cfg.valid(); err != nil {
		return nil, err
	}
	if cfg.Node.IsZero() {
		cfg.Node = NodeID{Name: "local"}
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.KillGrace == 0 {
		cfg.KillGrace = DefaultKillGrace
	}
	if cfg.Budget == 0 {
		cfg.Budget = DefaultBudget
	}
	if cfg.Names == nil {
		cfg.Names = noNames{}
	}
	s := &System{
		node:         unique.Make(cfg.Node),
		router:       cfg.Router,
		clusterNames: cfg.Names,
		log:          cfg.Logger,
		killGrace:    cfg.KillGrace,
		budget:       cfg.Budget,
		constructors: maps.Clone(cfg.Constructors),
	}
	s.carrier, _ = cfg.Router.(Carrier)
	s.base, s.stop = context.WithCancel(context.Background())
	s.chunks.New = func() any { return new(chunk) }
	s.calls.New = func() any { return new(call) }
	s.procs.init()
	s.names.init()
	s.peers.init()
	s.sched.init()
	s.population.init()
	s.zombies.pids = make(map[PID]struct{})
	return s, nil
}

// Node returns the identity of the node this system runs on.
func (s *System) Node() NodeID { return s.node.Value() }

// NodeHandle returns [System.Node] as a handle.
func (s *System) NodeHandle() NodeHandle { return s.node }

// Spawn starts a process and returns when its Init has returned, which runs on
// this goroutine; Init's error, or a [*PanicError] if it panicked, is Spawn's.
// When ctx ends during Init, that is an exit signal to the new process with
// ctx's cause: its [Self.Context] is cancelled, which Init must look at, and
// Spawn fails. ctx does not matter once Spawn has returned.
func (s *System) Spawn(ctx context.Context, a Actor, opts ...SpawnOption) (PID, error) {
	p, err := s.spawn(ctx, nil, a, false, nil, opts)
	if err != nil {
		return PID{}, err
	}
	return p.pid(), nil
}

// Send sends msg to the process at to, from outside any process; see
// [Self.Send]. Messages sent by one goroutine to one process on one channel
// arrive in the order sent.
func (s *System) Send(to Address, msg any, opts ...SendOption) error {
	return s.send(nil, to, msg, opts)
}

// Exit sends an exit signal to the process at to; see [Self.Exit]. It comes
// from the system, which is the parent of what was spawned from outside.
func (s *System) Exit(to PID, reason error) error { return s.exitSignal(nil, to, reason) }

// Kill is Exit with ErrKilled: the process at to ends without Terminate, when
// its handler returns, or after the kill grace as a zombie.
func (s *System) Kill(to PID) error { return s.exitSignal(nil, to, ErrKilled) }

// Whereis returns the process that holds a local name.
func (s *System) Whereis(name Name) (PID, bool) { return s.names.find(name) }

// Alive reports whether the local process pid has not ended. A process is
// alive until its Terminate has returned.
func (s *System) Alive(pid PID) bool {
	return !pid.IsZero() && pid.node == s.node && s.procs.find(pid.id) != nil
}

// Stats are counts since the system began.
type Stats struct {
	Processes   int    // alive now, and starting or exiting
	Zombies     int    // killed handlers that have not returned yet
	Spawned     uint64 // processes, failed starts included
	DeadLetters uint64
}

// Stats returns the counts of this moment.
func (s *System) Stats() Stats {
	alive, spawned := s.population.counts()
	return Stats{Processes: alive, Zombies: len(s.zombies.list()), Spawned: spawned, DeadLetters: s.deadLetters.Load()}
}

// admit counts p and gives it its id.
func (s *System) admit(p *process) error {
	if !s.population.enter() {
		return ErrClosed
	}
	if _, ok := s.procs.add(p); !ok {
		s.population.leave()
		return ErrTooManyProcesses
	}
	return nil
}

// exited reports the end of p, after everybody concerned has been told.
func (s *System) exited(p *process, reason error) {
	if a := p.annex.Load(); a == nil || !a.aborted {
		if Abnormal(reason) {
			s.logExit(p, reason)
		}
		if s.observers.observed() {
			s.observers.report(ProcessExited{PID: p.pid(), Parent: p.self().Parent(), Reason: reason})
		}
	}
	s.population.leave()
}

func (s *System) logExit(p *process, reason error) {
	attrs := []any{"pid", p.pid(), "actor", fmt.Sprintf("%T", p.original()), "reason", reason}
	if a := p.annex.Load(); a != nil {
		p.mu.Lock() // a zombie may still change it
		label := a.label
		p.mu.Unlock()
		if label != "" {
			attrs = append(attrs, "label", label)
		}
	}
	var panicked *PanicError
	if errors.As(reason, &panicked) && s.log.Enabled(context.Background(), slog.LevelError) {
		attrs = append(attrs, "stack", panicked.Stack())
	}
	s.log.Error("process ended", attrs...)
}

// discard accounts for mail that p will not handle. A call among it fails.
func (s *System) discard(to PID, msg any, reason error) {
	switch m := msg.(type) {
	case nil:
		return
	case *call:
		// A dead process has failed its calls itself, with its exit reason.
		if reason != ErrNoProc {
			m.ref().complete(nil, reason, false)
		}
		return
	case *letter:
		if m.kind != letterEnvelope {
			return
		}
		msg = m.msg
	}
	s.deadLetter(DeadLetter{To: to, Message: msg, Reason: reason})
}

// DeadLetter counts and reports a message that a [Router] has taken and that
// nobody will handle. It may be called by any goroutine.
func (s *System) DeadLetter(d DeadLetter) { s.deadLetter(d) }

func (s *System) deadLetter(d DeadLetter) {
	s.deadLetters.Add(1)
	if s.observers.observed() {
		s.observers.report(d)
	}
}

// makeHandle is unique.Make for a node.
func makeHandle(node NodeID) NodeHandle { return unique.Make(node) }

func sortedIDs(ids map[processID]struct{}) []processID {
	return slices.Sorted(maps.Keys(ids))
}

// noNames is the Names of a system without a cluster.
type noNames struct{}

func (noNames) Whereis(string) (PID, bool) { return PID{}, false }
func (noNames) Register(string, PID) error { return ErrNoCluster }
func (noNames) Unregister(string, PID)     {}
