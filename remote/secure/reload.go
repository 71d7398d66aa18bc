package secure

import (
	"context"
	"time"
)

// Reload looks at certificates and authorities now, and returns when handshakes
// that begin use what is there. An error says why that cannot be used; then
// what was loaded before stays. Connections that stand are not touched. It waits
// while another goroutine does the same.
func (t *Transport) Reload() error {
	t.loading <- struct{}{}
	defer func() { <-t.loading }()
	now := time.Now()
	id, err := load(&t.cfg, now)
	if err == nil && t.claimed != "" {
		err = t.verifyName(id.cert.Leaf, t.claimed)
	}
	if err != nil {
		t.failed(err)
	} else {
		t.loaded(id)
	}
	t.remind(now)
	return err
}

// failed accounts for what could not be loaded. It is logged once.
func (t *Transport) failed(err error) {
	t.count.failed.Add(1)
	t.count.failure.Store(&err)
	if text := err.Error(); text != t.reported {
		t.reported = text
		t.cfg.Logger.Error("certificates not reloaded, the old ones stay", "error", err)
	}
}

func (t *Transport) loaded(id *identity) {
	t.reported = ""
	t.count.failure.Store(nil)
	if id.equal(t.current.Load()) {
		return
	}
	t.current.Store(id)
	t.warned = fresh
	t.count.reloads.Add(1)
	t.cfg.Logger.Info("certificates reloaded", "serial", id.cert.Leaf.SerialNumber, "expires", id.cert.Leaf.NotAfter)
}

// poll reloads until ctx ends.
func (t *Transport) poll(ctx context.Context) {
	tick := time.NewTicker(t.cfg.Reload)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			_ = t.Reload() // which has said what there is to say
		case <-ctx.Done():
			return
		}
	}
}

// stage is how near the end of a certificate is.
type stage int

const (
	fresh stage = iota
	ending
	expired
)

// stageOf returns the stage at now of a certificate's lifetime.
func stageOf(from, to, now time.Time) stage {
	switch left := to.Sub(now); {
	case left < 0:
		return expired
	case left < to.Sub(from)/10:
		return ending
	}
	return fresh
}

// remind logs, once each, that the certificate is about to expire and that it
// has.
func (t *Transport) remind(now time.Time) {
	leaf := t.current.Load().cert.Leaf
	s := stageOf(leaf.NotBefore, leaf.NotAfter, now)
	if s <= t.warned {
		return
	}
	t.warned = s
	if s == expired {
		t.cfg.Logger.Error("certificate has expired: no new connections", "expires", leaf.NotAfter)
		return
	}
	t.cfg.Logger.Warn("certificate expires soon", "expires", leaf.NotAfter)
}
