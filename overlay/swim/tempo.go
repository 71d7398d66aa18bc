package swim

import "time"

const (
	// waits is how often a question and its answer wait for what a node waits for once
	// when it is to be called: each end of a new connection takes some turns.
	waits = 10
	// unhurried is which part of Config.Timeout answers may take, and punctual which part of
	// Config.Late a node may be late, without anybody having too much to do.
	unhurried, punctual = 2, 4
	// mostSlack is how many periods there are at most for being busy.
	mostSlack = 4
)

// tempo is how busy this machine is, and those that answer. An overloaded machine has
// answers come late, and if all ask others because of that, and ask again, and accuse, it
// never gets over it. There are three signs of it, before anybody is asked for help:
// this node is called late, answers have taken long of late, and several members have not
// answered, one after the other.
type tempo struct {
	late  time.Duration // by how much this node was called too late
	since time.Time     // when that was
	takes time.Duration // how long answers take, of late
	asked [8]question   // whose turn it was of late, in no order
	next  int
	heard time.Time // when somebody has answered last, whatever
}

// question is a ping in turn that has not been answered yet.
type question struct {
	seq    uint64
	target id
	at     time.Time
}

// called notes that this node was called so much later than it has asked for.
func (t *tempo) called(now time.Time, late, half time.Duration) {
	if late > t.lag(now, half) {
		t.late, t.since = late, now
	}
}

// lag is how late this node was called, of which half is forgotten each time that half
// has passed.
func (t *tempo) lag(now time.Time, half time.Duration) time.Duration {
	return t.late >> min(now.Sub(t.since)/half, 62)
}

func (t *tempo) ask(q question) {
	t.asked[t.next] = q
	t.next = (t.next + 1) % len(t.asked)
}

// answered notes how long an answer has taken, if it is one: most at most, so that it is
// forgotten soon. Half of what was known is forgotten each time, as questions are few.
func (t *tempo) answered(now time.Time, from id, seq uint64, most time.Duration) {
	for n, q := range t.asked {
		if q.seq == seq && q.target == from && seq > 0 {
			t.takes += (min(now.Sub(q.at), most) - t.takes) / 2
			t.asked[n], t.heard = question{}, now
		}
	}
}

// drop forgets what target was asked: it says nothing of this machine any more that there
// is no answer, or the place is another one's.
func (t *tempo) drop(target id) {
	for n, q := range t.asked {
		if q.target == target {
			t.asked[n] = question{}
		}
	}
}

// waiting is for how long two members have not answered while nobody else has: one may
// have failed, but both had their turn one after the other.
func (t *tempo) waiting(now time.Time) time.Duration {
	var first, second question
	for _, q := range t.asked {
		switch {
		case q.seq == 0 || !q.at.After(t.heard):
		case first.seq == 0 || q.at.Before(first.at):
			if first.seq > 0 && first.target != q.target {
				second = first
			}
			first = q
		case q.target != first.target && (second.seq == 0 || q.at.Before(second.at)):
			second = q
		}
	}
	if second.seq == 0 {
		return 0
	}
	return now.Sub(second.at)
}

// slack is how much more time than otherwise this node gives for answers, and takes from
// one question to the next. It is none unless this machine has too much to do: then
// answers come late, and what is asked because of that makes them come still later.
func (c *Core) slack() time.Duration {
	if !c.cfg.Discreet {
		return 0
	}
	var slack time.Duration
	if late := c.tempo.lag(c.now, 2*c.cfg.Period); late >= c.cfg.Late/punctual {
		slack = min(waits*late, mostSlack*c.cfg.Period)
	}
	if !c.patient() {
		return slack
	}
	if takes := max(c.tempo.takes, c.tempo.waiting(c.now)); takes >= c.cfg.Timeout/unhurried {
		slack = max(slack, 2*takes)
	}
	return min(slack, mostSlack*c.cfg.Period)
}

// patient reports whether silence of several members may be due to a machine that has too
// much to do: see Config.Crowd. Among few members it is a partition; and a node that has no link to anybody,
// as far as it is told of links, knows why nobody answers.
func (c *Core) patient() bool {
	return c.cfg.Discreet && c.size() >= c.cfg.Crowd && (c.cfg.Stride <= 1 || len(c.near) > 0)
}
