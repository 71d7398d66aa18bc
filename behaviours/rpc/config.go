package rpc

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote/codec"
)

// Defaults of [Config].
const (
	// DefaultTryTimeout is how long one try may take: several tries fit into
	// actor.DefaultCallTimeout.
	DefaultTryTimeout = time.Second
	// DefaultTries is the first one and the seed's three retries.
	DefaultTries = 4
	// DefaultServers is how many servers may be asked: the one meant and two
	// others.
	DefaultServers = 3
)

// Backoff is the pause between two tries at one server: the first is Initial,
// each next one Multiplier times as long up to Max, and each is shortened or
// lengthened at random by up to Jitter of itself. Zero values mean 50 ms, 2,
// 2 s and 0.5. A negative Jitter means none.
type Backoff struct {
	Initial, Max time.Duration
	Multiplier   float64
	Jitter       float64
}

func (b Backoff) withDefaults() Backoff {
	if b.Initial == 0 {
		b.Initial = 50 * time.Millisecond
	}
	if b.Max == 0 {
		b.Max = 2 * time.Second
	}
	if b.Multiplier == 0 {
		b.Multiplier = 2
	}
	switch {
	case b.Jitter == 0:
		b.Jitter = 0.5
	case b.Jitter < 0:
		b.Jitter = 0
	}
	return b
}

func (b Backoff) valid() error {
	if b.Initial < 0 || b.Max < b.Initial || b.Multiplier < 1 || b.Jitter > 1 {
		return fmt.Errorf("rpc: Config.Backoff %+v: needs 0 <= Initial <= Max, Multiplier >= 1 and Jitter <= 1", b)
	}
	return nil
}

// pauses returns the pauses of one call.
func (b Backoff) pauses() backoff.BackOff {
	p := &backoff.ExponentialBackOff{
		InitialInterval: b.Initial, MaxInterval: b.Max, Multiplier: b.Multiplier, RandomizationFactor: b.Jitter,
	}
	p.Reset()
	return p
}

// Config says what a [Client] is. System must be given; every other zero value
// means its default.
type Config struct {
	// System is the node's.
	System *actor.System
	// Types are the types of requests, as in topos.Config.Types.
	Types []codec.Type
	// Timeout is how long a call may take in all when its context has no
	// deadline. Zero means actor.DefaultCallTimeout.
	Timeout time.Duration
	// TryTimeout is how long one try may take.
	TryTimeout time.Duration
	// Tries is how often one server is asked at most, Servers how many servers.
	Tries, Servers int
	// Backoff is the pause between two tries at one server.
	Backoff Backoff
	// Alternative finds another server of what to serves, one that is not among
	// tried, when to is lost or answers too late. It must not wait. Nil means
	// that there are no others but those of the option [Fallback].
	Alternative func(to actor.Address, tried []actor.Address) (actor.Address, bool)
	// HedgeAfter is how long the first try of an [Idempotent] call has, before
	// another server is asked too and the first answer counts. Zero means never.
	HedgeAfter time.Duration
	// Judge says what an error of a try means. Nil, or Unjudged, means what
	// [Judge] says. It may be called by several goroutines at a time.
	Judge func(err error) Verdict
	// Channel is the channel between nodes. Empty means remote.RPCChannel.
	Channel string
	// Observe, if not nil, is told of every try that has ended. It may be called
	// by several goroutines at a time and must not wait.
	Observe func(Try)
}

// Try is one try of a call that has ended.
type Try struct {
	// To is the server that was asked. Number counts the call's tries from 1.
	To     actor.Address
	Number int
	// Hedge says that it ran beside the first one.
	Hedge bool
	// Took is how long it took. Err is nil if it was answered, and Verdict then
	// Final.
	Took    time.Duration
	Err     error
	Verdict Verdict
}

// Client makes calls. It is safe for concurrent use; one is enough for a node.
// It has no goroutines of its own and needs not be closed.
type Client struct {
	cfg   Config
	codec *codec.Codec
	via   []actor.SendOption

	mu       sync.Mutex
	channels map[actor.Address]*channel
	opening  map[actor.Address]chan struct{} // closed when the Hello is over
}

// New returns a client. The errors are those of cfg, all at once.
func New(cfg Config) (*Client, error) {
	var errs []error
	if cfg.System == nil {
		errs = append(errs, errors.New("rpc: Config.System is nil"))
	}
	for _, d := range []struct {
		name  string
		value *time.Duration
		def   time.Duration
	}{
		{"Timeout", &cfg.Timeout, actor.DefaultCallTimeout},
		{"TryTimeout", &cfg.TryTimeout, DefaultTryTimeout},
		{"HedgeAfter", &cfg.HedgeAfter, 0},
	} {
		if *d.value < 0 {
			errs = append(errs, fmt.Errorf("rpc: Config.%s %v is negative", d.name, *d.value))
		}
		if *d.value == 0 {
			*d.value = d.def
		}
	}
	for _, n := range []struct {
		name  string
		value *int
		def   int
	}{{"Tries", &cfg.Tries, DefaultTries}, {"Servers", &cfg.Servers, DefaultServers}} {
		if *n.value < 0 {
			errs = append(errs, fmt.Errorf("rpc: Config.%s %d is negative", n.name, *n.value))
		}
		if *n.value == 0 {
			*n.value = n.def
		}
	}
	cfg.Backoff = cfg.Backoff.withDefaults()
	errs = append(errs, cfg.Backoff.valid())
	c, err := codec.New(codec.Config{Types: cfg.Types})
	if err := errors.Join(append(errs, err)...); err != nil {
		return nil, err
	}
	if cfg.Channel == "" {
		cfg.Channel = remoteChannel
	}
	return &Client{
		cfg: cfg, codec: c, via: []actor.SendOption{actor.Channel(cfg.Channel)},
		channels: make(map[actor.Address]*channel), opening: make(map[actor.Address]chan struct{}),
	}, nil
}

// judge says what the error of a try means.
func (c *Client) judge(err error) Verdict {
	if c.cfg.Judge != nil {
		if v := c.cfg.Judge(err); v != Unjudged {
			return v
		}
	}
	return Judge(err)
}

// bounded returns ctx with the default deadline, if it has none.
func (c *Client) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, c.cfg.Timeout)
}
