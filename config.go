package topos

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/rs/zerolog"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/overlay/clientserver"
	"github.com/topos-go/topos/registry"
	"github.com/topos-go/topos/registry/strong"
	"github.com/topos-go/topos/remote"
	"github.com/topos-go/topos/remote/codec"
	"github.com/topos-go/topos/remote/discovery"
	"github.com/topos-go/topos/remote/secure"
)

// Config says what a [Node] is. Name must be given; every other zero value
// means its default.
type Config struct {
	// Name is what people call the node. Its whole name, which no other node
	// of the cluster may have, is "Name@host:port".
	Name string
	// Listen is where other nodes connect to. Empty means any free port on
	// loopback. Advertise is the address others reach it by, if that differs.
	Listen    string
	Advertise string
	// TLS, if not nil, puts mutual TLS 1.3 on the connections between nodes:
	// the files of this node's certificate and of the cluster's authority; see
	// package secure.
	TLS *secure.Config
	// Insecure allows a Listen that other machines can reach although traffic
	// between nodes is not encrypted.
	Insecure bool

	// Cluster is the cluster's name and Secret what all its nodes know, and
	// nobody else may. A node without a Secret is on its own: it makes up one.
	Cluster string
	Secret  string
	// Topology is which nodes are connected, remote.FullMesh by default, until
	// [Node.SetTopology] says otherwise. Beyond some hundred nodes,
	// remote.HyParView. Role is what this node may be in remote.ClientServer.
	Topology remote.Topology
	Role     clientserver.Role
	// Hidden says that others cannot dial this node, Nearby that its links shall be to
	// nodes that answer soon: see remote.Config.
	Hidden, Nearby bool
	// Join has addresses of other nodes: "host:port" or "name@host:port". One
	// that can be reached sometime is enough.
	Join []string

	// Discovery finds further addresses to join while the node runs: in DNS, in a
	// file, or as you like. Whatever it finds or misses, no member is given up for
	// it.
	Discovery []discovery.Source

	// Types are the types that messages between nodes may have: see [Types].
	// Protobuf messages, []byte and basic types need not be registered.
	Types []codec.Type
	// Errors are errors of yours that errors.Is shall recognise when they come
	// from another node, as an exit reason or from a call.
	Errors []error

	// Constructors are what other nodes may spawn here by name; see
	// actor.Self.SpawnAt.
	Constructors map[string]actor.Constructor

	// Logger gets a line for every crash, for every member that comes and goes
	// and for every connection refused. Nil means JSON lines on standard error.
	Logger *slog.Logger
	// KillGrace is how long a killed process may stay in its handler.
	KillGrace time.Duration
	// Heartbeat is the time between two heartbeats to a member, and Misses how
	// many without an answer make it down.
	Heartbeat time.Duration
	Misses    int
	// Channels declares channels besides remote.DefaultChannel and
	// remote.RPCChannel, or changes those.
	Channels []remote.Channel
	// AckAge is how long an acknowledged message is sent again.
	AckAge time.Duration
	// Budget is how many bytes of messages from other nodes may wait for one
	// process before their senders are held up.
	Budget int
	// MaxMessage is the largest encoded message, in bytes.
	MaxMessage int
	// Ballast is memory that keeps Go's collector from running all the time while many
	// small messages come; see [remote.Config]. Negative: none.
	Ballast int
	// NameRule decides who keeps a cluster name that two processes turn out to hold;
	// nil means registry.Oldest. It must be the same on all nodes.
	NameRule registry.Rule
	// Strong, if not nil, lets the cluster have strongly consistent names, leaders
	// and leases: see [Node.Strong]. Its Cluster and Logger are filled in.
	Strong *strong.Config
	// Attributes, if not nil, says what this node has to offer to placed children.
	// It is asked every second and must be quick. OnPlacement, if not nil, is called
	// for every step of placing them; it must be quick, too.
	Attributes  func() registry.Attributes
	OnPlacement func(registry.PlacementEvent)
	// Settle is how long the nodes must have agreed on who is there before
	// they move placed children. It must be the same on all nodes.
	Settle time.Duration
	// Transport makes the connections. Nil means TCP.
	Transport remote.Transport
	// Tap, if not nil, sees what comes for this node's processes. It is for
	// tests; see package clustertest.
	Tap remote.Tap
}

// Types registers the types of samples, such as Add{}, as messages that can be
// sent between nodes.
func Types(samples ...any) []codec.Type { return codec.Types(samples...) }

func (c *Config) valid() error {
	var errs []error
	if c.Secret == "" && len(c.Join) > 0 {
		errs = append(errs, errors.New("topos: Config.Join without a Config.Secret"))
	}
	if c.Settle < 0 {
		errs = append(errs, fmt.Errorf("topos: Config.Settle %v is negative", c.Settle))
	}
	if c.Budget < 0 {
		errs = append(errs, fmt.Errorf("topos: Config.Budget %d is negative", c.Budget))
	}
	if c.KillGrace < 0 {
		errs = append(errs, fmt.Errorf("topos: Config.KillGrace %v is negative", c.KillGrace))
	}
	return errors.Join(errs...)
}

// logger is the one of c, or the default.
func (c *Config) logger() *slog.Logger {
	if c.Logger != nil {
		return c.Logger
	}
	return slog.New(zerolog.NewSlogHandler(zerolog.New(os.Stderr).With().Timestamp().Logger()))
}

// remote is c as the remote layer's.
func (c *Config) remote() remote.Config {
	secret := c.Secret
	if secret == "" {
		secret = rand.Text() // nobody else knows it, so nobody can join
	}
	types := append(wireTypes(), c.Types...)
	errs := append(wireErrors(), c.Errors...)
	return remote.Config{
		Name:       c.Name,
		Listen:     c.Listen,
		Advertise:  c.Advertise,
		TLS:        c.TLS,
		Insecure:   c.Insecure,
		Cluster:    c.Cluster,
		Secret:     secret,
		Join:       c.Join,
		Topology:   c.Topology,
		Role:       c.Role,
		Hidden:     c.Hidden,
		Nearby:     c.Nearby,
		Types:      types,
		Errors:     errs,
		Logger:     c.logger(),
		Transport:  c.Transport,
		Heartbeat:  c.Heartbeat,
		Misses:     c.Misses,
		MaxMessage: c.MaxMessage,
		Ballast:    c.Ballast,
		Channels:   c.Channels,
		AckAge:     c.AckAge,
		Tap:        c.Tap,
	}
}
