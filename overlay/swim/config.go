package swim

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/topos-go/topos/overlay"
)

// Defaults of [Config]. Together they have a member that falls silent declared
// failed at p99 within six seconds among a hundred, and one whose connections are
// refused within one.
const (
	// DefaultPeriod is the protocol period. Somebody pings a given member about
	// once a period, but at p99 only after 4.6 of them: a second would leave
	// nothing of six for the suspicion. Each node sends four messages a second.
	DefaultPeriod = 500 * time.Millisecond
	// DefaultTimeout is how long a ping has before others are asked: a connection
	// with TLS and a ping are three round trips, and thus up to 65 ms are well
	// served. What comes later in the period counts, too.
	DefaultTimeout = 200 * time.Millisecond
	// DefaultIndirect is the paper's k. At a loss of 5 %, one probe of 1,600
	// fails by chance.
	DefaultIndirect = 3
	// DefaultSuspicion is how many periods the shortest suspicion lasts among up to
	// a hundred: two seconds, time for three pings of an accuser and their answers
	// to be lost, and for a node to stand still as long as that.
	DefaultSuspicion = 4
	// DefaultMaxSuspicion is Lifeguard's beta, how much longer a suspicion lasts
	// that nobody confirms. Lifeguard has six; half of it still gives a refutation
	// twelve periods, and few nodes that lose most of their group wait less.
	DefaultMaxSuspicion = 3
	// DefaultConfirmations is Lifeguard's K.
	DefaultConfirmations = 3
	// DefaultMaxHealth is Lifeguard's S: a node in the worst of health takes nine
	// times as long for everything.
	DefaultMaxHealth = 8
	// DefaultLate is half of a timeout: who is that late has not read the answers.
	DefaultLate = 100 * time.Millisecond
	// DefaultRetransmit is the paper's lambda. Each fact is sent 14 times by each
	// of a hundred nodes, so that less than one in a million misses it.
	DefaultRetransmit = 3
	// DefaultGossip and DefaultFanout are memberlist's, with which Lifeguard was
	// measured: news is with a hundred nodes in half a second.
	DefaultGossip = 200 * time.Millisecond
	DefaultFanout = 3
	// DefaultWitnesses is how many others have to be refused, too: one could
	// stand behind the same firewall.
	DefaultWitnesses = 2
	// DefaultRevive is how often one of the failed is pinged: a partition that
	// heals is noticed by somebody at once if there were many on the other side.
	DefaultRevive = 5 * time.Second
	// DefaultMaxFacts bounds a message to some two kilobytes.
	DefaultMaxFacts = 16
	// DefaultMaxRumors is how many facts are being spread: more than what half of
	// a thousand nodes give rise to who fail at once.
	DefaultMaxRumors = 4096
	// DefaultMaxMembers is several times what Topos is made for.
	DefaultMaxMembers = 1 << 16
	// DefaultMaxRelays is how many pings are open for others: a hundred times as
	// many as are expected when all pings are lost.
	DefaultMaxRelays = 256
	// DefaultMaxChecks is how many members are looked into at a time, besides
	// the one whose turn it is. Each costs four messages a period: there are
	// many only if the links to many break at once.
	DefaultMaxChecks = 64
	// DefaultCrowd is so many members that what they ask each other may be too much for
	// a machine on which they all run: among fewer it is next to nothing.
	DefaultCrowd = 64
)

// Config says what a [Core] is. Zero durations and counts mean the defaults.
type Config struct {
	// Self is this node, and Rand what it draws from. They must be given.
	Self overlay.Node
	Rand *rand.Rand
	// Pool keeps the nodes that this Core and others watch, each of them once, if they are
	// used by one goroutine at a time, as in a simulation. Nil, and this one keeps its own.
	Pool *overlay.NodePool
	// Period is the protocol period: one member is probed in each. Timeout is how
	// long it has to answer before Indirect others are asked to ping it.
	Period, Timeout time.Duration
	Indirect        int
	// Stride is how many turns in a row, but one, those have that are [Near], if
	// any are: the last is that of somebody among all. 0 and 1 mean that it makes
	// no difference who is near.
	Stride int
	// Suspicion × max(1, log n / log 100) periods is how long the shortest suspicion
	// lasts, and MaxSuspicion times as long the longest one. Confirmations by so
	// many others make it the shortest.
	Suspicion, MaxSuspicion, Confirmations int
	// MaxHealth is the greatest local health score. It is 0 in full health, and
	// all times of a probe are multiplied by the score + 1.
	MaxHealth int
	// Late is how much later than asked [Core.Tick] may be called. Beyond that
	// this node has slept, and draws no conclusions from what it missed.
	Late time.Duration
	// Retransmit × ln(n+1) is how often a fact is sent.
	Retransmit int
	// Gossip is how often news goes to Fanout random members by itself, as long
	// as there is any. A negative Fanout leaves it all to pings and their answers.
	Gossip time.Duration
	Fanout int
	// Witnesses is how many others have to be refused, too, before a node counts
	// as failed whose link was reset. If there are fewer, all of them.
	Witnesses int
	// Revive is how often a failed member is pinged, in case it is back.
	Revive time.Duration
	// MaxFacts is how many facts a message has. Of one that has more, the first
	// are taken.
	MaxFacts int
	// MaxRumors, MaxMembers, MaxRelays and MaxChecks bound what is remembered: facts
	// that are spread, members, pings for others, and probes out of turn.
	MaxRumors, MaxMembers, MaxRelays, MaxChecks int
	// Twice has a member that did not answer in its turn asked once more, by this node
	// and others at the same time, before it is suspected. That takes Period - Timeout.
	Twice bool
	// Discreet has a member that this node comes to suspect asked once more, for a Period,
	// before anybody is told: an answer, or anything else from it, and the suspicion is
	// over. If there is none, all are told, and the time that the member has counts from
	// the beginning, so that who has failed is not found out later. And this node takes its
	// time while its machine has too much to do, so as not to make for more.
	Discreet bool
	// Crowd is from how many members on, with Discreet, slow answers and the silence of
	// several in a row are taken for those of a machine that has too much to do, which is
	// given more time. Among fewer they are taken for a slow link and a partition.
	Crowd int
	// Plain leaves Lifeguard out: there is no local health, a suspicion has one
	// length, and nobody says that it got no answer.
	Plain bool
}

func (c *Config) setDefaults() {
	c.Period = cmp.Or(c.Period, DefaultPeriod)
	c.Timeout = cmp.Or(c.Timeout, DefaultTimeout)
	c.Indirect = cmp.Or(c.Indirect, DefaultIndirect)
	c.Suspicion = cmp.Or(c.Suspicion, DefaultSuspicion)
	c.MaxSuspicion = cmp.Or(c.MaxSuspicion, DefaultMaxSuspicion)
	c.Confirmations = cmp.Or(c.Confirmations, DefaultConfirmations)
	c.MaxHealth = cmp.Or(c.MaxHealth, DefaultMaxHealth)
	c.Late = cmp.Or(c.Late, DefaultLate)
	c.Retransmit = cmp.Or(c.Retransmit, DefaultRetransmit)
	c.Gossip = cmp.Or(c.Gossip, DefaultGossip)
	c.Fanout = cmp.Or(c.Fanout, DefaultFanout)
	c.Witnesses = cmp.Or(c.Witnesses, DefaultWitnesses)
	c.Revive = cmp.Or(c.Revive, DefaultRevive)
	c.MaxFacts = cmp.Or(c.MaxFacts, DefaultMaxFacts)
	c.MaxRumors = cmp.Or(c.MaxRumors, DefaultMaxRumors)
	c.MaxMembers = cmp.Or(c.MaxMembers, DefaultMaxMembers)
	c.MaxRelays = cmp.Or(c.MaxRelays, DefaultMaxRelays)
	c.MaxChecks = cmp.Or(c.MaxChecks, DefaultMaxChecks)
	c.Crowd = cmp.Or(c.Crowd, DefaultCrowd)
}

// Valid reports all mistakes in c at once. [New] calls it, after it has put the
// defaults in.
func (c *Config) Valid() error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf("swim: "+format, args...)) }
	if err := c.Self.Valid(); err != nil {
		errs = append(errs, err)
	}
	if c.Rand == nil {
		wrong("Config.Rand is missing")
	}
	if c.Period > time.Hour {
		wrong("Config.Period %v is more than an hour", c.Period)
	}
	if c.Fanout > 64 {
		wrong("Config.Fanout %d is more than 64", c.Fanout)
	}
	if c.Timeout <= 0 || c.Timeout >= c.Period {
		wrong("Config.Timeout %v is not within 0 and Period %v", c.Timeout, c.Period)
	}
	if c.Late <= 0 || c.Gossip <= 0 || c.Revive <= 0 {
		wrong("a duration is negative: Late %v, Gossip %v, Revive %v", c.Late, c.Gossip, c.Revive)
	}
	for _, n := range []struct {
		name  string
		value int
		most  int
	}{
		{"Indirect", c.Indirect, 64},
		{"Suspicion", c.Suspicion, 1 << 20},
		{"MaxSuspicion", c.MaxSuspicion, 100},
		{"Confirmations", c.Confirmations, 64},
		{"MaxHealth", c.MaxHealth, 1000},
		{"Retransmit", c.Retransmit, 1000},
		{"Witnesses", c.Witnesses, c.Indirect},
		{"MaxFacts", c.MaxFacts, 1 << 16},
		{"MaxRumors", c.MaxRumors, 1 << 24},
		{"MaxMembers", c.MaxMembers, 1 << idBits},
		{"MaxRelays", c.MaxRelays, 1 << 24},
		{"MaxChecks", c.MaxChecks, 1 << 24},
		{"Crowd", c.Crowd, 1 << 24},
	} {
		if n.value < 1 || n.value > n.most {
			wrong("Config.%s %d is not within 1 and %d", n.name, n.value, n.most)
		}
	}
	if c.MaxFacts > 0 && c.MaxFacts < minFacts {
		wrong("Config.MaxFacts %d leaves no place for news", c.MaxFacts)
	}
	return errors.Join(errs...)
}

// minFacts is what a message has to hold: what the receiver is accused of, what
// the sender says for itself, and one more.
const minFacts = 3
