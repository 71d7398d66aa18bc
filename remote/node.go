package remote

import (
	"context"
	crand "crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"
	"unique"

	"github.com/lithammer/shortuuid/v4"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/internal/delay"
	"github.com/topos-go/topos/remote/codec"
	"github.com/topos-go/topos/remote/handshake"
	"github.com/topos-go/topos/remote/secure"
	"github.com/topos-go/topos/remote/wire"
)

// System is what a [Node] serves: an *actor.System.
type System interface {
	Deliver(sig actor.Signal) (over bool)
	NodeDown(node actor.NodeID, reason error)
}

// inflower is a System with a shorter way for most messages.
type inflower interface{ Inflow() *actor.Inflow }

// Node is this node's end of the cluster. It is the actor.Router of the node's
// system. Its methods are safe for concurrent use. A Node is made with [New]
// and must be closed.
type Node struct {
	cfg      Config
	channels map[string]*Channel // by name
	// prioritized says that not all channels have the same priority.
	prioritized bool
	id          actor.NodeID
	handle      actor.NodeHandle
	codec       *codec.Codec
	shake       handshake.Config
	core        *membership   // of the goroutine drive
	topology    atomic.Uint32 // what it is called
	passages    passages
	tunnels     tunnels
	measures    measures
	tls         *secure.Transport // nil without
	carrier     Transport         // beneath it
	listener    net.Listener
	log         *slog.Logger
	quiet       *limiter // for log lines that strangers can cause

	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
	inbox  chan any // what drive has to do

	sys          System
	inflower     inflower // sys, if it is one and nobody wants to see what comes
	peers        peerTable
	associations atomic.Uint64
	strangers    atomic.Int64 // connections that have proven nothing yet

	loans    loans
	recycler *recycler
	ballast  *ballast
	valves   valves
	ledger   ledger // of acknowledged messages
	talks    talks
	topics   topicTable

	broadcasts broadcastDesk

	news    newsDesk
	watched observers
	stats   counters

	encoders sync.Pool // of *encoder

	randMu sync.Mutex
	rand   *rand.Rand

	state   sync.Mutex
	started bool
	closed  bool
	leaving bool // of the goroutine drive
}

// New opens the listener, so that the node's name is known, and does nothing
// else until [Node.Start]. Errors are those of cfg, all at once, and the
// listener's.
//
// The node's identity is fixed here, before any PID exists:
//
//	node, err := remote.New(cfg)
//	sys, err := actor.NewSystem(actor.Config{Node: node.ID(), Router: node})
//	err = node.Start(sys)
func New(cfg Config) (*Node, error) {
	cfg.setDefaults()
	codecs, err := codec.New(codec.Config{Types: cfg.Types, Errors: append(sentinels(), cfg.Errors...)})
	channels, channelErr := cfg.channels()
	carrier := cfg.Transport
	tls, tlsErr := cfg.secured()
	n := &Node{cfg: cfg, channels: channels, codec: codecs, tls: tls, carrier: carrier, log: cfg.Logger, inbox: make(chan any, 64), recycler: newRecycler(time.Now)}
	n.ballast = newBallast(cfg.Ballast, time.Now, programHeap)
	n.ctx, n.cancel = context.WithCancel(context.Background())
	err = errors.Join(cfg.valid(), err, channelErr, tlsErr)
	if err == nil {
		err = n.listen()
	}
	if err != nil {
		n.letGo()
		return nil, err
	}
	n.log = n.log.With("self", n.id.Name)
	n.quiet = newLimiter(n.log)
	for _, ch := range channels {
		n.prioritized = n.prioritized || ch.Priority != 0
	}
	n.encoders.New = func() any { return new(encoder) }
	n.peers.init()
	n.topics.init()
	n.broadcasts.init()
	n.news.init()
	return n, nil
}

// listen opens the listener, and works out from it who the node is.
func (n *Node) listen() (err error) {
	cfg := &n.cfg
	if n.listener, err = cfg.Transport.Listen(cfg.Listen); err != nil {
		return fmt.Errorf("remote: %w", err)
	}
	if exposed(n.listener.Addr()) && n.tls == nil && !cfg.Insecure {
		return fmt.Errorf("%w: %v; set Config.TLS, or Config.Insecure to allow it", ErrInsecure, n.listener.Addr())
	}
	if err := n.identify(); err != nil || n.tls == nil {
		return err
	}
	return n.tls.Claim(n.Addr())
}

// letGo gives back what New has taken.
func (n *Node) letGo() {
	n.cancel()
	if n.listener != nil {
		n.listener.Close()
	}
	if n.tls != nil {
		n.tls.Close()
	}
}

// sentinels are this package's errors that can be reasons on other nodes.
func sentinels() []error {
	return []error{ErrQueueFull, ErrNoChannel, ErrLabel, ErrTooLarge, ErrOverloaded, ErrNotMember, ErrNotStarted, ErrClosed, ErrNotLowest}
}

// identify works out who the node is, and what follows from it.
func (n *Node) identify() error {
	cfg := &n.cfg
	addr := cfg.Advertise
	if addr == "" {
		addr = n.listener.Addr().String()
	}
	if cfg.Hidden {
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			return fmt.Errorf("remote: address of this node: %w", err)
		}
		addr = net.JoinHostPort(host, "0")
	}
	if cfg.Incarnation == (actor.Incarnation{}) {
		cfg.Incarnation.Boot = uint64(time.Now().UnixMicro())
	}
	if cfg.Incarnation.Unique == "" {
		cfg.Incarnation.Unique = shortuuid.New()
	}
	n.id = actor.NodeID{Name: cfg.Name + "@" + addr, Incarnation: cfg.Incarnation}
	if parsed, err := actor.ParseNodeID(n.id.String()); err != nil || parsed != n.id {
		return fmt.Errorf("remote: %v cannot be a node's identity: %w", n.id, err)
	}
	n.handle = unique.Make(n.id)
	n.shake = handshake.Config{
		Self:       n.id,
		Cluster:    cfg.Cluster,
		Secret:     []byte(cfg.Secret),
		MinVersion: wire.MinVersion,
		MaxVersion: wire.MaxVersion,
		MaxPayload: cfg.MaxMessage,
	}
	seed := cfg.Seed
	if seed == 0 {
		var b [8]byte
		_, _ = crand.Read(b[:]) // it never fails
		seed = binary.BigEndian.Uint64(b[:])
	}
	n.rand = rand.New(rand.NewPCG(seed, 1))
	seeds := make([]string, len(cfg.Join))
	for i, s := range cfg.Join {
		seeds[i] = addrOf(s)
	}
	core, err := newMembership(cfg, overlayNode(n.id), seeds, seed)
	n.core = core
	n.topology.Store(uint32(cfg.Topology))
	return err
}

// ID returns the node's identity, which its system must have too.
func (n *Node) ID() actor.NodeID { return n.id }

// Addr returns the address at which others reach the node.
func (n *Node) Addr() string { return addrOf(n.id.Name) }

// Start lets the node accept connections and join the cluster. sys gets what
// arrives for its processes. It returns at once; see [Node.Subscribe] for what
// comes of it.
func (n *Node) Start(sys System) error {
	n.state.Lock()
	defer n.state.Unlock()
	if n.closed {
		return ErrClosed
	}
	if n.started {
		return errors.New("remote: node already started")
	}
	n.started = true
	n.sys = sys
	if n.cfg.Tap == nil {
		n.inflower, _ = sys.(inflower)
	}
	n.peers.open()
	n.wg.Go(n.drive)
	n.wg.Go(n.acceptAll)
	n.wg.Go(func() { n.news.run(n.ctx) })
	n.wg.Go(func() { n.handleBroadcasts(n.ctx, &n.broadcasts.plain) })
	n.wg.Go(func() { n.handleBroadcasts(n.ctx, &n.broadcasts.causal) })
	return nil
}

// Close cuts all connections and returns when all goroutines of the node have
// ended, or when ctx has; then they end later. Members find out by themselves;
// [Node.Leave] is the polite way. Processes of the system learn that every
// other node is down, with ErrClosed.
func (n *Node) Close(ctx context.Context) error {
	if !n.shut() {
		return nil
	}
	done := make(chan struct{})
	go func() { // ends with the node
		n.wg.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("remote: closing: %w", ctx.Err())
	}
}

// shut lets everything end that the node does. It reports false if the node was
// never started, so that there is nothing to wait for.
func (n *Node) shut() bool {
	n.state.Lock()
	defer n.state.Unlock()
	if !n.closed {
		n.closed = true
		n.letGo()
		n.recycler.close()
		n.ballast.close()
		for _, p := range n.peers.close() {
			n.giveUp(p, ErrClosed)
		}
		if n.started {
			n.wg.Go(func() {
				n.ledger.close()
				n.talks.close()
			})
		}
	}
	return n.started
}

// backoff returns how long to wait after the given number of attempts in vain.
func (n *Node) backoff(attempts int) time.Duration {
	n.randMu.Lock()
	defer n.randMu.Unlock()
	return delay.Backoff(n.rand, n.cfg.RedialMin, n.cfg.RedialMax, attempts)
}
