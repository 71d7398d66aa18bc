package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/topos-go/topos/behaviours/mesh"
	"github.com/topos-go/topos/internal/crowd"
)

// grace is how long a member that is to leave may take.
const grace = 20 * time.Second

// director starts the members, calls their services, and makes trouble.
type director struct {
	out   io.Writer
	size  int
	rate  int
	began time.Time

	crowd    crowd.Crowd[bool] // who is ready
	place    *place
	services []*mesh.Service

	printing sync.Mutex
	mu       sync.Mutex
	failed   map[string]int // calls that failed, by service
	calls    map[string]int
	opened   map[[2]string]bool // circuits, by service and node
}

func (d *director) say(format string, args ...any) {
	d.printing.Lock()
	defer d.printing.Unlock()
	fmt.Fprintf(d.out, "%6.2fs  %s\n", time.Since(d.began).Seconds(), fmt.Sprintf(format, args...))
}

// run goes through the show. Nil means that all came as promised.
func (d *director) run(ctx context.Context) (err error) {
	d.failed, d.calls, d.opened = make(map[string]int), make(map[string]int), make(map[[2]string]bool)
	ctx, cancel := context.WithCancel(ctx)
	var load sync.WaitGroup
	defer func() {
		cancel()
		load.Wait()
		d.stop(&err)
	}()
	if err := d.start(ctx); err != nil {
		return err
	}
	for _, s := range d.services {
		load.Go(func() { d.load(ctx, s) })
	}
	return d.scenes(ctx)
}

// start starts the director's own node, which offers nothing, and the members.
func (d *director) start(ctx context.Context) error {
	var err error
	if d.place, err = startPlace(ctx, "director", nil, d.observe); err != nil {
		return err
	}
	for i := range d.size {
		if err := d.crowd.Start(d.crowd.Add(fmt.Sprintf("m%d", i+1)), d.place.node.Addr()); err != nil {
			return err
		}
	}
	for range d.size {
		if _, err := d.crowd.Next(ctx); err != nil {
			return fmt.Errorf("waiting for members to start: %w", err)
		}
	}
	for i := range d.size {
		d.say("process %s (pid %d) offers orders, stock and prices", d.crowd.Name(i), d.crowd.Pid(i))
	}
	for _, s := range services {
		service, err := d.place.mesh.Service(s.name, "^1", mesh.Idempotent())
		if err != nil {
			return err
		}
		d.services = append(d.services, service)
	}
	return d.await(ctx, "all instances to be known", func(in mesh.InstanceStatus) bool { return in.Healthy }, d.size)
}

// stop ends the members and the node.
func (d *director) stop(err *error) {
	*err = errors.Join(*err, d.crowd.Close(grace))
	if d.place != nil {
		d.place.close(context.Background())
	}
}

// load calls one service at the rate until ctx ends.
func (d *director) load(ctx context.Context, s *mesh.Service) {
	ticker := time.NewTicker(time.Second / time.Duration(d.rate))
	defer ticker.Stop()
	for n := 0; ; n++ {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		_, err := mesh.Call[string](ctx, s, d.place.node, Ask{n})
		if ctx.Err() != nil {
			return
		}
		d.mu.Lock()
		d.calls[s.Name()]++
		if err != nil {
			d.failed[s.Name()]++
		}
		d.mu.Unlock()
		if err != nil {
			d.say("a call FAILED: %v", err)
		}
	}
}

// observe prints what the mesh notices.
func (d *director) observe(e mesh.Event) {
	where := "the service"
	if !e.Instance.IsZero() {
		where = short(e.Instance.Node().Name)
	}
	if e.Kind == mesh.CircuitChanged {
		d.mu.Lock()
		d.opened[[2]string{e.Service, where}] = true
		d.mu.Unlock()
		d.say("%-6s of %s: the circuit is %v", e.Service, where, e.State)
		return
	}
	d.say("%-6s of %s: %v", e.Service, where, e.Kind)
}

// failures is how many calls have failed.
func (d *director) failures() (calls, failed int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, n := range d.calls {
		calls += n
	}
	for _, n := range d.failed {
		failed += n
	}
	return calls, failed
}
