package topos

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/registry"
	"github.com/topos-go/topos/registry/groups"
	"github.com/topos-go/topos/registry/strong"
	"github.com/topos-go/topos/registry/topics"
	"github.com/topos-go/topos/remote"
	"github.com/topos-go/topos/remote/discovery"
	"github.com/topos-go/topos/supervisor"
)

// Node is one node of a cluster. Its methods are safe for concurrent use. A
// Node is made with [Start] and must be closed.
type Node struct {
	*actor.System

	remote *remote.Node
	names  *registry.Names
	groups *groups.Groups
	topics *topics.Topics
	strong *strong.Registry     // nil without Config.Strong
	found  *discovery.Discovery // nil without Config.Discovery
	root   actor.PID            // the supervisor of everything
	trees  atomic.Uint64

	stopped sync.Once
	closing chan struct{} // closed when the end has begun
	done    chan struct{} // closed when the node has ended
	err     error         // why it ended; after done
}

// rootName is the local name of a node's topmost supervisor.
const rootName = actor.Name("topos.root")

// Start starts a node. It returns when the node can be used; who else is in
// the cluster it finds out in the background: see [Node.Members] and
// [Node.Await]. Errors are those of cfg, all at once, and the listener's. ctx
// only bounds the start.
func Start(ctx context.Context, cfg Config) (*Node, error) {
	if err := cfg.valid(); err != nil {
		// What the remote layer has to say is wanted at the same time.
		_, remoteErr := remote.New(cfg.remote())
		return nil, errors.Join(err, remoteErr)
	}
	r, err := remote.New(cfg.remote())
	if err != nil {
		return nil, err
	}
	names := registry.NewNames(registry.NamesConfig{Node: r.ID(), Logger: cfg.logger(), Rule: cfg.NameRule})
	sys, err := actor.NewSystem(actor.Config{
		Node:         r.ID(),
		Router:       r,
		Names:        names,
		Logger:       cfg.logger(),
		KillGrace:    cfg.KillGrace,
		Budget:       cfg.Budget,
		Constructors: cfg.Constructors,
	})
	if err != nil {
		return nil, errors.Join(err, r.Close(ctx))
	}
	n := &Node{System: sys, remote: r, names: names, closing: make(chan struct{}), done: make(chan struct{})}
	if err := n.start(ctx, cfg); err != nil {
		return nil, errors.Join(err, n.Close(ctx))
	}
	return n, nil
}

func (n *Node) start(ctx context.Context, cfg Config) error {
	cluster := cluster{n.remote}
	n.names.Start(cluster, n.System.Exit)
	if err := n.startRegistry(ctx, cfg, cluster); err != nil {
		return err
	}
	if err := n.remote.Start(n.System); err != nil {
		return err
	}
	placement := registry.PlacementConfig{Cluster: cluster, Settle: cfg.Settle, Attributes: cfg.Attributes, Observe: cfg.OnPlacement}
	if n.strong != nil {
		placement.Leases = n.strong
	}
	root, err := supervisor.New(supervisor.Spec{Children: []supervisor.ChildSpec{{
		ID:       "placement",
		Type:     supervisor.Supervisor,
		Shutdown: supervisor.Infinity,
		Start:    registry.StartPlacement(placement),
	}}})
	if err != nil {
		return err
	}
	if n.root, err = n.System.Spawn(ctx, root, rootName, actor.Label("root supervisor")); err != nil {
		return err
	}
	if _, err = n.System.Spawn(ctx, &guard{node: n}, actor.Label("root guard")); err != nil {
		return err
	}
	if len(cfg.Discovery) > 0 {
		n.found, err = discovery.Start(discovery.Config{
			Sources: cfg.Discovery, Logger: cfg.logger(), Found: func(addrs []string) { n.remote.Join(addrs...) },
		})
	}
	return err
}

// startRegistry starts what stands beside names.
func (n *Node) startRegistry(ctx context.Context, cfg Config, cluster cluster) (err error) {
	if n.groups, err = groups.Start(ctx, groups.Config{System: n.System, Cluster: cluster, Logger: cfg.logger()}); err != nil {
		return err
	}
	if n.topics, err = topics.Start(ctx, topics.Config{System: n.System, Groups: n.groups}); err != nil {
		return err
	}
	if cfg.Strong != nil {
		c := *cfg.Strong
		c.Cluster, c.Logger = cluster, cfg.logger()
		if n.strong, err = strong.New(c); err == nil {
			err = n.strong.Start()
		}
	}
	return err
}

// guard ends the node when its root supervisor gives up.
type guard struct{ node *Node }

func (g *guard) Init(self *actor.Self) error {
	self.Monitor(g.node.root)
	return nil
}

func (g *guard) Receive(self *actor.Self, msg any) error {
	if down, ok := msg.(actor.Down); ok {
		select {
		case <-g.node.closing: // as it should be
		default:
			self.Logger().Error("the root supervisor gave up: the node leaves the cluster", "reason", down.Reason)
			// Owned by Close, which whoever started the node calls and which
			// waits for done.
			go g.node.end(context.Background(), fmt.Errorf("topos: root supervisor ended: %w", down.Reason))
		}
		return actor.ErrNormal
	}
	return nil
}

// Addr returns the address at which other nodes reach this one.
func (n *Node) Addr() string { return n.remote.Addr() }

// Name returns the node's whole name, "name@host:port".
func (n *Node) Name() string { return n.remote.ID().Name }

// Members returns the nodes not known to be dead, this one included.
func (n *Node) Members() []actor.NodeID { return cluster{n.remote}.Members() }

// Peers returns the members that this node is connected with by the topology at this
// moment, itself excepted: all, or the active view of remote.HyParView. It is what a
// crdtactor.Config calls its Peers.
func (n *Node) Peers() []actor.NodeID { return n.remote.Neighbors() }

// Watch calls f for every other node that comes up and that goes down, in
// order, first for those that are up already, until cancel is called. f must
// not wait for another node.
func (n *Node) Watch(f func(node actor.NodeID, up bool)) (cancel func()) {
	return cluster{n.remote}.Watch(f)
}

// Subscribe calls f for every member that comes or goes, until cancel is called, and
// first for those that are there: see remote.Node.Subscribe.
func (n *Node) Subscribe(f func(remote.MemberEvent)) (cancel func()) { return n.remote.Subscribe(f) }

// Topology returns which nodes of the cluster are connected at present.
func (n *Node) Topology() remote.Topology { return n.remote.Topology() }

// SetTopology lets the whole cluster have another topology, while it runs. Only the
// first of [Node.Members] may: see remote.Node.SetTopology.
func (n *Node) SetTopology(ctx context.Context, t remote.Topology) error {
	return n.remote.SetTopology(ctx, t)
}

// Broadcast has payload handled on every node of the cluster, this one included: see
// remote.Node.Broadcast for what that promises, and remote.InCausalOrder for order.
func (n *Node) Broadcast(topic string, payload []byte, opts ...remote.BroadcastOption) error {
	return n.remote.Broadcast(topic, payload, opts...)
}

// HandleBroadcast lets f handle what nodes broadcast to topic: see
// remote.Node.HandleBroadcast. What comes before it is called is not handled.
func (n *Node) HandleBroadcast(topic string, f remote.BroadcastFunc) {
	n.remote.HandleBroadcast(topic, f)
}

// RemoteStats returns what this node's connections have counted; Stats, of the
// embedded System, what its processes have.
func (n *Node) RemoteStats() remote.Stats { return n.remote.Stats() }

// ObserveRemote calls f for what happens on this node's connections; see
// remote.Event. Observe, of the embedded System, does so for its processes.
func (n *Node) ObserveRemote(f func(remote.Event)) (cancel func()) { return n.remote.Observe(f) }

// Await returns the process that holds a cluster-wide name, as soon as this
// node knows of one. What Await returns may have ended by the time it is used.
func (n *Node) Await(ctx context.Context, name actor.ClusterName) (actor.PID, error) {
	return n.names.Await(ctx, string(name))
}

// Names returns all cluster-wide names known to this node and who holds them.
// The map is the caller's.
func (n *Node) Names() map[string]actor.PID { return n.names.All() }

// Supervise starts a supervisor with the given children on this node and
// returns when they have all been started, or why one was not. The supervisor
// is a permanent child of the node's own.
func (n *Node) Supervise(ctx context.Context, spec supervisor.Spec) (actor.PID, error) {
	if err := spec.Validate(); err != nil {
		return actor.PID{}, err
	}
	return supervisor.StartChild(ctx, n, n.root, supervisor.ChildSpec{
		ID:       fmt.Sprintf("tree %d", n.trees.Add(1)),
		Type:     supervisor.Supervisor,
		Shutdown: supervisor.Infinity,
		Start:    supervisor.Start(spec),
	})
}

// Place declares children that are to run once in the whole cluster, on
// whichever node is theirs; every node must declare the same ones. It returns
// before they run. See registry.StartPlacement.
func (n *Node) Place(ctx context.Context, children ...supervisor.ChildSpec) error {
	return registry.Place(ctx, n, children...)
}

// Declare declares children for the whole cluster: see registry.Declare. [Node.Place]
// is for those that need nothing but a ChildSpec.
func (n *Node) Declare(ctx context.Context, children ...registry.Child) error {
	return registry.Declare(ctx, n, children...)
}

// Locate returns the running instance of a placed child: see registry.Locate.
func (n *Node) Locate(ctx context.Context, id string) (actor.PID, error) {
	return registry.Locate(ctx, n, id)
}

// Groups are the process groups of the cluster.
func (n *Node) Groups() *groups.Groups { return n.groups }

// Topics are the cluster's publish/subscribe.
func (n *Node) Topics() *topics.Topics { return n.topics }

// Strong is the strongly consistent registry; nil without Config.Strong.
func (n *Node) Strong() *strong.Registry { return n.strong }

// Done is closed when the node has ended: by Close, by Kill, or because its
// root supervisor gave up.
func (n *Node) Done() <-chan struct{} { return n.done }

// Err says why the node ended, after Done: nil after Close and Kill.
func (n *Node) Err() error {
	select {
	case <-n.done:
		return n.err
	default:
		return nil
	}
}

// drainTime bounds how long [Node.Close] waits for others to take over placed
// children: longer than they need to see that and to start them.
const drainTime = 10 * time.Second

// Close lets other nodes take over placed children, stops the node's supervision tree
// in order, leaves the cluster and returns when all goroutines of the node have ended. What has not stopped
// when ctx ends is killed; handlers that do not return even then are named by
// the error. Closing again waits for the same end.
func (n *Node) Close(ctx context.Context) error {
	return n.end(ctx, nil)
}

// Kill ends the node as if its program had been killed: nothing is stopped in
// order and nobody is told. It is for tests and demonstrations of failure.
func (n *Node) Kill() {
	n.stopped.Do(func() {
		close(n.closing)
		gone, cancel := context.WithCancel(context.Background())
		cancel()
		_ = n.remote.Close(context.Background()) // first, so that nobody hears of the rest
		_ = n.System.Close(gone)                 // zombies are what a killed program leaves, too
		_ = n.closeStrong(gone)
		n.closeRegistry()
		close(n.done)
	})
	<-n.done
}

// end closes the node once, with reason as what Err says.
func (n *Node) end(ctx context.Context, reason error) error {
	var errs []error
	n.stopped.Do(func() {
		close(n.closing)
		n.err = reason
		draining, cancel := context.WithTimeout(ctx, drainTime)
		_ = registry.Drain(draining, n.System) // what has not moved is started elsewhere later
		cancel()
		errs = append(errs, n.System.Close(ctx), n.closeStrong(ctx))
		if err := n.remote.Leave(ctx); !errors.Is(err, remote.ErrNotStarted) {
			errs = append(errs, err)
		}
		n.closeRegistry()
		close(n.done)
	})
	<-n.done
	return errors.Join(errs...)
}

// closeStrong ends the strong registry, if there is one, while others can be told.
func (n *Node) closeStrong(ctx context.Context) error {
	if n.strong == nil {
		return nil
	}
	return n.strong.Close(ctx)
}

// closeRegistry ends the rest of what startRegistry and start have begun, as far as
// they have.
func (n *Node) closeRegistry() {
	if n.found != nil {
		n.found.Close()
	}
	if n.topics != nil {
		n.topics.Close()
	}
	if n.groups != nil {
		n.groups.Close()
	}
	n.names.Close()
}
