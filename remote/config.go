package remote

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/overlay/clientserver"
	"github.com/topos-go/topos/overlay/fullmesh"
	"github.com/topos-go/topos/remote/codec"
	"github.com/topos-go/topos/remote/secure"
)

// Defaults of [Config].
const (
	// DefaultCluster is the name of a cluster that was given none.
	DefaultCluster = "topos"
	// DefaultListen is any free port that only this machine can reach.
	DefaultListen = "127.0.0.1:0"
	// DefaultDialTimeout bounds the making of a connection, and
	// DefaultHandshakeTimeout the handshake on it: several round trips around
	// the world, and no longer than a stranger may keep a connection open.
	DefaultDialTimeout      = 3 * time.Second
	DefaultHandshakeTimeout = 5 * time.Second
	// DefaultAckAge is long beside the time it takes to find out that a node is
	// down, and to come back after a partition.
	DefaultAckAge = time.Minute
	// DefaultMaxMessage is the largest encoded message: large enough for
	// state that is handed over, small enough for a few of them in memory.
	DefaultMaxMessage = 64 << 20
	// DefaultMaxUnauthenticated is how many connections may be in the middle
	// of a handshake: more than a large cluster needs when all nodes return
	// at once, few enough for what each may cost.
	DefaultMaxUnauthenticated = 128
)

// Config says what a [Node] is. Name and Secret must be given; every other zero
// value means its default.
type Config struct {
	// Name is what people call the node. The node's whole name, which must be
	// its own in the cluster, is "Name@Advertise".
	Name string
	// Listen is the address to listen at.
	Listen string
	// Advertise is the address at which others reach this node. Empty means
	// the listener's own, which will not do if that is a wildcard.
	Advertise string
	// TLS, if not nil, puts mutual TLS 1.3 on every connection; see package
	// secure. All nodes of the cluster must have it. Its Logger may be nil:
	// then it is this one.
	TLS *secure.Config
	// Insecure allows a listener without TLS that others than this machine can
	// reach. The secret is proven, never sent, but what follows the handshake
	// is neither encrypted nor authenticated: whoever is in the network's path
	// can read and change it.
	Insecure bool
	// Incarnation tells this start of the node from the others. Zero means the
	// clock's microseconds and a random text; set Boot if the clock is not
	// known to go forwards from start to start.
	Incarnation actor.Incarnation

	// Cluster is the name of the cluster, and Secret what all its nodes know.
	Cluster string
	Secret  string
	// Join has addresses of nodes of the cluster, "host:port" or
	// "name@host:port". They need not be up, nor all be given: one that is
	// reached sometime is enough. Without any, this node waits for others.
	Join []string

	// Types and Errors are what messages may contain and what reasons are
	// recognised by errors.Is on other nodes; see package codec.
	Types  []codec.Type
	Errors []error

	// Logger gets a line for every member that comes and goes and for every
	// connection refused. Nil discards.
	Logger *slog.Logger
	// Transport makes the connections. Nil means [TCP], with a [BusyWait] of
	// DefaultBusyWait that is this node's own.
	Transport Transport

	// Topology is which nodes are connected, until [Node.SetTopology] says
	// otherwise, and Role what this one may be in ClientServer.
	Topology Topology
	Role     clientserver.Role
	// Nearby lets HyParView, on the nodes that have it, exchange neighbors for others
	// to which messages take less time, as X-BOT does; it keeps one that is far, so that
	// all stay connected. See package hyparview.
	Nearby bool
	// Hidden says that others cannot dial this node, because of what stands
	// between. It is served on the connections that it makes. Its address, and so
	// its name, then has the port 0. Where nodes are not all linked to each other,
	// it would be taken for dead unless this is said.
	Hidden bool
	// Heartbeat is the time between two heartbeats over a link, and twice the
	// period of the failure detector, and Misses how many of them without an answer
	// to anybody make a member down at the earliest. See package swim.
	Heartbeat time.Duration
	Misses    int
	// RedialMin and RedialMax bound the exponential wait between attempts to
	// connect.
	RedialMin, RedialMax time.Duration
	// DialTimeout and HandshakeTimeout bound one attempt.
	DialTimeout, HandshakeTimeout time.Duration

	// Channels declares channels besides those that every node has, or changes
	// these.
	Channels []Channel
	// AckAge is how long an acknowledged message is kept and sent again before
	// it becomes a dead letter.
	AckAge time.Duration
	// MaxMessage is the largest encoded message in bytes.
	MaxMessage int
	// QueueBytes is the default of Channel.QueueBytes.
	QueueBytes int
	// Ballast is how much memory the node holds, in bytes, and never touches, while as
	// much comes of small messages again and again, within a second each time, and the
	// program's heap is small: else Go's collector would run every few milliseconds. It takes hardly any of
	// the machine's memory, but counts in profiles and statistics of the heap, and a busy
	// program may have as much more garbage, or what runtime/debug.SetGCPercent makes
	// of that. It is not held where the heap is larger anyhow, where less than
	// eight times as much is left of what runtime/debug.SetMemoryLimit allows, or where
	// there are no collections. Less than 4 MiB are of no use. Negative: never.
	Ballast int
	// Tap, if not nil, sees what comes for this node's processes. It is for
	// tests.
	Tap Tap
	// MaxUnauthenticated is how many accepted connections may not have proven
	// the secret yet. Further ones are refused.
	MaxUnauthenticated int
	// Seed makes waits differ from node to node and from run to run. Zero
	// means a random one.
	Seed uint64
}

func orDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

func (c *Config) setDefaults() {
	orDefault(&c.Listen, DefaultListen)
	orDefault(&c.Cluster, DefaultCluster)
	orDefault(&c.Heartbeat, fullmesh.DefaultInterval)
	orDefault(&c.Misses, fullmesh.DefaultMisses)
	orDefault(&c.RedialMin, fullmesh.DefaultRedialMin)
	orDefault(&c.RedialMax, fullmesh.DefaultRedialMax)
	orDefault(&c.DialTimeout, DefaultDialTimeout)
	orDefault(&c.HandshakeTimeout, DefaultHandshakeTimeout)
	orDefault(&c.AckAge, DefaultAckAge)
	orDefault(&c.MaxMessage, DefaultMaxMessage)
	orDefault(&c.QueueBytes, DefaultQueueBytes)
	orDefault(&c.Ballast, DefaultBallast)
	orDefault(&c.MaxUnauthenticated, DefaultMaxUnauthenticated)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Transport == nil {
		c.Transport = TCP{
			Unacknowledged: max(c.Heartbeat*time.Duration(c.Misses), time.Second),
			BusyWait:       NewBusyWait(DefaultBusyWait),
		}
	}
}

// maxMessageLimit is what a frame's header can express, with room for the rest.
const maxMessageLimit = 1 << 30

// valid reports what is wrong with c, after its defaults have been set.
func (c *Config) valid() error {
	var errs []error
	complain := func(format string, args ...any) { errs = append(errs, fmt.Errorf("remote: Config."+format, args...)) }
	if c.Topology >= topologies {
		complain("Topology: there is no %v", c.Topology)
	}
	if c.Name == "" || strings.ContainsAny(c.Name, "@/<> \t\r\n") {
		complain("Name %q must not be empty nor contain '@', '/', '<', '>' or white space", c.Name)
	}
	if c.Secret == "" {
		complain("Secret is missing")
	}
	for _, addr := range c.Join {
		if addrOf(addr) == "" {
			complain("Join has an empty address: %q", addr)
		}
	}
	for _, d := range []struct {
		name  string
		value time.Duration
	}{
		{"Heartbeat", c.Heartbeat}, {"RedialMin", c.RedialMin}, {"RedialMax", c.RedialMax},
		{"DialTimeout", c.DialTimeout}, {"HandshakeTimeout", c.HandshakeTimeout}, {"AckAge", c.AckAge},
	} {
		if d.value < 0 {
			complain("%s %v is negative", d.name, d.value)
		}
	}
	if c.RedialMin > c.RedialMax {
		complain("RedialMin %v is more than RedialMax %v", c.RedialMin, c.RedialMax)
	}
	if c.Misses < 0 || c.QueueBytes < 0 || c.MaxUnauthenticated < 0 {
		complain("Misses %d, QueueBytes %d or MaxUnauthenticated %d is negative", c.Misses, c.QueueBytes, c.MaxUnauthenticated)
	}
	if c.MaxMessage < apart || c.MaxMessage > maxMessageLimit {
		complain("MaxMessage %d is not between %d and %d", c.MaxMessage, apart, maxMessageLimit)
	}
	return errors.Join(errs...)
}

// addrOf returns the address in "name@address" or "address".
func addrOf(s string) string {
	if _, addr, ok := strings.Cut(s, "@"); ok {
		return addr
	}
	return s
}

// exposed reports whether a listener can be reached from other machines.
func exposed(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && !tcp.IP.IsLoopback()
}
