package supervisor

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/topos-go/topos/actor"
)

// Restart says after which ends a child is restarted.
type Restart uint8

// OTP's restart types.
const (
	// Permanent children are always restarted. It is the default.
	Permanent Restart = iota
	// Transient children are restarted when they end abnormally: with a reason
	// other than actor.ErrNormal and actor.ErrShutdown, or one that wraps them.
	Transient
	// Temporary children are never restarted, not even when they were stopped
	// for a sibling's sake. They are forgotten when they have ended.
	Temporary
)

// String returns OTP's name, such as "transient".
func (r Restart) String() string {
	switch r {
	case Permanent:
		return "permanent"
	case Transient:
		return "transient"
	case Temporary:
		return "temporary"
	}
	return fmt.Sprintf("Restart(%d)", uint8(r))
}

// Type says whether a child is a supervisor itself.
type Type uint8

// The types of children.
const (
	Worker Type = iota
	Supervisor
)

// String returns OTP's name, "worker" or "supervisor".
func (t Type) String() string {
	switch t {
	case Worker:
		return "worker"
	case Supervisor:
		return "supervisor"
	}
	return fmt.Sprintf("Type(%d)", uint8(t))
}

// OnZombie says what to do about a child that was killed and whose handler has
// not returned within the system's kill grace. Go cannot stop a goroutine: such
// a child may go on running, though nothing that it sends arrives any more.
type OnZombie uint8

const (
	// RestartBeside treats the zombie as ended: its replacement is started
	// beside it. It is the default.
	RestartBeside OnZombie = iota
	// Escalate ends the supervisor with a [*ZombieError]: for children that
	// must not run twice, because they own a file, a port or a device.
	Escalate
)

// String returns "restart_beside" or "escalate".
func (z OnZombie) String() string {
	switch z {
	case RestartBeside:
		return "restart_beside"
	case Escalate:
		return "escalate"
	}
	return fmt.Sprintf("OnZombie(%d)", uint8(z))
}

// Values of [ChildSpec.Shutdown] besides durations.
const (
	// BrutalKill kills the child at once, without its Terminate.
	BrutalKill time.Duration = -1
	// Infinity waits for the child however long it takes.
	Infinity time.Duration = math.MaxInt64
)

// DefaultShutdown is the Shutdown of a worker whose ChildSpec names none. It is
// OTP's.
const DefaultShutdown = 5 * time.Second

// ChildSpec says how one child is started, restarted and stopped. ID and Start
// are mandatory; the rest has OTP's defaults as zero values.
type ChildSpec struct {
	// ID names the child within its supervisor.
	ID string
	// Start starts the child and links it to the supervisor. It runs on the
	// supervisor's goroutine, and so does the Init of what it spawns: the
	// supervisor does nothing else until it returns. An error that wraps
	// actor.ErrIgnore means that the child is not wanted now; it is kept
	// without a process, unless it is Temporary.
	Start actor.StartFunc
	// Restart says after which ends the child is restarted.
	Restart Restart
	// Shutdown is how long the child may take to end after it was told to with
	// actor.ErrShutdown; then it is killed. [BrutalKill] kills it without
	// asking, [Infinity] waits. Zero means DefaultShutdown for a Worker and
	// Infinity for a Supervisor.
	Shutdown time.Duration
	// Type is Supervisor for a child that is one itself. It decides the
	// default of Shutdown and how CountChildren counts.
	Type Type
	// Significant children take part in the supervisor's AutoShutdown. They
	// cannot be Permanent.
	Significant bool
	// Backoff puts time between restarts. The zero Backoff restarts at once.
	Backoff Backoff
	// OnZombie says what to do if the child cannot be killed.
	OnZombie OnZombie
}

// Validate reports every mistake in c at once, each by name, for a child of a
// supervisor with the given mode of automatic shutdown. The errors wrap
// [ErrSpec].
func (c ChildSpec) Validate(auto AutoShutdown) error { return errors.Join(c.mistakes(auto)...) }

func (c *ChildSpec) mistakes(auto AutoShutdown) []error {
	var errs []error
	report := func(format string, args ...any) {
		errs = append(errs, specError("child %q: "+format, append([]any{c.ID}, args...)...))
	}
	if c.ID == "" {
		report("no ID")
	}
	if c.Start == nil {
		report("no Start")
	}
	if c.Restart > Temporary {
		report("%v is not a restart type", c.Restart)
	}
	if c.Shutdown < 0 && c.Shutdown != BrutalKill {
		report("Shutdown %v is negative", c.Shutdown)
	}
	if c.Type > Supervisor {
		report("%v is not a type of child", c.Type)
	}
	if c.Significant && auto == Never {
		report("Significant needs an AutoShutdown other than Never")
	}
	if c.Significant && c.Restart == Permanent {
		report("Significant cannot be Permanent")
	}
	if c.OnZombie > Escalate {
		report("%v is not a way to treat zombies", c.OnZombie)
	}
	for _, m := range c.Backoff.mistakes() {
		report("%s", m)
	}
	return errs
}

// shutdown returns c.Shutdown or its default.
func (c *ChildSpec) shutdown() time.Duration {
	switch {
	case c.Shutdown != 0:
		return c.Shutdown
	case c.Type == Supervisor:
		return Infinity
	}
	return DefaultShutdown
}

// withDefaults returns c with its defaults written out.
func (c ChildSpec) withDefaults() ChildSpec {
	c.Shutdown = c.shutdown()
	return c
}
