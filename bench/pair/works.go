package pair

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"
)

// Result are the figures of one work. A work may give several: they have the
// names of rows.
type Result struct {
	Work    string             `json:"work"`
	Figures map[string]float64 `json:"figures"`
	// Sent and Arrived count the messages that were measured. Misordered of
	// those that arrived came in the wrong order, Mangled with the wrong size.
	Sent       int `json:"sent,omitempty"`
	Arrived    int `json:"arrived,omitempty"`
	Misordered int `json:"misordered,omitempty"`
	Mangled    int `json:"mangled,omitempty"`
	// Cannot says that the side does not claim to do this work.
	Cannot bool `json:"cannot,omitempty"`
}

// Works are the names of the works, in the order in which they are shown.
var Works = []string{
	"oneway", "oneway_bytes", "oneway_struct", "pairs16", "request", "bulk64k", "bulk512k", "bulk512k_lent",
	"ping_other", "ping_same", "default_lost",
}

const (
	small  = 64
	medium = 64 << 10
	large  = 512 << 10
)

// session is a client at work.
type session struct {
	side     Side
	client   Client
	steering *steering
	length   time.Duration // of what is measured, about
	profile  string        // begins the names of profiles, or is empty
	flows    uint64
}

func (c *session) work(name string) (Result, error) {
	if c.side.Only != nil && !slices.Contains(c.side.Only, name) {
		return Result{Work: name, Cannot: true}, nil
	}
	switch name {
	case "oneway":
		return c.messages(name, Note, 1)
	case "oneway_bytes":
		if !c.side.Bytes {
			return Result{Work: name, Cannot: true}, nil
		}
		return c.messages(name, Bytes, 1)
	case "oneway_struct":
		if !c.side.Structs {
			return Result{Work: name, Cannot: true}, nil
		}
		return c.messages(name, Struct, 1)
	case "pairs16":
		return c.messages(name, Note, 16)
	case "bulk64k":
		return c.bulk(name, Bulk, medium)
	case "bulk512k":
		return c.bulk(name, Bulk, large)
	case "bulk512k_lent":
		if !c.side.Lends {
			return Result{Work: name, Cannot: true}, nil
		}
		return c.bulk(name, Lent, large)
	case "request":
		return c.requests()
	case "ping_other":
		if !c.side.Apart {
			return Result{Work: name, Cannot: true}, nil
		}
		return c.pings(name, "other", true)
	case "ping_same":
		return c.pings(name, "same", false)
	case "default_lost":
		return c.lost()
	}
	return Result{}, fmt.Errorf("pair: unknown work %q", name)
}

// idle is how long nothing must arrive to call the rest lost.
const idle = 1500 * time.Millisecond

// allow bounds the sending of one flow, so that a side that stands still is
// told from one that is slow.
const allow = 15 * time.Second

// sized runs f with few messages, with more, and then with as many as take
// about the session's length: the first two runs warm up and tell the rate.
func (c *session) sized(f flow) (outcome, error) {
	f.idle, f.allow = idle, allow
	least := f.count
	for _, length := range []time.Duration{c.length / 8, c.length} {
		o, err := c.run(f)
		if err != nil {
			return o, err
		}
		if o.arrived == 0 {
			return o, fmt.Errorf("pair: nothing of %d messages has arrived", o.sent)
		}
		f.count = min(max(int(o.rate()*length.Seconds())/len(f.ways), least), most)
	}
	stop, err := c.profiled()
	if err != nil {
		return outcome{}, err
	}
	o, err := c.run(f)
	return o, errors.Join(err, stop())
}

// most bounds the messages of a flow, which some libraries queue without bound.
const most = 4_000_000

func (o outcome) result(name string, figures map[string]float64) Result {
	return Result{Work: name, Figures: figures, Sent: o.sent, Arrived: o.arrived, Misordered: o.misordered, Mangled: o.mangled}
}

func (c *session) messages(name string, shape Shape, pairs int) (Result, error) {
	f := flow{count: 2000, size: small, fresh: true}
	for i := range pairs {
		f.ways = append(f.ways, Way{Sink: i, Shape: shape})
	}
	o, err := c.sized(f)
	figures := map[string]float64{name: o.rate()}
	if name == "oneway" && err == nil {
		figures["oneway_send_allocs"] = float64(o.sendMallocs) / float64(o.sent)
		figures["oneway_recv_allocs"] = float64(o.receiveMallocs) / float64(max(o.arrived, 1))
	}
	return o.result(name, figures), err
}

func (c *session) bulk(name string, shape Shape, size int) (Result, error) {
	f := flow{ways: []Way{{Shape: shape}}, count: max(8, 4<<20/size), size: size, paced: true}
	o, err := c.sized(f)
	return o.result(name, map[string]float64{name: o.rate() * float64(size) / 1e6}), err
}

// requestTimeout is that of one request.
const requestTimeout = 5 * time.Second

// ask makes requests one after the other until length has passed, and at least
// a hundred unless that takes five times as long. It returns how long each took.
func (c *session) ask(length time.Duration) ([]time.Duration, error) {
	const least = 100
	var took []time.Duration
	payload := make([]byte, small)
	began := time.Now()
	for spent := time.Duration(0); spent < length || len(took) < least && spent < 5*length; spent = time.Since(began) {
		payload = slices.Clone(payload)
		stamp(payload, len(took), 0)
		asked := time.Now()
		reply, err := c.client.Request(payload, requestTimeout)
		if err != nil {
			return took, fmt.Errorf("pair: request %d: %w", len(took), err)
		}
		took = append(took, time.Since(asked))
		if !bytes.Equal(reply, payload) {
			return took, fmt.Errorf("pair: request %d was answered with something else", len(took))
		}
	}
	return took, nil
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }

func (c *session) requests() (Result, error) {
	if _, err := c.ask(c.length / 4); err != nil {
		return Result{}, err
	}
	runtime.GC()
	stop, err := c.profiled()
	if err != nil {
		return Result{}, err
	}
	took, err := c.ask(c.length)
	if err = errors.Join(err, stop()); err != nil {
		return Result{}, err
	}
	return Result{Work: "request", Sent: len(took), Arrived: len(took), Figures: map[string]float64{
		"request_p50": micros(Percentile(took, 0.50)),
		"request_p99": micros(Percentile(took, 0.99)),
	}}, nil
}

// pings are requests while large messages flow between the same nodes, to
// another process than the requests'.
func (c *session) pings(name, suffix string, apart bool) (Result, error) {
	rest, err := c.ask(c.length / 2)
	if err != nil {
		return Result{}, err
	}
	stop, err := c.stream(Way{Sink: Sinks - 1, Shape: Bulk, Apart: apart}, large)
	if err != nil {
		return Result{}, err
	}
	_, err = c.ask(c.length / 4)
	var took []time.Duration
	if err == nil {
		took, err = c.ask(c.length)
	}
	rate, stopErr := stop()
	if err = errors.Join(err, stopErr); err != nil {
		return Result{}, err
	}
	return Result{Work: name, Sent: len(took), Arrived: len(took), Figures: map[string]float64{
		"ping_p99_" + suffix:  micros(Percentile(took, 0.99)),
		"ping_p50_" + suffix:  micros(Percentile(took, 0.50)),
		"ping_p50_idle":       micros(Percentile(rest, 0.50)),
		"ping_bulk_" + suffix: rate * large / 1e6,
	}}, nil
}

// lost sends more than any queue holds in two tight loops, and counts what never
// arrives.
func (c *session) lost() (Result, error) {
	var sum outcome
	for _, f := range []flow{{count: 8000, size: medium}, {count: 1000, size: large}} {
		f.ways, f.idle, f.allow = []Way{{Shape: Bulk}}, 2*time.Second, 20*time.Second
		o, err := c.run(f)
		if err != nil {
			return Result{}, err
		}
		sum.sent += o.sent
		sum.arrived += o.arrived
		sum.mangled += o.mangled
	}
	return sum.result("default_lost", map[string]float64{"default_lost": float64(sum.sent - sum.arrived)}), nil
}
