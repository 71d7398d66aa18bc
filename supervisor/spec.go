package supervisor

import (
	"errors"
	"fmt"
	"time"
)

// Strategy says who is restarted with a child that has ended.
type Strategy uint8

// The strategies of OTP's supervisor.
const (
	// OneForOne restarts the child that has ended, and no other.
	OneForOne Strategy = iota
	// OneForAll stops all other children and restarts them all: for children
	// that cannot do without each other.
	OneForAll
	// RestForOne stops the children that stand after the one that has ended
	// and restarts it and them: for children of which later ones need earlier
	// ones.
	RestForOne
	// SimpleOneForOne is OneForOne for any number of children made from one
	// template; see [StartInstance]. They have no IDs, and a supervisor that
	// ends stops them all at the same time.
	SimpleOneForOne
)

// String returns OTP's name, such as "one_for_all".
func (s Strategy) String() string {
	switch s {
	case OneForOne:
		return "one_for_one"
	case OneForAll:
		return "one_for_all"
	case RestForOne:
		return "rest_for_one"
	case SimpleOneForOne:
		return "simple_one_for_one"
	}
	return fmt.Sprintf("Strategy(%d)", uint8(s))
}

// AutoShutdown says whether a supervisor ends when its significant children
// have. A significant child counts when it has ended and is not restarted, by
// itself: not when it was stopped by [TerminateChild] or for a sibling's sake.
type AutoShutdown uint8

// The modes of automatic shutdown.
const (
	// Never is the default. No child may be significant then.
	Never AutoShutdown = iota
	// AnySignificant ends the supervisor with the first significant child.
	AnySignificant
	// AllSignificant ends the supervisor with the last significant child.
	AllSignificant
)

// String returns OTP's name, such as "any_significant".
func (a AutoShutdown) String() string {
	switch a {
	case Never:
		return "never"
	case AnySignificant:
		return "any_significant"
	case AllSignificant:
		return "all_significant"
	}
	return fmt.Sprintf("AutoShutdown(%d)", uint8(a))
}

// DefaultPeriod is the Period of a [Spec] that names none. It is OTP's.
const DefaultPeriod = 5 * time.Second

// Spec says what a supervisor is: OTP's supervisor flags and child
// specifications. The zero Spec is a supervisor without children, to which
// some can be added with [StartChild]; it tolerates one restart in five
// seconds.
//
// A Spec is only read: the same one can make any number of supervisors.
type Spec struct {
	// Strategy says who is restarted with a child that has ended.
	Strategy Strategy
	// Intensity and Period say how many restarts within how long are too many:
	// the supervisor then stops its children and ends with [ErrIntensity], for
	// its own supervisor to deal with. Zero values mean one restart and
	// [DefaultPeriod].
	Intensity Intensity
	Period    time.Duration
	// AutoShutdown says whether the supervisor ends with its significant
	// children.
	AutoShutdown AutoShutdown
	// Children are started in this order and stopped in the reverse one. With
	// SimpleOneForOne there is exactly one, the template; it is not started.
	Children []ChildSpec
	// Seed seeds the jitter of the children's Backoff. Zero means a seed of
	// the supervisor's own choice.
	Seed uint64
}

// Validate reports every mistake in s at once, each by name; the errors wrap
// [ErrSpec]. What the children's start functions will do it cannot know.
func (s Spec) Validate() error {
	var errs []error
	report := func(format string, args ...any) { errs = append(errs, specError(format, args...)) }
	if s.Strategy > SimpleOneForOne {
		report("%v is not a strategy", s.Strategy)
	}
	if n := s.Intensity.max(); n < 0 {
		report("Intensity AtMost(%d) is negative", n)
	}
	if s.Period < 0 {
		report("Period %v is negative", s.Period)
	}
	if s.AutoShutdown > AllSignificant {
		report("%v is not a mode of automatic shutdown", s.AutoShutdown)
	}
	if s.Strategy == SimpleOneForOne {
		if s.AutoShutdown != Never {
			report("AutoShutdown %v cannot go with SimpleOneForOne", s.AutoShutdown)
		}
		if len(s.Children) != 1 {
			report("SimpleOneForOne needs exactly one child, the template; there are %d", len(s.Children))
		}
	}
	seen := make(map[string]bool, len(s.Children))
	for i := range s.Children {
		c := &s.Children[i]
		if seen[c.ID] {
			report("child %q: another child has the same ID", c.ID)
		}
		seen[c.ID] = true
		errs = append(errs, c.mistakes(s.AutoShutdown)...)
	}
	return errors.Join(errs...)
}

func specError(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrSpec}, args...)...)
}

// period returns s.Period or its default.
func (s *Spec) period() time.Duration {
	if s.Period == 0 {
		return DefaultPeriod
	}
	return s.Period
}
