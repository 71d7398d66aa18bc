package rpc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote/codec"
)

// Handler answers one request. It runs in a process of its own, which self is.
// ctx has the caller's deadline, that of the whole call and not of one try, and
// its trace; it ends too when the caller cancels and when the server ends.
//
// An error is the answer and arrives marked with [ErrServer]; one made by
// [Retry] asks for another try. A panic fails this request alone, with an
// *actor.PanicError.
type Handler func(ctx context.Context, self *actor.Self, req any) (any, error)

// Window bounds what a server remembers of requests that are over. A try of a
// request that fell out of it gets [ErrForgotten].
type Window struct {
	// Entries is how many requests are remembered with their answers. Zero
	// means DefaultEntries.
	Entries int
	// Age is how long they are. Zero means DefaultAge. Clients must not go on
	// trying for longer.
	Age time.Duration
	// Sessions is how many clients are remembered. Zero means DefaultSessions.
	Sessions int
}

// Defaults of [Window] and [ServerConfig].
const (
	// DefaultEntries is many for a client that says what it no longer needs.
	DefaultEntries = 1 << 16
	// DefaultAge is much longer than calls take.
	DefaultAge = time.Minute
	// DefaultSessions is one for each client node of a large cluster.
	DefaultSessions = 1 << 12
	// DefaultQueue is how many requests may wait for a handler.
	DefaultQueue = 1024
)

// ServerConfig says what a server is. Handler must be given; every other zero
// value means its default.
type ServerConfig struct {
	// Handler answers the requests.
	Handler Handler
	// Types are the types of requests, as in topos.Config.Types.
	Types []codec.Type
	// Concurrency is how many handlers may run at the same time. Zero means
	// one: like an actor.
	Concurrency int
	// Queue is how many requests may wait for a handler; the next one gets
	// ErrOverloaded. Zero means DefaultQueue.
	Queue int
	// Window is what is remembered.
	Window Window
}

// Start returns the start function of a supervised server. It fails, when it is
// called, with all mistakes in cfg.
func Start(cfg ServerConfig, opts ...actor.SpawnOption) actor.StartFunc {
	return func(parent *actor.Self, _ ...any) (actor.PID, error) {
		s, err := NewServer(cfg)
		if err != nil {
			return actor.PID{}, err
		}
		return parent.SpawnLink(s, opts...)
	}
}

// NewServer returns the actor of a server, for one process. The errors are those
// of cfg, all at once.
func NewServer(cfg ServerConfig) (actor.Actor, error) {
	var errs []error
	if cfg.Handler == nil {
		errs = append(errs, errors.New("rpc: ServerConfig.Handler is nil"))
	}
	for _, n := range []struct {
		name  string
		value *int
		def   int
	}{
		{"Concurrency", &cfg.Concurrency, 1},
		{"Queue", &cfg.Queue, DefaultQueue},
		{"Window.Entries", &cfg.Window.Entries, DefaultEntries},
		{"Window.Sessions", &cfg.Window.Sessions, DefaultSessions},
	} {
		if *n.value < 0 {
			errs = append(errs, fmt.Errorf("rpc: ServerConfig.%s %d is negative", n.name, *n.value))
		}
		if *n.value == 0 {
			*n.value = n.def
		}
	}
	if cfg.Window.Age < 0 {
		errs = append(errs, fmt.Errorf("rpc: ServerConfig.Window.Age %v is negative", cfg.Window.Age))
	}
	if cfg.Window.Age == 0 {
		cfg.Window.Age = DefaultAge
	}
	c, err := codec.New(codec.Config{Types: cfg.Types})
	if err := errors.Join(append(errs, err)...); err != nil {
		return nil, err
	}
	return &server{
		cfg: cfg, codec: c, table: newTable(cfg.Window),
		jobs: make(map[*entry]*job), workers: make(map[actor.PID]*job),
	}, nil
}

// server is the process that requests are sent to. Its handlers run in workers,
// so that it can hear meanwhile of more tries and of cancelled requests.
type server struct {
	cfg     ServerConfig
	codec   *codec.Codec
	table   *table
	jobs    map[*entry]*job    // running or queued
	queue   []*job             // wait for a worker, the oldest first
	idle    []actor.PID        // workers with nothing to do
	workers map[actor.PID]*job // what each is about; nil if idle
	alive   context.Context    // ends when the server has to
}

// job is a request that is to be answered.
type job struct {
	entry   *entry
	body    any
	ctx     context.Context
	cancel  context.CancelFunc
	waiting []waiter
	started bool
}

// waiter is a try that waits for an answer.
type waiter struct {
	session, seq uint64
	from         actor.From
}

func (s *server) Init(self *actor.Self) error {
	self.TrapExit(true)
	s.alive = self.System().ProcessContext(self.PID())
	self.Every(s.cfg.Window.Age, sweepNow{})
	return nil
}

// sweepNow lets what is too old go, also if nobody calls.
type sweepNow struct{}

func (s *server) Receive(self *actor.Self, msg any) error {
	switch m := msg.(type) {
	case Request:
		if self.IsCall() {
			s.request(self, &m)
		}
	case Hello:
		return self.Reply(Welcome{Server: self.PID(), Session: s.table.open(time.Now())})
	case Cancel:
		s.cancelled(self, m)
	case *workerDone:
		s.finished(self, m)
	case actor.Exit:
		return s.exited(self, m)
	case sweepNow:
		s.table.sweep(time.Now())
	default:
		if self.IsCall() {
			return self.ReplyError(fmt.Errorf("rpc: not a request: %T: %w", msg, actor.ErrRequestType))
		}
	}
	return nil
}

// request takes one try.
func (s *server) request(self *actor.Self, r *Request) {
	e, standing := s.table.begin(time.Now(), r)
	switch standing {
	case stranger:
		_ = self.ReplyError(ErrNoSession)
	case forgotten:
		_ = self.ReplyError(ErrForgotten)
	case over:
		give(self.From(), e.answer)
	case running:
		j := s.jobs[e]
		j.waiting = append(j.waiting, waiter{r.Session, r.Seq, self.From()})
	case fresh:
		if err := s.begin(self, e, r); err != nil {
			s.table.undo(e)
			_ = self.ReplyError(err)
		}
	}
}

// begin makes a job of a new request.
func (s *server) begin(self *actor.Self, e *entry, r *Request) error {
	if len(s.queue) >= s.cfg.Queue && !s.free() {
		return ErrOverloaded
	}
	body := r.body
	if body == nil {
		var err error
		if body, err = s.codec.Decode(codec.Value{Encoding: codec.Encoding(r.Encoding), Type: r.Type, Data: r.Data}); err != nil {
			return err
		}
	}
	if r.Budget <= 0 {
		r.Budget = actor.DefaultCallTimeout
	}
	j := &job{entry: e, body: body}
	ctx := s.alive
	if trace := actor.TraceFrom(self.Context()); trace != nil {
		ctx = actor.ContextWithTrace(ctx, trace)
	}
	j.ctx, j.cancel = context.WithTimeout(ctx, r.Budget)
	j.waiting = append(j.waiting, waiter{r.Session, r.Seq, self.From()})
	s.jobs[e] = j
	s.queue = append(s.queue, j)
	s.work(self)
	return nil
}

// cancelled ends a job that nobody waits for any more.
func (s *server) cancelled(self *actor.Self, c Cancel) {
	j := s.jobs[s.table.find(c.Session, c.Seq)]
	if j == nil {
		for _, other := range s.jobs { // it may wait for another's, with the same key
			if other.entry.key != "" && other.waits(c) {
				j = other
			}
		}
	}
	if j == nil {
		s.table.bar(time.Now(), c.Session, c.Seq, answer{err: ErrCancelled})
		return
	}
	if !j.drop(c) || len(j.waiting) > 0 {
		return
	}
	j.cancel()
	if !j.started {
		s.over(j, answer{err: ErrCancelled})
		s.work(self)
	}
}

// waits says whether a try of the request that c means waits for j.
func (j *job) waits(c Cancel) bool {
	return slices.ContainsFunc(j.waiting, func(w waiter) bool { return w.session == c.Session && w.seq == c.Seq })
}

// drop takes the tries of a cancelled request out of j. It reports false if
// there are none.
func (j *job) drop(c Cancel) bool {
	kept := j.waiting[:0]
	for _, w := range j.waiting {
		if w.session == c.Session && w.seq == c.Seq {
			w.from.ReplyError(ErrCancelled)
			continue
		}
		kept = append(kept, w)
	}
	dropped := len(kept) < len(j.waiting)
	clear(j.waiting[len(kept):])
	j.waiting = kept
	return dropped
}

// over ends a job with its answer.
func (s *server) over(j *job, a answer) {
	j.cancel()
	delete(s.jobs, j.entry)
	if a.err != nil && errors.Is(a.err, ErrRetry) {
		s.table.undo(j.entry)
	} else {
		s.table.end(time.Now(), j.entry, a)
	}
	for _, w := range j.waiting {
		give(w.from, a)
	}
	j.waiting = nil
}

func give(to actor.From, a answer) {
	if a.err != nil {
		to.ReplyError(a.err)
		return
	}
	to.Reply(a.value)
}
