package registry

import (
	"context"
	"errors"
	"time"

	"github.com/topos-go/topos/actor"
)

const (
	// releaseTimeout bounds how long a node that ends waits to give a lease
	// back; it expires anyway.
	releaseTimeout = time.Second
	// noTimeout is for what ends by itself.
	noTimeout = 100 * 365 * 24 * time.Hour
)

// leaseName is the name of the lease of a child.
func (k *keeper) leaseName() string { return "placement/" + k.child.Spec.ID }

// acquire asks for the lease.
func (k *keeper) acquire(self *actor.Self) {
	leases, name := k.cfg.Leases, k.leaseName()
	if k.stopping {
		return
	}
	if leases == nil {
		self.SendAfter(pollInterval, proceed{}) // told when it was declared
		return
	}
	k.busy = k.do(self, leases.TTL(), func(ctx context.Context) any {
		a := acquired{sent: time.Now()}
		a.err = guarded(func() (err error) {
			a.token, err = leases.Acquire(ctx, name)
			return err
		})
		return a
	})
}

// take goes on when the question for the lease was answered.
func (k *keeper) take(self *actor.Self, a acquired) error {
	k.busy = actor.PID{}
	if a.err == nil {
		k.leased, k.tenure.Token = true, a.token
		k.clock = leaseClock{ttl: k.cfg.Leases.TTL(), drift: k.cfg.Drift, sent: a.sent}
		if now := time.Now(); !now.Before(k.clock.stop()) {
			k.leased, a.err = false, errors.New("registry: the lease was granted too late")
		}
	}
	switch {
	case k.stopping:
		return k.giveBack(self)
	case a.err != nil:
		if !k.waited {
			k.waited = true
			k.tell(self, kept{kind: ChildWaits, err: a.err})
		}
		self.SendAfter(max(retryInterval, k.cfg.Leases.TTL()/10), proceed{})
		return nil
	}
	tenure := k.tenure
	k.gate.tenure.Store(&tenure)
	k.extend()
	self.SendAfter(k.clock.renew(), lapse{})
	return k.launch(self)
}

// extend lets instances start until the lease's clock says stop.
func (k *keeper) extend() {
	stop := k.clock.stop()
	k.gate.until.Store(&stop)
}

// look renews the lease in time, or ends the child in time.
func (k *keeper) look(self *actor.Self) {
	if !k.leased {
		return // given back
	}
	now := time.Now()
	next := now.Add(k.clock.renew())
	switch {
	case k.lapsed || !now.Before(k.clock.stop()):
		if !k.lapsed {
			k.lapsed = true
			k.gate.close()
			_ = k.stop(self) // there is a supervisor, so it only tells it to end
		}
		if !now.Before(k.clock.kill()) {
			k.kill(self)
			return
		}
		next = k.clock.kill()
	case !k.renewing:
		k.renew(self)
	}
	if stop := k.clock.stop(); !k.lapsed && next.After(stop) {
		next = stop
	}
	self.SendAfter(next.Sub(now), lapse{})
}

// renew asks for another TTL.
func (k *keeper) renew(self *actor.Self) {
	k.renewing = true
	leases, name, token := k.cfg.Leases, k.leaseName(), k.tenure.Token
	k.do(self, k.clock.ttl/2, func(ctx context.Context) any {
		r := renewed{sent: time.Now()}
		r.err = guarded(func() error { return leases.Renew(ctx, name, token) })
		return r
	})
}

// kill ends the child without asking. A handler that does not return cannot be
// ended in Go; its token can be refused.
func (k *keeper) kill(self *actor.Self) {
	if !k.instance.IsZero() {
		_ = self.System().Kill(k.instance)
	}
	if !k.sup.IsZero() {
		_ = self.System().Kill(k.sup)
	}
}

// giveBack gives the lease back, if there is one that may still be valid.
func (k *keeper) giveBack(self *actor.Self) error {
	if !k.leased || k.lapsed {
		return k.end(self)
	}
	k.leased = false
	leases, name, token := k.cfg.Leases, k.leaseName(), k.tenure.Token
	k.do(self, releaseTimeout, func(ctx context.Context) any {
		_ = guarded(func() error { return leases.Release(ctx, name, token) }) // it expires anyway
		return released{}
	})
	return nil
}
