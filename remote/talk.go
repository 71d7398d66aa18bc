package remote

import (
	"fmt"
	"sync"
	"time"
	"unique"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote/causal"
)

// talk is one label of causal delivery on this node: it stamps what is sent with
// the label, and holds what has come until what happened before has been
// delivered. It sits above the sessions: what it takes is once and, but for what
// is given up, complete.
//
// Locks are taken in the order of a message that comes: the sessions', then the
// talk's. So a talk does not send within its lock: its notices wait for the
// timer.
type talk struct {
	node  *Node
	label string

	mu      sync.Mutex
	group   *causal.Group[arrival]
	notices []causal.Notify
	timer   *time.Timer
	over    bool
}

func newTalk(n *Node, label string) *talk {
	// What is waited for is acknowledged: it comes, or is given up, within
	// AckAge of when it was sent. Beyond that its sender must be dead.
	wait := n.cfg.AckAge + n.cfg.AckAge/4
	group, err := causal.New[arrival](causal.Config{Self: n.id, MaxWait: wait, Forget: max(causal.DefaultForget, 2*wait)})
	if err != nil {
		panic(fmt.Sprintf("remote: label %q: %v", label, err)) // what Config.valid has checked
	}
	t := &talk{node: n, label: label, group: group}
	t.timer = time.AfterFunc(time.Hour, t.tick)
	t.timer.Stop()
	return t
}

// stamp returns what goes with the next message to id, and its number.
func (t *talk) stamp(id actor.NodeID) ([]byte, causal.Seq, error) {
	var done aftermath
	t.mu.Lock()
	s, err := t.group.Stamp(id)
	if err == causal.ErrBuried {
		// It was gone for long, and is back: it would not be sent to otherwise.
		var effects []causal.Effect
		if effects, err = t.group.Met(time.Now(), id); err == nil {
			t.carryOutLocked(effects, &done)
			s, err = t.group.Stamp(id)
		}
	}
	t.unlock(&done)
	if err != nil {
		return nil, 0, fmt.Errorf("remote: label %q: %w", t.label, err)
	}
	return s.Append(nil), s.Seq, nil
}

// receive delivers what has come, in its turn.
func (t *talk) receive(a *arrival) {
	var done aftermath
	now := time.Now()
	t.mu.Lock()
	t.carryOutLocked(t.group.Receive(now, a.sig.Origin.Value(), *a.stamp, *a, a.sig.Size), &done)
	t.unlock(&done)
}

// gaveUp lets nobody wait for a message that is given up.
func (t *talk) gaveUp(id actor.NodeID, seq causal.Seq) {
	var done aftermath
	t.mu.Lock()
	t.carryOutLocked(t.group.GaveUp(id, seq), &done)
	t.unlock(&done)
}

// obituary lets nobody wait for a node that is dead.
func (t *talk) obituary(id actor.NodeID, final bool) {
	var done aftermath
	t.mu.Lock()
	t.carryOutLocked(t.group.Obituary(time.Now(), id, final), &done)
	t.unlock(&done)
}

// tick does what is due.
func (t *talk) tick() {
	var done aftermath
	t.mu.Lock()
	if !t.over {
		t.carryOutLocked(t.group.Tick(time.Now()), &done)
	}
	notices := t.notices
	t.notices = nil
	t.unlock(&done)
	for _, notice := range notices {
		t.notify(notice)
	}
}

// notify sends a stamp without a message. If that cannot be, a later one says
// the same.
func (t *talk) notify(notice causal.Notify) {
	p := t.node.peers.find(unique.Make(notice.To))
	if p == nil {
		return
	}
	e := t.node.encoders.Get().(*encoder)
	defer t.node.release(e)
	sig := actor.Signal{Kind: actor.SignalMessage, Via: actor.Delivery{Label: t.label, Ack: true}}
	if err := e.encode(t.node, p, &sig); err != nil {
		return
	}
	e.m.Stamp = notice.Stamp.Append(nil)
	r := e.retain(&sig)
	if ss := t.node.sessionsOf(p); ss != nil {
		_, _ = ss.try(DefaultChannel, r, r.size())
	}
}

// aftermath is what a talk has to say once its lock is free.
type aftermath struct {
	dead     []causal.Dead[arrival]
	released []causal.Released
}

// carryOutLocked does what the group wants. Delivering does not wait.
func (t *talk) carryOutLocked(effects []causal.Effect, done *aftermath) {
	var heard []actor.NodeID
	for _, e := range effects {
		switch e := e.(type) {
		case causal.Deliver[arrival]:
			t.node.hand(&e.Item)
		case causal.Dead[arrival]:
			done.dead = append(done.dead, e)
		case causal.Released:
			done.released = append(done.released, e)
		case causal.Notify:
			t.notices = append(t.notices, e)
		case causal.Heard:
			heard = append(heard, e.Node)
		}
	}
	for _, id := range heard {
		if t.node.talks.isDead(id) {
			t.carryOutLocked(t.group.Obituary(time.Now(), id, true), done)
		}
	}
}

// unlock sets the timer, unlocks, and reports.
func (t *talk) unlock(done *aftermath) {
	if due := t.group.Deadline(); t.over {
		t.notices = nil
	} else if len(t.notices) > 0 {
		t.timer.Reset(soon)
	} else if !due.IsZero() {
		t.timer.Reset(max(time.Until(due), soon))
	}
	t.mu.Unlock()
	n := t.node
	for _, d := range done.dead {
		n.stats.causalDead.Add(1)
		n.undeliverable(&d.Item.sig, fmt.Errorf("remote: label %q: %w", t.label, d.Reason))
	}
	for _, r := range done.released {
		n.stats.released.Add(uint64(r.Waiting))
		n.quiet.warn("causal order: waited in vain", "label", t.label, "for", r.From, "messages", r.Waiting, "reason", r.Cause)
		n.report(CausalGap{Label: t.label, From: r.From, Waiting: r.Waiting, Reason: r.Cause})
	}
}

// soon is the shortest that a timer is set to; see Go issue 78156.
const soon = time.Nanosecond

// close ends the talk: what waits is delivered no more.
func (t *talk) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over = true
	t.timer.Stop()
}

// held returns how many messages wait.
func (t *talk) held() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.group.Stats().Waiting
}
