package pair

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// flow is a number of messages on each of some ways at once.
type flow struct {
	ways  []Way
	count int // messages on each way
	size  int // bytes of a payload
	// fresh gives every message a payload of its own, numbered; else all have
	// the same.
	fresh bool
	// paced keeps at most Side.Window bytes on their way.
	paced bool
	idle  time.Duration // how long nothing must arrive to call the rest lost
	allow time.Duration // how long the sending may take
}

// outcome is what came of a flow.
type outcome struct {
	took       time.Duration // from the first send to the last arrival
	sent       int
	arrived    int
	misordered int
	mangled    int
	// Allocations of the two processes, all in all.
	sendMallocs, receiveMallocs uint64
}

func (o outcome) rate() float64 { return float64(o.arrived) / o.took.Seconds() }

// retry is how long a sender waits after a send was refused.
const retry = 200 * time.Microsecond

var errTooSlow = errors.New("pair: sending takes too long")

// run sends f and waits until it has arrived.
func (c *session) run(f flow) (outcome, error) {
	c.flows++
	e := Expected{Flow: c.flows, Count: f.count, Size: f.size, Ordered: f.fresh}
	window := 0
	if f.paced && c.side.Window > 0 {
		window = max(2, c.side.Window/f.size)
		e.Credit = max(1, window/4)
	}
	// Way i goes to sink i, but those of a single way may go to any.
	expected := make([]Expected, f.ways[len(f.ways)-1].Sink+1)
	for _, w := range f.ways {
		expected[w.Sink] = e
	}
	if err := c.steering.expect(expected); err != nil {
		return outcome{}, err
	}
	before, err := c.steering.mallocs()
	if err != nil {
		return outcome{}, err
	}
	mine := mallocs()
	began := time.Now()
	err = c.send(f, e, window, began.Add(f.allow))
	mine = mallocs() - mine
	if err != nil {
		return outcome{}, err
	}
	arrived, err := c.steering.await(len(expected), f.idle)
	if err != nil {
		return outcome{}, err
	}
	after, err := c.steering.mallocs()
	o := outcome{sent: f.count * len(f.ways), sendMallocs: mine, receiveMallocs: after - before}
	var last int64
	for _, w := range f.ways {
		a := arrived[w.Sink]
		o.arrived += a.Count
		o.misordered += a.Misordered
		o.mangled += a.Mangled
		last = max(last, a.At)
	}
	o.took = max(time.Duration(last-began.UnixNano()), 1)
	return o, err
}

// send lets one sender for each way send its part.
func (c *session) send(f flow, e Expected, window int, until time.Time) error {
	paces := make([]*pace, len(f.ways)) // nil for nobody to wait for
	for i, way := range f.ways {
		if window > 0 {
			p, err := c.steering.pace(way.Sink, window)
			if err != nil {
				return err
			}
			defer p.close()
			paces[i] = p
		}
	}
	errs := make([]error, len(f.ways))
	var wg sync.WaitGroup
	for i, way := range f.ways {
		wg.Go(func() {
			errs[i] = c.client.Run(way, func(send Send) error { return sendAll(f, e, paces[i], until, send) })
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// sendAll is what one sender does.
func sendAll(f flow, e Expected, p *pace, until time.Time, send Send) error {
	payload := make([]byte, f.size)
	stamp(payload, 0, e.Flow)
	for n := range f.count {
		if p != nil {
			if err := p.step(); err != nil {
				return err
			}
		}
		if f.fresh {
			if n > 0 {
				payload = make([]byte, f.size)
			}
			stamp(payload, n, e.Flow)
		}
		for err := send(payload); err != nil; err = send(payload) {
			if time.Now().After(until) {
				return fmt.Errorf("%w: %d of %d sent: %w", errTooSlow, n, f.count, err)
			}
			time.Sleep(retry)
		}
		if n%64 == 63 && time.Now().After(until) {
			return fmt.Errorf("%w: %d of %d sent", errTooSlow, n+1, f.count)
		}
	}
	return nil
}

// stream keeps sending large messages until stop is called, which returns how
// many were sent per second.
func (c *session) stream(way Way, size int) (stop func() (float64, error), err error) {
	c.flows++
	e := Expected{Flow: c.flows, Size: size}
	window := 0
	if c.side.Window > 0 {
		window = max(2, c.side.Window/size)
		e.Credit = max(1, window/4)
	}
	expected := make([]Expected, way.Sink+1)
	expected[way.Sink] = e
	if err := c.steering.expect(expected); err != nil {
		return nil, err
	}
	var p *pace
	if window > 0 {
		if p, err = c.steering.pace(way.Sink, window); err != nil {
			return nil, err
		}
	}
	ended := make(chan struct{})
	done := make(chan error, 1)
	sent := 0
	began := time.Now()
	go func() {
		done <- c.client.Run(way, func(send Send) error {
			payload := make([]byte, size)
			stamp(payload, 0, e.Flow)
			for {
				select {
				case <-ended:
					return nil
				default:
				}
				if p != nil && p.step() != nil {
					return nil // stop has ended it
				}
				if send(payload) != nil {
					time.Sleep(retry)
					continue
				}
				sent++
			}
		})
	}()
	return func() (float64, error) {
		close(ended)
		if p != nil {
			p.close()
		}
		err := <-done
		return float64(sent) / time.Since(began).Seconds(), err
	}, nil
}
