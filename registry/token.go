package registry

import (
	"context"
	"time"

	"github.com/topos-go/topos/registry/strong"
)

// Token is a fencing token: of two holders of a lease, the later has the
// greater. Outside stores must check it.
type Token = strong.Token

// Leases gives out leases of which at most one for a name is valid anywhere; a
// *strong.Registry does. All methods may be called by any goroutine.
type Leases interface {
	// Acquire takes the lease of name for this node. The error says who holds
	// it, if that is why.
	Acquire(ctx context.Context, name string) (Token, error)
	// Renew makes a lease valid for another TTL from before the call on.
	Renew(ctx context.Context, name string, token Token) error
	// Release gives a lease back.
	Release(ctx context.Context, name string, token Token) error
	// TTL is how long a lease is valid, counted from before the call.
	TTL() time.Duration
}
