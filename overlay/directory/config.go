package directory

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/topos-go/topos/overlay"
)

// Defaults of [Config].
const (
	// DefaultInterval is the time between two exchanges that a node begins. What
	// was broadcast and lost is everywhere after about log2(n) of them, and an
	// exchange that finds nothing costs two messages of some 30 bytes.
	DefaultInterval = 10 * time.Second
	// DefaultTimeout is how long an answer is waited for.
	DefaultTimeout = 5 * time.Second
	// DefaultDoubt is time enough for a broadcast to reach a node that has been
	// taken for dead behind a partition, and for its refutation to come back.
	DefaultDoubt = 5 * time.Second
	// DefaultPause bounds how often a node speaks for itself, whatever it is
	// told of its death.
	DefaultPause = 200 * time.Millisecond
	// DefaultForget is how long the dead are remembered and tried: longer than
	// the partitions that are worth healing without an operator.
	DefaultForget = 24 * time.Hour
	// DefaultForgetLeft is how long those are remembered who have left: longer
	// than facts can be on their way. They are not tried, so it may be shorter.
	DefaultForgetLeft = time.Hour
	// DefaultTryMin and DefaultTryMax bound the growing wait before a node that
	// is down is tried again.
	DefaultTryMin = time.Second
	DefaultTryMax = time.Minute
	// DefaultTryEvery is the least time between two tries of whomever: five
	// thousand dead are not all dialled at once.
	DefaultTryEvery = time.Second
	// DefaultFarewell is how many members are told directly of a departure.
	DefaultFarewell = 3
	// DefaultMaxMembers is how many names are remembered, some megabytes.
	DefaultMaxMembers = 1 << 16
	// DefaultMaxTombstones is how many of them may be dead.
	DefaultMaxTombstones = 1 << 14
	// DefaultMaxMeta is room for a role, a zone and an address or two.
	DefaultMaxMeta = 512
	// DefaultMaxFacts is how many facts one message has: some 50 kB.
	DefaultMaxFacts = 512
	// DefaultMaxValue is how long a register's value may be.
	DefaultMaxValue = 4096
	// DefaultWindow is within what time members fall silent whom the same
	// partition has cut off: failure detectors differ by some seconds.
	DefaultWindow = 30 * time.Second
	// DefaultSettle is how long nothing more must have happened before a
	// partition, or its end, is said.
	DefaultSettle = 3 * time.Second
	// DefaultSplitMin and DefaultSplitPercent are how many members must fall
	// silent, and how many of a hundred. Fewer are taken for crashes.
	DefaultSplitMin     = 2
	DefaultSplitPercent = 10
	// DefaultMaxReports is how often one partition is said again, at most.
	DefaultMaxReports = 16

	// hardMaxFacts bounds MaxFacts, and what is taken from others at once.
	hardMaxFacts = 4096
	// maxRegisters bounds Config.Registers.
	maxRegisters = 16
)

// Config says what a [Core] is. Zero durations and counts mean the defaults.
type Config struct {
	// Self is this node. It must be given.
	Self overlay.Node
	// Meta is this node's metadata, for all to see.
	Meta string
	// Interval is the time between exchanges, half to one and a half of it.
	Interval time.Duration
	// Timeout is how long an answer is waited for.
	Timeout time.Duration
	// Doubt is how long a member stays one of whose death, not news, was heard
	// in an exchange.
	Doubt time.Duration
	// Pause is the least time between two broadcasts of a node about itself.
	Pause time.Duration
	// Forget is how long the dead are remembered, ForgetLeft those who have
	// left. They must be the same on all nodes.
	Forget, ForgetLeft time.Duration
	// TryMin and TryMax bound the wait before one node is tried again, TryEvery
	// that between any two.
	TryMin, TryMax, TryEvery time.Duration
	// Farewell is how many members are told directly of a departure.
	Farewell int
	// MaxMembers is how many names are remembered, MaxTombstones how many of the
	// dead among them. If there are more, those go first that would be forgotten
	// first.
	MaxMembers, MaxTombstones int
	// MaxMeta is how many bytes of metadata a node may have, MaxValue a register.
	// They must be the same on all nodes.
	MaxMeta, MaxValue int
	// MaxFacts is how many facts one message has.
	MaxFacts int
	// Registers are the names of all registers, 16 at most. [Topology] is one of
	// them, whether it is named or not.
	Registers []string
	// Window is within what time members must fall silent to be behind the same
	// partition, SplitMin how many, and SplitPercent how many of a hundred.
	Window                 time.Duration
	SplitMin, SplitPercent int
	// Settle is how long nothing more must have happened before it is said.
	Settle time.Duration
	// MaxReports is how often one partition is said again.
	MaxReports int
	// Pool keeps what this Core and others know, each of it once, if they are used by
	// one goroutine at a time, as in a simulation. Nil, and this one keeps its own.
	Pool *Pool
	// Rand jitters waits and picks partners. It must be given, and belongs to
	// the Core from then on.
	Rand *rand.Rand
}

func (c *Config) setDefaults() {
	c.Interval = cmp.Or(c.Interval, DefaultInterval)
	c.Timeout = cmp.Or(c.Timeout, DefaultTimeout)
	c.Doubt = cmp.Or(c.Doubt, DefaultDoubt)
	c.Pause = cmp.Or(c.Pause, DefaultPause)
	c.Forget = cmp.Or(c.Forget, DefaultForget)
	c.ForgetLeft = cmp.Or(c.ForgetLeft, DefaultForgetLeft)
	c.TryMin = cmp.Or(c.TryMin, DefaultTryMin)
	c.TryMax = cmp.Or(c.TryMax, DefaultTryMax)
	c.TryEvery = cmp.Or(c.TryEvery, DefaultTryEvery)
	c.Farewell = cmp.Or(c.Farewell, DefaultFarewell)
	c.MaxMembers = cmp.Or(c.MaxMembers, DefaultMaxMembers)
	c.MaxTombstones = cmp.Or(c.MaxTombstones, DefaultMaxTombstones)
	c.MaxMeta = cmp.Or(c.MaxMeta, DefaultMaxMeta)
	c.MaxValue = cmp.Or(c.MaxValue, DefaultMaxValue)
	c.MaxFacts = cmp.Or(c.MaxFacts, DefaultMaxFacts)
	c.Window = cmp.Or(c.Window, DefaultWindow)
	c.SplitMin = cmp.Or(c.SplitMin, DefaultSplitMin)
	c.SplitPercent = cmp.Or(c.SplitPercent, DefaultSplitPercent)
	c.Settle = cmp.Or(c.Settle, DefaultSettle)
	c.MaxReports = cmp.Or(c.MaxReports, DefaultMaxReports)
	c.Registers = slices.Concat(c.Registers, []string{Topology})
	slices.Sort(c.Registers)
	c.Registers = slices.Compact(c.Registers)
}

// Valid reports all mistakes in c at once. [New] calls it, after it has put the
// defaults in.
func (c *Config) Valid() error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf("directory: "+format, args...)) }
	if err := validNode(c.Self); err != nil {
		errs = append(errs, err)
	}
	if c.Rand == nil {
		errs = append(errs, errors.New("directory: Config.Rand is missing"))
	}
	for _, d := range []time.Duration{
		c.Interval, c.Timeout, c.Doubt, c.Pause, c.Forget, c.ForgetLeft, c.TryMin, c.TryMax, c.TryEvery, c.Window, c.Settle,
	} {
		if d < 0 {
			wrong("a duration is negative: %v", d)
		}
	}
	for _, n := range []int{c.Farewell, c.MaxMembers, c.MaxTombstones, c.MaxMeta, c.MaxValue, c.MaxFacts, c.SplitMin, c.MaxReports} {
		if n < 0 {
			wrong("a limit is negative: %d", n)
		}
	}
	if c.TryMax > 0 && c.TryMin > c.TryMax {
		wrong("Config.TryMin %v is more than TryMax %v", c.TryMin, c.TryMax)
	}
	if c.MaxTombstones > 0 && c.MaxMembers > 0 && c.MaxTombstones >= c.MaxMembers {
		wrong("Config.MaxTombstones %d leaves no place for members, MaxMembers is %d", c.MaxTombstones, c.MaxMembers)
	}
	if c.MaxFacts > hardMaxFacts {
		wrong("Config.MaxFacts %d is more than %d", c.MaxFacts, hardMaxFacts)
	}
	if c.MaxFacts > 0 && c.MaxFacts < leaf {
		wrong("Config.MaxFacts %d is less than %d", c.MaxFacts, leaf)
	}
	if c.MaxMeta > 0 && len(c.Meta) > c.MaxMeta {
		wrong("Config.Meta has %d bytes, more than %d", len(c.Meta), c.MaxMeta)
	}
	if len(c.Registers) > maxRegisters {
		wrong("Config.Registers has %d names, more than %d", len(c.Registers), maxRegisters)
	}
	if c.SplitMin == 1 || c.SplitPercent < 0 || c.SplitPercent > 100 {
		wrong("Config.SplitMin %d is less than 2, or SplitPercent %d not within 1 and 100", c.SplitMin, c.SplitPercent)
	}
	if c.Forget > 0 && c.Doubt > c.Forget/8 {
		wrong("Config.Doubt %v is more than an eighth of Forget, %v", c.Doubt, c.Forget)
	}
	return errors.Join(errs...)
}
