package causal

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/topos-go/topos/actor"
)

// set is a set of the numbers of messages.
type set []uint64

func (s *set) add(n int) {
	for len(*s) <= n/64 {
		*s = append(*s, 0)
	}
	(*s)[n/64] |= 1 << (n % 64)
}

func (s set) has(n int) bool { return n/64 < len(s) && s[n/64]&(1<<(n%64)) != 0 }

func (s *set) join(other set) {
	for len(*s) < len(other) {
		*s = append(*s, 0)
	}
	for i, word := range other {
		(*s)[i] |= word
	}
}

// mail is a message as the model sees it: with everything that happened before
// it was sent.
type mail struct {
	number   int
	from, to int
	seq      Seq
	stamp    []byte
	past     set

	givenUp bool // its sender has said so
	arrived bool // it was handed to the receiver's group, and has not ended there
	ended   bool // delivered or dead
	got     bool // delivered
	excused bool // its receiver knows that it need not be waited for
}

// envelope is a mail, or a notification, on its way. Given are the mails that its
// sender had given up until then.
type envelope struct {
	from, to int
	mail     *mail // nil if void
	stamp    []byte
	given    []*mail
}

// peer is a node, and what the model knows of it.
type peer struct {
	id     actor.NodeID
	group  *Group[int]
	alive  bool
	past   set          // all that happened before now
	buried map[int]bool // whom it counts as dead
}

// model runs groups beside the plainest account there is of what happened before
// what: the set of all messages.
type model struct {
	rng   *rand.Rand
	cfg   Config
	now   time.Time
	peers []*peer
	mails []*mail
	post  []envelope
	dead  []int // crashed, in order
	exact bool  // nobody is counted as dead who is not
	trace []string
	errs  []string
	// broken has, of each pair of nodes, the epoch up to which the one has not
	// taken what the other has sent, because it counted it as dead.
	broken map[[2]int]uint64
}

func newModel(seed uint64, exact bool) *model {
	m := &model{
		rng: rand.New(rand.NewPCG(seed, 1)), now: start, exact: exact,
		broken: map[[2]int]uint64{},
		cfg:    Config{MaxWait: 30 * time.Second, Forget: time.Hour},
	}
	for i := range 2 + m.rng.IntN(7) {
		m.start(string(rune('a' + i)))
	}
	return m
}

func (m *model) logf(format string, args ...any) {
	m.trace = append(m.trace, fmt.Sprintf(format, args...))
}

func (m *model) failf(format string, args ...any) {
	m.logf("FAILED: "+format, args...)
	m.errs = append(m.errs, fmt.Sprintf(format, args...))
}

func (m *model) name(i int) string { return called(m.peers[i].id) }
func (m *model) start(name string) {
	cfg := m.cfg
	cfg.Self = node(name)
	g, err := New[int](cfg)
	if err != nil {
		panic(err)
	}
	m.peers = append(m.peers, &peer{id: cfg.Self, group: g, alive: true, buried: map[int]bool{}})
	m.logf("start %s", name)
}

// living returns two nodes, if there are two.
func (m *model) living() (a, b int, ok bool) {
	var all []int
	for i, p := range m.peers {
		if p.alive {
			all = append(all, i)
		}
	}
	if len(all) < 2 {
		return 0, 0, false
	}
	i := m.rng.Perm(len(all))
	return all[i[0]], all[i[1]], true
}

// find returns the number of the node that is called id.
func (m *model) find(id actor.NodeID) int {
	return slices.IndexFunc(m.peers, func(p *peer) bool { return p.id == id })
}

func (m *model) send(a, b int) {
	from := m.peers[a]
	stamp, err := from.group.Stamp(m.peers[b].id)
	if (err != nil) != from.buried[b] {
		m.failf("%s>%s: %v", m.name(a), m.name(b), err)
	}
	if err != nil {
		return
	}
	l := &mail{number: len(m.mails), from: a, to: b, seq: stamp.Seq, stamp: stamp.Append(nil), past: slices.Clone(from.past)}
	if epoch, ok := m.broken[[2]int{a, b}]; ok && l.seq.Epoch() <= epoch || m.peers[b].buried[a] {
		l.excused = true
	}
	m.mails = append(m.mails, l)
	from.past.add(l.number)
	m.post = append(m.post, envelope{a, b, l, l.stamp, m.given(a, b)})
	m.logf("send %d: %s>%s %v %+v", l.number, m.name(a), m.name(b), l.seq, stamp)
}

// given returns what a has given up of what it has sent to b.
func (m *model) given(a, b int) (given []*mail) {
	for _, l := range m.mails {
		if l.from == a && l.to == b && l.givenUp {
			given = append(given, l)
		}
	}
	return given
}

// arrive hands an envelope over, unless one of the two counts the other as dead.
func (m *model) arrive(e envelope) {
	to := m.peers[e.to]
	if !to.alive || to.buried[e.from] {
		m.miss(e)
		return
	}
	stamp, err := ParseStamp(e.stamp)
	if err != nil {
		panic(err)
	}
	for _, l := range e.given {
		l.excused = true
	}
	item := -1
	if e.mail == nil {
		m.logf("void %s>%s %+v", m.name(e.from), m.name(e.to), stamp)
	} else {
		item = e.mail.number
		e.mail.arrived = e.mail.arrived || !e.mail.ended
		m.logf("arrive %d at %s", item, m.name(e.to))
	}
	m.carryOut(e.to, to.group.Receive(m.now, m.peers[e.from].id, stamp, item, 8))
}

// miss is what becomes of an envelope that cannot be handed over: if its sender
// lives and can, it gives it up.
func (m *model) miss(e envelope) {
	if e.mail == nil || e.mail.ended || e.mail.arrived {
		return
	}
	m.logf("lost %d", e.mail.number)
	if m.peers[e.from].alive {
		m.giveUp(e.mail)
	}
}

func (m *model) giveUp(l *mail) {
	m.logf("give up %d", l.number)
	l.givenUp = true
	m.carryOut(l.from, m.peers[l.from].group.GaveUp(m.peers[l.to].id, l.seq))
}

func (m *model) carryOut(at int, effects []Effect) {
	p := m.peers[at]
	for _, e := range effects {
		switch e := e.(type) {
		case Deliver[int]:
			m.deliver(at, m.mails[e.Item])
		case Dead[int]:
			l := m.mails[e.Item]
			m.logf("dead %d: %v", e.Item, e.Reason)
			if !l.arrived && (e.Reason == ErrDuplicate) != l.ended || m.exact && e.Reason == ErrLate && !l.excused {
				m.failf("%d is dead: %v", e.Item, e.Reason)
			}
			if e.Reason != ErrDuplicate {
				l.ended, l.arrived = true, false
			}
		case Notify:
			m.post = append(m.post, envelope{at, m.find(e.To), nil, e.Stamp.Append(nil), m.given(at, m.find(e.To))})
		}
	}
	if err := p.group.valid(); err != nil {
		m.failf("%v", err)
	}
}

// deliver checks that all that happened before l, and was sent to the same node,
// has been delivered there, or is known not to come.
func (m *model) deliver(at int, l *mail) {
	m.logf("deliver %d at %s", l.number, m.name(at))
	p := m.peers[at]
	switch {
	case l.to != at:
		m.failf("%d is delivered to another", l.number)
	case l.ended:
		m.failf("%d is delivered again", l.number)
	case p.past.has(l.number):
		m.failf("%d is delivered after what was sent after it", l.number)
	}
	for _, before := range m.mails {
		if before.to == at && l.past.has(before.number) && !before.ended && (!before.excused || before.arrived) {
			m.failf("%d is delivered before %d", l.number, before.number)
		}
	}
	l.ended, l.arrived, l.got = true, false, true
	p.past.join(l.past)
	p.past.add(l.number)
}

// idle checks that nothing waits without reason.
func (m *model) idle() {
	for _, l := range m.mails {
		if !l.arrived || !m.peers[l.to].alive {
			continue
		}
		reason := false
		for _, before := range m.mails {
			reason = reason || before.to == l.to && l.past.has(before.number) && !before.ended && (!before.excused || before.arrived)
		}
		if !reason {
			m.failf("%d waits at %s for nothing", l.number, m.name(l.to))
		}
	}
}

// bury gives a the obituary of b.
func (m *model) bury(a, b int, final bool) {
	p := m.peers[a]
	m.logf("%s buries %s, final %v", m.name(a), m.name(b), final)
	p.buried[b] = true
	epoch, again := m.broken[[2]int{b, a}]
	if again {
		epoch++ // it may have passed one of which nothing has come
	}
	for _, l := range m.mails {
		if l.from == b && l.to == a {
			l.excused = true
			epoch = max(epoch, l.seq.Epoch())
		}
		if !m.exact && l.from == a && l.to == b {
			// It begins anew, and what is still on its way may be too late.
			l.excused = true
		}
	}
	m.broken[[2]int{b, a}] = epoch
	m.carryOut(a, p.group.Obituary(m.now, m.peers[b].id, final))
}

func (m *model) report() string {
	return strings.Join(m.errs, "\n") + "\n" + strings.Join(m.trace, "\n")
}
