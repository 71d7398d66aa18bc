package clustertest

import (
	crand "crypto/rand"
	"encoding/binary"
	"os"
	"strconv"
	"testing"

	"github.com/topos-go/topos"
	"github.com/topos-go/topos/remote/codec"
)

// SeedEnv is the environment variable that overrides [Seed].
const SeedEnv = "TOPOS_CLUSTERTEST_SEED"

// Option says how a [Cluster] differs from the usual one.
type Option func(*options)

type options struct {
	seed   uint64
	seeded bool
	types  []codec.Type
	errors []error
	config []func(c *Cluster, i int, cfg *topos.Config)
}

// Seed determines everything that is drawn at random: jitter, breaking
// connections, [Cluster.Rand], [Cluster.Chance] and [Held.Shuffle]. Without it
// there is another seed each time, which a failing test prints. Zero is a seed
// like any other.
func Seed(seed uint64) Option {
	return func(o *options) { o.seed, o.seeded = seed, true }
}

// Types registers the types of samples as messages on all nodes; see
// [topos.Types].
func Types(samples ...any) Option {
	return func(o *options) { o.types = append(o.types, topos.Types(samples...)...) }
}

// Errors registers errors on all nodes that errors.Is shall recognise when they
// come from another one; see topos.Config.Errors. This module's own are.
func Errors(errs ...error) Option {
	return func(o *options) { o.errors = append(o.errors, errs...) }
}

// WithConfig lets f change the configuration of node i, each time it is
// started. Name, Listen and Transport are the cluster's. When f is called for
// the first time there are no nodes yet; [Cluster.Dir] can be used.
func WithConfig(f func(c *Cluster, i int, cfg *topos.Config)) Option {
	return func(o *options) { o.config = append(o.config, f) }
}

// gather returns what opts come to, with a seed.
func gather(t testing.TB, opts []Option) options {
	t.Helper()
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	if text := os.Getenv(SeedEnv); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("clustertest: %s: %v", SeedEnv, err)
		}
		o.seed, o.seeded = seed, true
	}
	if !o.seeded {
		var b [8]byte
		_, _ = crand.Read(b[:]) // it never fails
		o.seed = binary.BigEndian.Uint64(b[:])
	}
	return o
}
