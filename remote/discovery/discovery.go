package discovery

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// Discovery looks for candidates until it is closed. Its methods are safe for
// concurrent use. It is made with [Start].
type Discovery struct {
	cfg    Config
	cancel context.CancelFunc
	wg     sync.WaitGroup
	finds  chan find

	mu  sync.Mutex
	all []string
}

// find is what a lookup has brought.
type find struct {
	source int
	set    []string
}

// Start begins to look, and does not wait for what comes of it. Errors are those
// of cfg, all at once.
func Start(cfg Config) (*Discovery, error) {
	if err := cfg.valid(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	cfg.Sources = slices.Clone(cfg.Sources)
	seed := cfg.Seed
	if seed == 0 {
		seed = rand.Uint64()
	}
	ctx, cancel := context.WithCancel(context.Background())
	d := &Discovery{cfg: cfg, cancel: cancel, finds: make(chan find)}
	d.wg.Go(func() { d.merge(ctx) })
	for i, source := range cfg.Sources {
		wake := make(chan struct{}, 1)
		p := &pace{
			interval: cfg.Interval, retryMin: cfg.RetryMin, retryMax: cfg.RetryMax, jitter: cfg.Jitter,
			rand: rand.New(rand.NewPCG(seed, uint64(i))),
		}
		d.wg.Go(func() { d.poll(ctx, i, p, wake) })
		if w, ok := source.(Watcher); ok {
			d.wg.Go(func() { d.watch(ctx, w, wake) })
		}
	}
	return d, nil
}

// Candidates returns the candidates of this moment, sorted. Found may not have
// been called with them yet. The slice must not be changed.
func (d *Discovery) Candidates() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.all
}

// Close ends all lookups and returns when they and all calls have ended. It may
// be called again.
func (d *Discovery) Close() {
	d.cancel()
	d.wg.Wait()
}

// merge calls Found, alone.
func (d *Discovery) merge(ctx context.Context) {
	u := union{sets: make([][]string, len(d.cfg.Sources))}
	for {
		select {
		case f := <-d.finds:
			if ctx.Err() != nil || !u.put(f.source, f.set) {
				continue
			}
			d.mu.Lock()
			d.all = u.all
			d.mu.Unlock()
			d.cfg.Logger.Info("candidates have changed", "candidates", u.all)
			d.cfg.Found(u.all)
		case <-ctx.Done():
			return
		}
	}
}

// poll looks a source up, again and again.
func (d *Discovery) poll(ctx context.Context, source int, p *pace, wake <-chan struct{}) {
	for ctx.Err() == nil {
		set, err := d.lookup(ctx, d.cfg.Sources[source])
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			d.failed(d.cfg.Sources[source], err)
		default:
			select {
			case d.finds <- find{source, set}:
			case <-ctx.Done():
				return
			}
		}
		timer := time.NewTimer(p.next(err != nil))
		select {
		case <-timer.C:
		case <-wake:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// lookup asks a source within the time that it has.
func (d *Discovery) lookup(ctx context.Context, source Source) (set []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, d.cfg.Timeout)
	defer cancel()
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%w: %v", ErrPanicked, v)
		}
	}()
	found, err := source.Lookup(ctx)
	if err != nil {
		return nil, err
	}
	return clean(found, d.cfg.MaxCandidates)
}

// watch lets a source say when it should be looked up.
func (d *Discovery) watch(ctx context.Context, w Watcher, wake chan<- struct{}) {
	changed := func() {
		select {
		case wake <- struct{}{}:
		default:
		}
	}
	p := &pace{retryMin: d.cfg.RetryMin, retryMax: d.cfg.RetryMax, rand: rand.New(rand.NewPCG(0, 0))}
	for ctx.Err() == nil {
		begun := time.Now()
		err := d.watchOnce(ctx, w, changed)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			err = fmt.Errorf("discovery: the watch has ended")
		}
		d.failed(w, err)
		if time.Since(begun) > d.cfg.RetryMax {
			p.failures = 0
		}
		pause(ctx, p.next(true))
	}
}

func (d *Discovery) watchOnce(ctx context.Context, w Watcher, changed func()) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%w: %v", ErrPanicked, v)
		}
	}()
	return w.Watch(ctx, changed)
}

func (d *Discovery) failed(source Source, err error) {
	d.cfg.Logger.Warn("lookup failed: candidates stay as they were", "source", fmt.Sprintf("%T", source), "error", err)
	if d.cfg.Failed != nil {
		d.cfg.Failed(source, err)
	}
}
