package protoactor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	proto "github.com/asynkron/protoactor-go/actor"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote/codec"
)

// DefaultAskTimeout bounds how long a request of theirs waits for a reply of
// ours: longer than futures live, short enough that what nobody waits for any
// more does not pile up.
const DefaultAskTimeout = time.Minute

// GatewayName is the local name of a bridge's process, through which the
// bridges of other nodes reach this one.
const GatewayName = actor.Name("topos.protoactor")

// ErrConfig is wrapped by every mistake in a [Config].
var ErrConfig = errors.New("protoactor: invalid config")

// ErrBridgeClosed is the start error of a child of a bridge that has ended.
var ErrBridgeClosed = errors.New("protoactor: bridge closed")

// ErrActorExists is the start error of a child whose name an actor of theirs
// has already.
var ErrActorExists = errors.New("protoactor: actor exists")

// Config says what a Bridge joins.
type Config struct {
	// System is the Topos side; a node's is its embedded System. It must be
	// given.
	System *actor.System
	// Actors is their side. Nil means a new one, whose log goes to Logger. A
	// remote of theirs must not be started on it: other nodes are reached
	// through System.
	Actors *proto.ActorSystem
	// Logger gets what a new actor system logs. Nil discards. That of a system
	// that is given was fixed when it was made; see [LogTo].
	Logger *slog.Logger
	// Types are the Go types of messages that actors of theirs on different
	// nodes exchange, as in the node's own configuration. Protobuf messages
	// need not be registered.
	Types []codec.Type
	// Whereis finds the holder of a cluster name, so that Stop and Poison work on
	// PIDs of such names: a registry's method of that name, or what a node's
	// Names say. Nil finds nobody; everything else works without it.
	Whereis func(name string) (actor.PID, bool)
	// AskTimeout is how long a Request or RequestFuture to a process of ours
	// may wait for its reply. Zero means DefaultAskTimeout.
	AskTimeout time.Duration
}

// Bridge joins a Topos system with an ActorSystem of proto.actor. It is made
// with [Attach] and ends with the Topos system, or by Close. Its methods are
// safe for concurrent use.
type Bridge struct {
	sys     *actor.System
	actors  *proto.ActorSystem
	codec   *codec.Codec
	timeout time.Duration
	whereis func(string) (actor.PID, bool)
	address string // of this node, in PIDs of theirs
	plain   *proto.RootContext
	child   *proto.RootContext // its guardian hands failures to the host
	gateway actor.PID

	boxes   sync.Map // actor id -> *mailbox: who is hosted
	byPID   sync.Map // actor.PID -> *mailbox
	replies replies

	ctx    context.Context // ends with the bridge
	cancel context.CancelFunc
	mu     sync.Mutex // guards closed, and asking against a late Add
	closed bool
	asking sync.WaitGroup
}

// Attach joins the two systems of cfg: from now on PIDs made by [Bridge.ProtoPID]
// resolve in the actor system, and hosted actors have PIDs of ours. A system
// has one bridge at most. Attach writes the actor system's address and must be
// called before actors are spawned whose PIDs leave the node. Errors are those
// of cfg, all at once, or that of a second bridge.
func Attach(ctx context.Context, cfg Config) (*Bridge, error) {
	var mistakes []error
	if cfg.System == nil {
		mistakes = append(mistakes, fmt.Errorf("%w: no System", ErrConfig))
	}
	if cfg.AskTimeout < 0 {
		mistakes = append(mistakes, fmt.Errorf("%w: AskTimeout %v is negative", ErrConfig, cfg.AskTimeout))
	}
	if a := cfg.Actors; a != nil && cfg.System != nil && a.Address() != nowhere && a.Address() != cfg.System.Node().String() {
		mistakes = append(mistakes, fmt.Errorf("%w: Actors has an address, %s: a remote runs on it", ErrConfig, a.Address()))
	}
	known, err := codec.New(codec.Config{Types: append(codec.Types(frame{}), cfg.Types...)})
	if err = errors.Join(append(mistakes, err)...); err != nil {
		return nil, err
	}
	b := &Bridge{sys: cfg.System, actors: cfg.Actors, codec: known, timeout: cfg.AskTimeout, whereis: cfg.Whereis}
	if b.actors == nil {
		b.actors = proto.NewActorSystem(LogTo(cfg.Logger))
	}
	if b.timeout == 0 {
		b.timeout = DefaultAskTimeout
	}
	b.ctx, b.cancel = context.WithCancel(context.Background())
	if b.gateway, err = b.sys.Spawn(ctx, &gateway{b: b}, GatewayName, actor.Label("proto.actor bridge")); err != nil {
		b.cancel()
		return nil, fmt.Errorf("protoactor: attach: %w", err)
	}
	b.address = b.sys.Node().String()
	b.actors.ProcessRegistry.Address = b.address
	b.actors.ProcessRegistry.RegisterAddressResolver(b.resolve)
	b.plain = b.actors.Root.Copy()
	b.child = b.actors.Root.Copy().WithGuardian(&guardian{b})
	_ = b.sys.Observe(b.observe) // as long as the system: hosts may outlive the gateway
	return b, nil
}

// LogTo returns the option that lets an ActorSystem log to logger; nil
// discards. Without it proto.actor writes to standard error.
func LogTo(logger *slog.Logger) proto.ConfigOption {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	return proto.WithLoggerFactory(func(system *proto.ActorSystem) *slog.Logger {
		return logger.With("lib", "proto.actor", "system", system.ID)
	})
}

// Actors returns their side.
func (b *Bridge) Actors() *proto.ActorSystem { return b.actors }

// System returns our side.
func (b *Bridge) System() *actor.System { return b.sys }

// Close ends the bridge: requests that wait for a reply of ours are given up,
// and hosted actors end as after a shutdown signal. It returns when its
// goroutines have ended and all of that is under way, or when ctx ends.
//
// Supervisors with children of the bridge should be stopped before: what they
// start after Close fails with ErrBridgeClosed.
func (b *Bridge) Close(ctx context.Context) error {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.cancel()
	b.byPID.Range(func(pid, _ any) bool {
		_ = b.sys.Exit(pid.(actor.PID), actor.ErrShutdown) // who is gone already need not be told
		return true
	})
	watch := &waiter{of: b.gateway, gone: make(chan struct{})}
	if _, err := b.sys.Spawn(ctx, watch); errors.Is(err, actor.ErrClosed) {
		return nil
	} else if err != nil {
		return err
	}
	if err := b.sys.Exit(b.gateway, actor.ErrShutdown); err != nil {
		return nil // closed before
	}
	select {
	case <-watch.gone:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// waiter closes gone when the process of has ended.
type waiter struct {
	of   actor.PID
	gone chan struct{}
}

func (w *waiter) Init(self *actor.Self) error {
	self.Monitor(w.of)
	return nil
}

func (w *waiter) Receive(*actor.Self, any) error {
	close(w.gone)
	return actor.ErrNormal
}

// release ends what belongs to the bridge itself. The gateway calls it when it
// ends.
func (b *Bridge) release() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.cancel()
	b.asking.Wait()
}

// observe tidies up after hosts that have ended, however that was, and has
// requests answered that they had not handled.
func (b *Bridge) observe(event actor.Event) {
	switch e := event.(type) {
	case actor.ProcessExited:
		if box, ok := b.byPID.LoadAndDelete(e.PID); ok {
			b.tidy(box.(*mailbox))
		}
	case actor.DeadLetter:
		if env, ok := e.Message.(*proto.MessageEnvelope); ok && env.Sender != nil {
			// By the gateway, since the sender may be on another node.
			_ = b.sys.Send(b.gateway, &unhandled{env})
		}
	}
}

// unhandled is a request that a hosted actor will not handle any more.
type unhandled struct{ env *proto.MessageEnvelope }

// tidy must not panic, whatever watchers of theirs do.
func (b *Bridge) tidy(box *mailbox) {
	defer func() {
		if v := recover(); v != nil {
			b.actors.Logger().Error("telling the watchers of an actor panicked", "reason", v)
		}
	}()
	box.ended()
}
