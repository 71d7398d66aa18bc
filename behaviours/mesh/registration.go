package mesh

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/supervisor"
)

// Registration is an instance's place in the mesh.
type Registration struct {
	mesh       *Mesh
	definition Definition
	metadata   map[string]string
	pid        actor.PID
	reporter   atomic.Value // the PID of the process that reports the instance's health

	begun sync.Once
	ready chan struct{} // closed when others can see it
	ended sync.Once
	over  chan struct{} // closed when the reporter is through with it
	why   error         // after over
}

type registrationKey struct {
	service string
	pid     actor.PID
}

// Register makes the local process pid an instance of a service, until it ends
// or the registration is closed. It returns when the instance can be found on
// this node; its first health check has then ended, well or not. The errors are
// those of d, all at once, ErrRegistered, ErrClosed, those of the groups, and
// ctx's.
func (m *Mesh) Register(ctx context.Context, d Definition, pid actor.PID) (*Registration, error) {
	d = d.withDefaults()
	if err := d.valid(); err != nil {
		return nil, err
	}
	metadata, err := d.metadata()
	if err != nil {
		return nil, fmt.Errorf("mesh: definition of %s: %w", d.Name, err)
	}
	r := &Registration{mesh: m, definition: d, metadata: metadata, pid: pid, ready: make(chan struct{}), over: make(chan struct{})}
	if err := m.book(r); err != nil {
		return nil, err
	}
	if _, err := supervisor.StartInstance(ctx, m.cfg.System, m.reporters.Load().(actor.PID), r); err != nil {
		m.unbook(r)
		return nil, err
	}
	select {
	case <-r.ready:
		return r, nil
	case <-r.over:
		why := r.why
		if why == nil {
			why = actor.ErrNoProc
		}
		return nil, fmt.Errorf("mesh: register %s: %w", d.Name, why)
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), r.Close(context.WithoutCancel(ctx)))
	}
}

func (r *Registration) key() registrationKey { return registrationKey{r.definition.Name, r.pid} }

func (m *Mesh) book(r *Registration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.closed.Load():
		return ErrClosed
	case m.booked[r.key()]:
		return fmt.Errorf("%w: %v as %s", ErrRegistered, r.pid, r.definition.Name)
	}
	m.booked[r.key()] = true
	return nil
}

func (m *Mesh) unbook(r *Registration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.booked, r.key())
}

// Close takes the instance out of the mesh and returns when nobody on this node
// will find it any more. Closing again does nothing.
func (r *Registration) Close(ctx context.Context) error {
	pid, _ := r.reporter.Load().(actor.PID)
	_ = r.mesh.cfg.System.Send(pid, leaveNow{}) // if there is none, it is over soon, or has been
	select {
	case <-r.over:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Done is closed when the instance is out of the mesh: because it has ended, or
// the registration or the mesh was closed.
func (r *Registration) Done() <-chan struct{} { return r.over }

// end notes that the reporter is through.
func (r *Registration) end(why error) {
	r.ended.Do(func() {
		r.why = why
		r.mesh.unbook(r)
		close(r.over)
	})
}
