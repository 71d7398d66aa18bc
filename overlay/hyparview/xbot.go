package hyparview

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/topos-go/topos/overlay"
)

// Defaults of [XBot]; where it says no more, the paper's of its section IV.
const (
	// DefaultXBotInterval is the time between two attempts.
	DefaultXBotInterval = 10 * time.Second
	// DefaultUnbiased is how many neighbors are kept whatever they cost: the
	// far ones that hold the cluster together.
	DefaultUnbiased = 1
	// DefaultScan is the passive scan length, how many candidates are measured
	// in an attempt.
	DefaultScan = 2
	// DefaultThreshold is by how many per cent a link must be cheaper: more
	// than a round-trip time varies, or neighbors are swapped to and fro.
	DefaultThreshold = 10
	// DefaultXBotTimeout bounds each of the four nested waits of an exchange:
	// a measurement, or a new link and a round trip.
	DefaultXBotTimeout = 2 * time.Second
)

// XBot says how link costs, which are round-trip times, are brought down. Zero
// values mean the defaults.
type XBot struct {
	// Interval is the mean time between attempts.
	Interval time.Duration
	// Unbiased is how many of the dearest neighbors are left alone. Negative is
	// none.
	Unbiased int
	// Scan is how many candidates an attempt measures.
	Scan int
	// Threshold is by how many per cent a new link must be cheaper than what it
	// replaces. Negative is none.
	Threshold int
	// Timeout is how long the innermost wait of an exchange lasts; the initiator
	// waits four times as long.
	Timeout time.Duration
}

func (x *XBot) setDefaults() {
	x.Interval = cmp.Or(x.Interval, DefaultXBotInterval)
	x.Unbiased = cmp.Or(x.Unbiased, DefaultUnbiased)
	x.Scan = cmp.Or(x.Scan, DefaultScan)
	x.Threshold = cmp.Or(x.Threshold, DefaultThreshold)
	x.Timeout = cmp.Or(x.Timeout, DefaultXBotTimeout)
	x.Unbiased, x.Threshold = max(0, x.Unbiased), max(0, x.Threshold)
}

func (x *XBot) valid(activeSize int) error {
	var errs []error
	if x.Interval < 0 || x.Timeout < 0 || x.Scan < 0 {
		errs = append(errs, fmt.Errorf("hyparview: XBot.Interval %v, Timeout %v or Scan %d is negative", x.Interval, x.Timeout, x.Scan))
	}
	if x.Unbiased >= activeSize {
		errs = append(errs, fmt.Errorf("hyparview: XBot.Unbiased %d is not less than ActiveSize %d", x.Unbiased, activeSize))
	}
	if x.Threshold >= 100 {
		errs = append(errs, fmt.Errorf("hyparview: XBot.Threshold %d %% is not less than 100", x.Threshold))
	}
	return errors.Join(errs...)
}

// optimizer is what X-BOT needs to know.
type optimizer struct {
	cfg      XBot
	roundAt  time.Duration
	costs    []cost
	exchange *exchange // nil if none is under way
}

// cost is what is known of the link to a node, whether there is one or not.
type cost struct {
	node known
	rtt  time.Duration // smoothed
	at   time.Duration // when it was measured last
}

// costAge is after how many intervals a neighbor is measured again.
const costAge = 3

func newOptimizer(cfg XBot) *optimizer {
	cfg.setDefaults()
	return &optimizer{cfg: cfg}
}

// cost returns what the link to node costs, 0 if that is not known.
func (x *optimizer) cost(node overlay.Node) time.Duration {
	if i := x.index(node); i >= 0 {
		return x.costs[i].rtt
	}
	return 0
}

// index returns where the cost of node is, -1 if it is not known.
func (x *optimizer) index(node overlay.Node) int {
	return slices.IndexFunc(x.costs, func(k cost) bool { return *k.node == node })
}

// better reports whether a link of cost new is worth having instead of one of
// cost old. Unknown costs are no reason for anything.
func (x *optimizer) better(new, old time.Duration) bool {
	return new > 0 && old > 0 && new < old-old/100*time.Duration(x.cfg.Threshold)
}

// measured takes a round-trip time, if it is of anybody that matters.
func (c *Core) measured(node overlay.Node, rtt time.Duration) {
	x := c.xbot
	if x == nil || rtt <= 0 {
		return
	}
	if p := c.peer(node); (p == nil || p.state != neighbor) && !c.needed(node) {
		return
	}
	if i := x.index(node); i >= 0 {
		k := &x.costs[i]
		k.rtt, k.at = k.rtt-k.rtt/8+rtt/8, c.now
	} else {
		c.forgetCost()
		x.costs = append(x.costs, cost{c.cfg.Pool.Pin(node), rtt, c.now})
	}
	c.learnedCost()
}

// forgetCost makes room for one: for each neighbor, and for the candidates of
// two rounds and of one exchange.
func (c *Core) forgetCost() {
	x := c.xbot
	if len(x.costs) < c.cfg.ActiveSize+2*x.cfg.Scan+1 {
		return
	}
	oldest := -1
	for i, k := range x.costs {
		if p := c.peer(*k.node); p != nil && p.state == neighbor {
			continue
		}
		if oldest < 0 || k.at < x.costs[oldest].at {
			oldest = i
		}
	}
	if oldest >= 0 {
		x.costs = slices.Delete(x.costs, oldest, oldest+1)
	}
}

// biased returns the neighbors that may be replaced, the dearest first: without
// those that are dearer still, and those that were not measured yet.
func (c *Core) biased() []overlay.Node {
	nodes := slices.DeleteFunc(c.Active(), func(n overlay.Node) bool { return c.xbot.cost(n) == 0 })
	slices.SortStableFunc(nodes, func(a, b overlay.Node) int { return cmp.Compare(c.xbot.cost(b), c.xbot.cost(a)) })
	return nodes[min(len(nodes), c.xbot.cfg.Unbiased):]
}

// tickOptimizer begins an attempt when it is time to, and the active view is
// full: before that, every neighbor is welcome.
func (c *Core) tickOptimizer() {
	x := c.xbot
	if x == nil || !due(x.roundAt, c.now) {
		return
	}
	x.roundAt = c.now + c.jitter(x.cfg.Interval)
	if c.count(neighbor) < c.cfg.ActiveSize {
		return
	}
	for _, node := range c.Active() {
		if i := x.index(node); i < 0 || c.now-x.costs[i].at > costAge*x.cfg.Interval {
			c.emit(overlay.Measure{Node: node})
		}
	}
	if x.exchange != nil || len(c.passive) == 0 {
		return
	}
	scan := values(nil, c.sample(c.passive, x.cfg.Scan, overlay.Node{}))
	x.exchange = &exchange{role: scanning, begun: c.now, due: c.now + x.cfg.Timeout, scan: scan}
	for _, node := range scan {
		c.emit(overlay.Measure{Node: node})
	}
}

// learnedCost goes on with what has waited for a measurement.
func (c *Core) learnedCost() {
	x := c.xbot
	ex := x.exchange
	switch {
	case ex == nil:
	case ex.role == scanning:
		fresh := func(n overlay.Node) bool {
			i := x.index(n)
			return i >= 0 && x.costs[i].at >= ex.begun
		}
		if !slices.ContainsFunc(ex.scan, func(n overlay.Node) bool { return !fresh(n) }) {
			c.choose()
		}
	case ex.role == measuring && x.cost(ex.old) != 0 && x.cost(ex.candidate) != 0:
		c.decide()
	}
}

// choose compares the candidates with the neighbors that may be replaced, and
// begins an exchange for the first that is worth it.
func (c *Core) choose() {
	x, scan := c.xbot, c.xbot.exchange.scan
	c.finish()
	if c.count(neighbor) < c.cfg.ActiveSize {
		return
	}
	for _, old := range c.biased() {
		for _, candidate := range scan {
			if index(c.passive, candidate) < 0 || !x.better(x.cost(candidate), x.cost(old)) {
				continue
			}
			x.exchange = &exchange{role: initiator, due: c.now + 4*x.cfg.Timeout, old: old, candidate: candidate}
			if c.want(candidate, askOptimize) != nil {
				return
			}
			x.exchange = nil
		}
	}
}
