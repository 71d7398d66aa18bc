package groups

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/registry/internal/board"
	"github.com/topos-go/topos/registry/internal/exchange"
	"github.com/topos-go/topos/registry/internal/index"
	"github.com/topos-go/topos/registry/internal/ledger"
	"github.com/topos-go/topos/supervisor"
)

const (
	// MaxName bounds the name of a group, in bytes.
	MaxName = 1 << 10
	// MaxMetadata bounds what is known of one process in one group, in bytes:
	// names and values of all its memberships. It is sent in one message.
	MaxMetadata = 32 << 10
)

var (
	// ErrInvalidGroup is returned by Join and Monitor for a group whose name is
	// empty or longer than MaxName.
	ErrInvalidGroup = errors.New("groups: invalid group")
	// ErrNotLocal is returned by Join, Leave and Monitor for a process of
	// another node: only its own node speaks for it.
	ErrNotLocal = errors.New("groups: process of another node")
	// ErrMetadata is returned by Join for more than MaxMetadata.
	ErrMetadata = errors.New("groups: too much metadata")
	// ErrNotMember is returned by Leave for a process that is not in the group.
	ErrNotMember = errors.New("groups: not a member")
)

// Cluster is what groups need of the remote layer. It should be a registry.Overlay,
// too, if not all nodes are linked.
type Cluster interface {
	// Self is this node.
	Self() actor.NodeID
	// Members are the nodes not known to be dead, this one included.
	Members() []actor.NodeID
	// SendControl sends payload to the handler of topic on another node. For
	// one pair of nodes payloads arrive in order; some may be lost when the
	// connection is.
	SendControl(to actor.NodeID, topic string, payload []byte) error
	// HandleControl lets f handle what comes in for topic. f must not block.
	HandleControl(topic string, f func(from actor.NodeID, payload []byte))
	// Watch calls f for every member that comes up and goes down, in order,
	// for those that are up already first.
	Watch(f func(node actor.NodeID, up bool)) (cancel func())
}

// Config says what Groups are of. System and Cluster must be given.
type Config struct {
	// System is the node's; Cluster the one it is part of.
	System  *actor.System
	Cluster Cluster
	// Logger gets a line for what is malformed. Nil discards.
	Logger *slog.Logger
	// AntiEntropy is how often nodes that are all linked compare what they have, in
	// case something was lost. Zero means 5 s. Others do so every second.
	AntiEntropy time.Duration
}

// Member is a process's membership in a group.
type Member struct {
	PID actor.PID
	// Metadata is what it joined with. It must not be changed.
	Metadata map[string]string
}

// Event says who has joined and who has left a group. It must not be changed.
type Event struct {
	Group        string
	Joined, Left []Member
}

// Groups are the process groups as one node knows them. Make them with [Start]
// and Close them. All methods are safe for concurrent use, and none waits for
// another node.
type Groups struct {
	cfg    Config
	sys    *actor.System
	shared *exchange.Exchange[record]
	groups *index.Map[*group, struct{}]  // written within shared.Do
	mine   map[actor.PID]map[string]bool // the groups of local processes; belongs to shared.Do
	board  *board.Board
	keeper actor.PID // the supervisor of the warden
	warden atomic.Value

	watchers watchers
}

// topic is the control topic of all that groups say to each other.
const topic = "registry/groups"

// Start starts a node's groups. Errors are those of cfg, all at once. ctx only
// bounds the start. They should be started before the node joins its cluster.
func Start(ctx context.Context, cfg Config) (*Groups, error) {
	if err := cfg.valid(); err != nil {
		return nil, err
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	g := &Groups{cfg: cfg, sys: cfg.System, groups: index.New[*group, struct{}](), mine: make(map[actor.PID]map[string]bool), board: board.New()}
	g.watchers.init()
	g.shared = exchange.New(exchange.Config[record]{
		Topic:       topic,
		Node:        cfg.System.Node(),
		Logger:      cfg.Logger,
		AntiEntropy: cfg.AntiEntropy,
		Weigh:       record.weight,
		Changed: func(_ *ledger.Ledger[record], changes []ledger.Change[record]) func() {
			for i := range changes {
				g.follow(&changes[i])
			}
			return nil
		},
	})
	keeper, err := supervisor.Spawn(ctx, g.sys, supervisor.Spec{
		Intensity: supervisor.AtMost(wardenRestarts),
		Children:  []supervisor.ChildSpec{{ID: "warden", Start: actor.Start(func() actor.Actor { return &warden{groups: g} }, actor.Label("groups' warden"))}},
	}, actor.Label("groups"))
	if err != nil {
		return nil, err
	}
	g.keeper = keeper
	g.board.Start()
	g.shared.Start(cfg.Cluster)
	return g, nil
}

func (c *Config) valid() error {
	var errs []error
	if c.System == nil {
		errs = append(errs, errors.New("groups: Config.System is nil"))
	}
	if c.Cluster == nil {
		errs = append(errs, errors.New("groups: Config.Cluster is nil"))
	}
	if c.AntiEntropy < 0 {
		errs = append(errs, fmt.Errorf("groups: Config.AntiEntropy %v is negative", c.AntiEntropy))
	}
	return errors.Join(errs...)
}

// Close ends the exchange with other nodes and waits for it. The processes that
// are in groups go on. It must be called once, and not by a watcher.
func (g *Groups) Close() {
	g.shared.Close()
	_ = g.sys.Exit(g.keeper, actor.ErrShutdown) // gone if the system is closed
	g.board.Close()
}

// Join makes the local process pid a member of group, once more if it is one.
// metadata may be nil; it is copied. It fails with ErrInvalidGroup, ErrNotLocal,
// ErrMetadata, or actor.ErrNoProc if the process has ended. It is pg:join/2.
func (g *Groups) Join(group string, pid actor.PID, metadata map[string]string) error {
	switch {
	case group == "" || len(group) > MaxName:
		return fmt.Errorf("%w: a name of %d bytes", ErrInvalidGroup, len(group))
	case pid.IsZero() || pid.NodeHandle() != g.sys.NodeHandle():
		return fmt.Errorf("%w: %v", ErrNotLocal, pid)
	case !g.sys.Alive(pid):
		return fmt.Errorf("groups: join %q: %w", group, actor.ErrNoProc)
	}
	var err error
	g.shared.Do(func(l *ledger.Ledger[record]) {
		key := keyOf(group, pid)
		before, _ := l.Get(key)
		now := record{Metadata: append(slices.Clip(before.Metadata), copied(metadata))}
		if now.weight() > MaxMetadata {
			err = fmt.Errorf("%w: %d bytes, at most %d", ErrMetadata, now.weight(), MaxMetadata)
			return
		}
		c := l.Put(key, now)
		g.follow(&c)
	})
	if err == nil {
		g.mind(pid)
	}
	return err
}

// Leave takes back one membership of the local process pid: its last Join that
// was not taken back. It fails with ErrNotLocal or ErrNotMember. It is
// pg:leave/2.
func (g *Groups) Leave(group string, pid actor.PID) error {
	if pid.IsZero() || pid.NodeHandle() != g.sys.NodeHandle() {
		return fmt.Errorf("%w: %v", ErrNotLocal, pid)
	}
	err := fmt.Errorf("%w: %v of %q", ErrNotMember, pid, group)
	g.shared.Do(func(l *ledger.Ledger[record]) {
		key := keyOf(group, pid)
		before, ok := l.Get(key)
		if !ok {
			return
		}
		err = nil
		var c ledger.Change[record]
		if n := len(before.Metadata); n > 1 {
			c = l.Put(key, record{Metadata: before.Metadata[: n-1 : n-1]})
		} else {
			c, _ = l.Delete(key)
		}
		g.follow(&c)
	})
	return err
}

// drop takes the local process pid, which has ended, out of all its groups.
func (g *Groups) drop(pid actor.PID) {
	g.shared.Do(func(l *ledger.Ledger[record]) {
		for _, name := range slices.Sorted(maps.Keys(g.mine[pid])) {
			if c, ok := l.Delete(keyOf(name, pid)); ok {
				g.follow(&c)
			}
		}
	})
	g.watchers.drop(pid)
}

// Members returns all members of group, on all nodes, in the order of their
// PIDs. The slice is shared and must not be changed; it is empty if there is no
// such group. It is pg:get_members/1.
func (g *Groups) Members(group string) []Member {
	if v := g.view(group); v != nil {
		return v.all
	}
	return nil
}

// LocalMembers returns those members that run on this node, as Members does. It
// is pg:get_local_members/1.
func (g *Groups) LocalMembers(group string) []Member {
	if v := g.view(group); v != nil {
		return v.local
	}
	return nil
}

// Which returns the names of the groups that have a member, in no order. It is
// pg:which_groups/0.
func (g *Groups) Which() []string {
	var names []string
	for name := range g.groups.All() {
		names = append(names, name)
	}
	return names
}
