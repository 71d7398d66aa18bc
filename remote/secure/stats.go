package secure

import (
	"slices"
	"sync/atomic"
	"time"
)

// Stats is what has become of a [Transport]'s connections and certificates.
type Stats struct {
	// Dialled and Accepted are handshakes that this side has completed. In TLS
	// 1.3 the other side may still refuse what this one has dialled.
	Dialled, Accepted uint64
	// Refused are the handshakes that this side has refused, for each of this
	// package's reasons, in a fixed order.
	Refused []Refused
	// RefusedByPeer are the handshakes that others have refused.
	RefusedByPeer uint64

	// Reloads is how often something else was loaded than before, and
	// ReloadsFailed how often nothing could be loaded. ReloadError says why, if
	// that was so the last time.
	Reloads, ReloadsFailed uint64
	ReloadError            error
	// Expires is when this side's certificate expires.
	Expires time.Time
}

// Refused is how many handshakes were refused for one reason.
type Refused struct {
	Reason error
	Count  uint64
}

// counters are what is in [Stats].
type counters struct {
	dialled, accepted, byPeer atomic.Uint64
	refused                   []atomic.Uint64 // as reasons
	reloads, failed           atomic.Uint64
	failure                   atomic.Pointer[error]
}

// refuse counts err, if it is a refusal.
func (c *counters) refuse(err error) {
	refused, ok := err.(*HandshakeError)
	switch {
	case !ok:
	case refused.Remote:
		c.byPeer.Add(1)
	default:
		c.refused[slices.Index(reasons, refused.Reason)].Add(1)
	}
}

// Stats returns the counts so far. It may be called by any goroutine.
func (t *Transport) Stats() Stats {
	s := Stats{
		Dialled:       t.count.dialled.Load(),
		Accepted:      t.count.accepted.Load(),
		RefusedByPeer: t.count.byPeer.Load(),
		Reloads:       t.count.reloads.Load(),
		ReloadsFailed: t.count.failed.Load(),
		Expires:       t.current.Load().cert.Leaf.NotAfter,
	}
	for i, reason := range reasons {
		s.Refused = append(s.Refused, Refused{reason, t.count.refused[i].Load()})
	}
	if err := t.count.failure.Load(); err != nil {
		s.ReloadError = *err
	}
	return s
}
