package actor

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// Close ends all processes and returns when they have ended, and with them all
// goroutines of the system. Processes spawned from outside get a shutdown
// signal, which their links carry on; what is left when ctx ends is killed. If
// handlers do not return even then, the error names the zombies: their
// goroutines are still running. Nothing can be spawned any more.
func (s *System) Close(ctx context.Context) error {
	s.population.close()
	s.endAll(ctx)
	s.stop()
	s.sched.close()
	if zombies := s.zombies.list(); len(zombies) > 0 {
		return fmt.Errorf("%w with handlers that do not return: %v", ErrClosed, zombies)
	}
	s.sched.wg.Wait()
	return nil
}

// endAll returns when no process is left.
func (s *System) endAll(ctx context.Context) {
	// A spawn that was admitted before Close can appear at any time, and the
	// end of a parent makes roots of its children: so look again and again.
	const look = 5 * time.Millisecond
	tick := time.NewTicker(look)
	defer tick.Stop()
	told, killing := make(map[PID]bool), false
	for expired := ctx.Done(); ; {
		s.shutDownRoots(told)
		if killing {
			for pid := range s.Processes() {
				_ = s.Kill(pid)
			}
		}
		select {
		case <-s.population.empty:
			return
		case <-tick.C:
		case <-expired:
			killing, expired = true, nil
		}
	}
}

// shutDownRoots asks every process to end whose parent will not: those spawned
// from outside, and those whose parent has ended without taking them along.
func (s *System) shutDownRoots(told map[PID]bool) {
	for pid := range s.Processes() {
		p := s.procs.find(pid.id)
		if p == nil || told[pid] || p.parent != 0 && s.procs.find(p.parent) != nil {
			continue
		}
		told[pid] = true
		p.signalExit(exitSignal{reason: ErrShutdown, parent: true}, nil)
	}
}

// population counts the processes.
type population struct {
	mu      sync.Mutex
	alive   int
	spawned uint64
	closed  bool
	empty   chan struct{} // closed when closed and alive == 0
}

func (c *population) init() { c.empty = make(chan struct{}) }

func (c *population) enter() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	c.alive++
	c.spawned++
	return true
}

func (c *population) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.alive--; c.alive == 0 && c.closed {
		close(c.empty)
	}
}

func (c *population) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed && c.alive == 0 {
		close(c.empty)
	}
	c.closed = true
}

func (c *population) counts() (alive int, spawned uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.alive, c.spawned
}

// zombieSet names the killed processes whose goroutines still run.
type zombieSet struct {
	mu   sync.Mutex
	pids map[PID]struct{}
}

func (z *zombieSet) add(pid PID) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.pids[pid] = struct{}{}
}

func (z *zombieSet) remove(pid PID) {
	z.mu.Lock()
	defer z.mu.Unlock()
	delete(z.pids, pid)
}

func (z *zombieSet) list() []PID {
	z.mu.Lock()
	defer z.mu.Unlock()
	return slices.SortedFunc(maps.Keys(z.pids), func(a, b PID) int { return cmp.Compare(a.id, b.id) })
}
