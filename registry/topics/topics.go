package topics

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/registry/groups"
	"github.com/topos-go/topos/supervisor"
)

// MaxName bounds the name of a topic, in bytes.
const MaxName = groups.MaxName - len(prefix)

// prefix begins the names of the groups that relays are in.
const prefix = "topic/"

var (
	// ErrInvalidTopic is returned for a topic whose name is empty or longer than
	// MaxName.
	ErrInvalidTopic = errors.New("topics: invalid topic")
	// ErrNotLocal is returned by Subscribe for a process of another node.
	ErrNotLocal = errors.New("topics: process of another node")
)

// Config says what Topics stand on. Both must be given.
type Config struct {
	// System is the node's.
	System *actor.System
	// Groups are the node's. Topics use those whose names begin with "topic/".
	Groups *groups.Groups
}

// Topics are the topics as one node knows them. Make them with [Start] and Close
// them before the groups. All methods are safe for concurrent use.
type Topics struct {
	sys    *actor.System
	groups *groups.Groups
	keeper actor.PID    // the supervisor of the desk
	desk   atomic.Value // actor.PID

	mu          sync.Mutex
	subscribers map[string]map[actor.PID]bool // by topic; changed by the desk
}

// Start starts a node's topics. Errors are those of cfg, all at once. ctx only
// bounds the start.
func Start(ctx context.Context, cfg Config) (*Topics, error) {
	var errs []error
	if cfg.System == nil {
		errs = append(errs, errors.New("topics: Config.System is nil"))
	}
	if cfg.Groups == nil {
		errs = append(errs, errors.New("topics: Config.Groups is nil"))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	t := &Topics{sys: cfg.System, groups: cfg.Groups, subscribers: make(map[string]map[actor.PID]bool)}
	keeper, err := supervisor.Spawn(ctx, t.sys, supervisor.Spec{
		Intensity: supervisor.AtMost(deskRestarts),
		Children:  []supervisor.ChildSpec{{ID: "desk", Start: actor.Start(func() actor.Actor { return &desk{topics: t} }, actor.Label("topics' desk"))}},
	}, actor.Label("topics"))
	if err != nil {
		return nil, err
	}
	t.keeper = keeper
	return t, nil
}

// Close ends the relays of this node. Nothing is delivered to its subscribers
// any more.
func (t *Topics) Close() {
	_ = t.sys.Exit(t.keeper, actor.ErrShutdown) // gone if the system is closed
}

// Subscribe lets the local process pid receive what is published to topic, until
// it ends or [Topics.Unsubscribe]. Subscribing twice is subscribing once. It
// fails with ErrInvalidTopic, ErrNotLocal or an error of actor.Call.
func (t *Topics) Subscribe(ctx context.Context, topic string, pid actor.PID) error {
	if err := check(topic); err != nil {
		return err
	}
	if pid.IsZero() || pid.NodeHandle() != t.sys.NodeHandle() {
		return fmt.Errorf("%w: %v", ErrNotLocal, pid)
	}
	return t.ask(ctx, subscribe{topic, pid})
}

// Unsubscribe ends a subscription, if there is one. What is on its way to the
// process may still come.
func (t *Topics) Unsubscribe(ctx context.Context, topic string, pid actor.PID) error {
	return t.ask(ctx, unsubscribe{topic, pid})
}

func (t *Topics) ask(ctx context.Context, request any) error {
	desk, _ := t.desk.Load().(actor.PID)
	_, err := actor.Call[bool](ctx, t.sys, desk, request)
	return err
}

// Publish sends msg to all subscribers of topic, from the process or system
// that publishes. It returns to how many nodes it was sent, this one included,
// and the errors of those to which it certainly was not. It does not wait, but
// for room in a channel's queue, as every send does. msg must not be changed
// afterwards.
func (t *Topics) Publish(from actor.Sender, topic string, msg any, opts ...actor.SendOption) (nodes int, err error) {
	if err := check(topic); err != nil {
		return 0, err
	}
	if msg == nil {
		return 0, actor.ErrNilMessage
	}
	var errs []error
	for _, relay := range t.groups.Members(prefix + topic) {
		if err := from.Send(relay.PID, msg, opts...); err != nil {
			errs = append(errs, err)
			continue
		}
		nodes++
	}
	return nodes, errors.Join(errs...)
}

// Subscribers returns the subscribers of topic on this node, in no order. The
// slice is the caller's.
func (t *Topics) Subscribers(topic string) []actor.PID {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Collect(maps.Keys(t.subscribers[topic]))
}

// Nodes returns the nodes on which somebody subscribes to topic, as far as this
// node knows. The slice is the caller's.
func (t *Topics) Nodes(topic string) []actor.NodeID {
	var nodes []actor.NodeID
	for _, relay := range t.groups.Members(prefix + topic) {
		nodes = append(nodes, relay.PID.Node())
	}
	return nodes
}

// Which returns the topics that somebody subscribes to, on any node, in no
// order.
func (t *Topics) Which() []string {
	var topics []string
	for _, group := range t.groups.Which() {
		if topic, ok := strings.CutPrefix(group, prefix); ok {
			topics = append(topics, topic)
		}
	}
	return topics
}

func check(topic string) error {
	if topic == "" || len(topic) > MaxName {
		return fmt.Errorf("%w: a name of %d bytes", ErrInvalidTopic, len(topic))
	}
	return nil
}
