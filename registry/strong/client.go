package strong

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/topos-go/topos/actor"
)

// maxRequests bounds the changes of one node that are on their way, and so what
// the registry remembers of them.
const maxRequests = 4096

// maxHops is how often a request follows a hint at once: beyond it, nodes may
// have been pointing at each other.
const maxHops = 4

// client sends requests to whoever leads, again and again until one is answered.
type client struct {
	r    *Registry
	room chan struct{} // capacity maxRequests

	mu      sync.Mutex
	leader  actor.NodeID // who said last that it leads
	epoch   uint64       // in which
	term    uint64
	turn    int           // which voter is asked next if nobody is known to lead
	news    chan struct{} // closed, and replaced, when somebody else leads or a node came or went
	waiting map[string]map[chan struct{}]struct{}

	session *ticket
	opening chan struct{} // capacity 1: held while a session is opened
	askings sync.Pool     // of *asking
}

// ticket is an open session and what is on its way in it.
type ticket struct {
	id       uint64
	next     uint64 // seq
	settled  uint64 // all below have been answered, or given up
	inflight map[uint64]struct{}
}

func newClient(r *Registry) *client {
	return &client{
		r:       r,
		room:    make(chan struct{}, maxRequests),
		news:    make(chan struct{}),
		waiting: make(map[string]map[chan struct{}]struct{}),
		opening: make(chan struct{}, 1),
		askings: sync.Pool{New: newAsking},
	}
}

// saw notes that a node says that it leads.
func (c *client) saw(from actor.NodeID, epoch, term uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if epoch < c.epoch || epoch == c.epoch && term < c.term {
		return
	}
	c.epoch, c.term = epoch, term
	if c.leader != from {
		c.leader = from
		c.changedLocked()
	}
}

// changed lets who askings for an answer look whether it asked the right node.
func (c *client) changed() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changedLocked()
}

func (c *client) changedLocked() {
	close(c.news)
	c.news = make(chan struct{})
}

// target returns whom to ask: who leads as far as this node knows, or else one
// of the initial voters after the other; zero if there is none. changed is
// closed when that may have changed.
func (c *client) target() (node actor.NodeID, leads bool, changed <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if rep := c.r.replica; rep != nil {
		if rep.raft.State() == raft.Leader {
			return c.r.self, true, c.news
		}
		if _, id := rep.raft.LeaderWithID(); id != "" && id != rep.id {
			if node, up := c.r.roster.locate(id); up {
				return node, true, c.news
			}
		}
	}
	if up, ok := c.r.roster.named(c.leader.Name); ok && up == c.leader && up != c.r.self {
		return c.leader, true, c.news
	}
	for range c.r.cfg.Voters {
		c.turn = (c.turn + 1) % len(c.r.cfg.Voters)
		if node, up := c.r.roster.named(c.r.cfg.Voters[c.turn]); up && node != c.r.self {
			return node, false, c.news
		}
	}
	return actor.NodeID{}, false, c.news
}

// disbelieve forgets that a node leads, since it said that it does not.
func (c *client) disbelieve(node actor.NodeID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.leader == node {
		c.leader = actor.NodeID{}
	}
}

// request is one request: what is sent, and how it is put to this node itself.
type request struct {
	kind  kind
	body  []byte
	local func(rep *replica, answer func(result, error))
}

// outcome is what came back.
type outcome struct {
	res result
	err error
}

// ask sends a request until it is answered. sent is how often it was sent: if
// that is more than once, something may have come of an earlier one.
func (c *client) ask(ctx context.Context, q request) (res result, sent int, err error) {
	wait := c.r.cfg.Election / 100
	for hops := 0; ; hops++ {
		node, _, changed := c.target()
		if err := c.r.running(); err != nil {
			return result{}, sent, err
		}
		if !node.IsZero() {
			sent++
			if res, err := c.put(ctx, q, node); err == nil {
				return res, sent, nil
			}
			c.disbelieve(node)
			if next, leads, _ := c.target(); leads && next != node && hops < maxHops {
				continue
			}
		}
		// Not all at once, and not too often.
		wait = min(2*wait, c.r.cfg.Election/4)
		timer := time.NewTimer(wait/2 + time.Duration(rand.Int64N(int64(wait)+1)))
		if !node.IsZero() {
			changed = nil // only who has nobody to ask is in a hurry
		}
		select {
		case <-timer.C:
		case <-changed:
		case <-ctx.Done():
		case <-c.r.serving.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			return result{}, sent, context.Cause(ctx)
		}
	}
}

// put sends a request once, and gives up when it is not answered in time or
// somebody else leads.
func (c *client) put(ctx context.Context, q request, node actor.NodeID) (result, error) {
	w := c.askings.Get().(*asking)
	if node == c.r.self {
		q.local(c.r.replica, func(res result, err error) { w.done <- outcome{res, err} })
	} else {
		id := c.r.x.ask(node, frame{kind: q.kind, body: q.body}, func(body []byte, err error) {
			var o outcome
			if o.err = err; err == nil {
				o.res, o.err = decodeResult(body)
			}
			w.done <- o
		})
		defer c.r.x.withdraw(id)
	}
	o, err := c.answer(ctx, w, node)
	w.look.Stop()
	if err != nil {
		return result{}, err
	}
	c.askings.Put(w) // nothing else comes through it
	return o.res, c.hint(node, o.err)
}

// looks is how often who askings looks whether the node that it asked still leads,
// until it gives up, after three elections: raft does not tell everything.
const looks = 12

// answer askings for what a node answers. The error says why it will not.
func (c *client) answer(ctx context.Context, w *asking, node actor.NodeID) (outcome, error) {
	w.look.Reset(c.r.cfg.Election / 4)
	for looked := 0; ; {
		// The registry's end is such news, too: each channel that is waited for costs.
		now, leads, changed := c.target()
		if err := context.Cause(c.r.serving); err != nil {
			return outcome{}, err
		}
		if leads && now != node {
			return outcome{}, errNotLeader
		}
		select {
		case o := <-w.done:
			return o, nil
		case <-changed:
		case <-w.look.C:
			if looked++; looked == looks {
				return outcome{}, errTimeout
			}
			w.look.Reset(c.r.cfg.Election / 4)
		case <-ctx.Done():
			return outcome{}, context.Cause(ctx)
		}
	}
}

// asking is what a request askings with until it is answered, which it is once. It
// is used again then.
type asking struct {
	done chan outcome // capacity 1
	look *time.Timer
}

func newAsking() any {
	look := time.NewTimer(time.Hour)
	look.Stop()
	return &asking{done: make(chan outcome, 1), look: look}
}

// hint takes from a refusal who leads instead.
func (c *client) hint(asked actor.NodeID, err error) error {
	var no *refusal
	if errors.As(err, &no) {
		if node, up := c.r.roster.locate(raft.ServerID(no.why)); up && node != asked {
			c.mu.Lock()
			c.leader = node
			c.mu.Unlock()
		}
	}
	return err
}

// change carries out a command once.
func (c *client) change(ctx context.Context, cmd command) (result, error) {
	if err := c.r.running(); err != nil {
		return result{}, err
	}
	select {
	case c.room <- struct{}{}:
		defer func() { <-c.room }()
	case <-ctx.Done():
		return result{}, fmt.Errorf("strong: %q: %w", cmd.name, context.Cause(ctx))
	}
	for {
		s, err := c.open(ctx)
		if err != nil {
			return result{}, err
		}
		c.begin(s, &cmd)
		res, sent, err := c.ask(ctx, c.commandRequest(cmd))
		c.end(s, cmd.seq)
		switch {
		case err != nil && sent > 0:
			return result{}, fmt.Errorf("%w: %q: %w", ErrUnknown, cmd.name, err)
		case err != nil:
			return result{}, fmt.Errorf("strong: %q: %w", cmd.name, err)
		case res.code == codeSession:
			c.drop(s)
			if sent > 1 {
				return result{}, fmt.Errorf("%w: %q: the registry forgot this node", ErrUnknown, cmd.name)
			}
		case res.code == codeSettling:
			if err := c.pause(ctx); err != nil {
				return result{}, fmt.Errorf("strong: %q: a new epoch has begun: %w", cmd.name, err)
			}
		default:
			return res, nil
		}
	}
}

func (c *client) commandRequest(cmd command) request {
	body := cmd.encode()
	return request{kind: kindCommand, body: body, local: func(rep *replica, answer func(result, error)) {
		rep.command(c.r.self, cmd, body, answer)
	}}
}

// pause askings before something is tried again that cannot succeed yet.
func (c *client) pause(ctx context.Context) error {
	pause(ctx, c.r.cfg.Election/4)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return c.r.running()
}

// current returns the node's session, or nil.
func (c *client) current() *ticket {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session
}

// open returns the node's session, which it opens if there is none.
func (c *client) open(ctx context.Context) (*ticket, error) {
	if s := c.current(); s != nil {
		return s, nil
	}
	select {
	case c.opening <- struct{}{}:
		defer func() { <-c.opening }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	for {
		if s := c.current(); s != nil {
			return s, nil
		}
		res, _, err := c.ask(ctx, c.commandRequest(command{op: opOpen, value: c.r.self.String()}))
		if err != nil {
			return nil, err
		}
		if res.code == codeOK {
			c.mu.Lock()
			c.session = &ticket{id: res.token.Index, inflight: make(map[uint64]struct{})}
			c.mu.Unlock()
		} else if err := c.pause(ctx); err != nil {
			return nil, err
		}
	}
}

// drop forgets a session that the registry does not know any more.
func (c *client) drop(s *ticket) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.session == s {
		c.session = nil
	}
}

// begin gives a command its place in a session.
func (c *client) begin(s *ticket, cmd *command) {
	c.mu.Lock()
	defer c.mu.Unlock()
	cmd.session, cmd.seq, cmd.settled = s.id, s.next, s.settled
	s.inflight[s.next] = struct{}{}
	s.next++
}

// end notes that the result of a command is not needed any more.
func (c *client) end(s *ticket, seq uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(s.inflight, seq)
	for s.settled < s.next {
		if _, open := s.inflight[s.settled]; open {
			break
		}
		s.settled++
	}
}

// query reads from whoever leads.
func (c *client) query(ctx context.Context, q query) (result, error) {
	res, _, err := c.ask(ctx, request{kind: kindRead, body: q.encode(), local: func(rep *replica, answer func(result, error)) {
		rep.read(q, answer)
	}})
	if err != nil {
		return result{}, fmt.Errorf("strong: %q: %w", q.name, err)
	}
	return res, nil
}

// await returns a channel that is closed when the leader says that a lease has
// ended, and a function that must be called to give it up.
func (c *client) await(name string) (freed <-chan struct{}, cancel func()) {
	ch := make(chan struct{})
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiting[name] == nil {
		c.waiting[name] = make(map[chan struct{}]struct{})
	}
	c.waiting[name][ch] = struct{}{}
	return ch, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if delete(c.waiting[name], ch); len(c.waiting[name]) == 0 {
			delete(c.waiting, name)
		}
	}
}

// freed takes the news that a lease has ended.
func (c *client) freed(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for ch := range c.waiting[name] {
		close(ch)
	}
	delete(c.waiting, name)
}
