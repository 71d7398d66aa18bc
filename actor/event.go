package actor

import (
	"sync"
	"sync/atomic"
)

// Event is something that happened in a [System] and that a person or a metric
// may want to know: a [DeadLetter], [ProcessExited], [ZombieFound] or
// [ZombieReturned]. The set is closed within this package.
type Event interface{ event() }

// DeadLetter is a message that nobody will handle.
type DeadLetter struct {
	// To is where it was sent, or where it lay when its process ended.
	To Address
	// From is the sending process; zero if it was sent from elsewhere or is
	// not known.
	From PID
	// Message is the message itself. It must not be changed.
	Message any
	// Reason is ErrNoProc, ErrMailboxFull, ErrNoConnection or another error
	// of delivery.
	Reason error
}

// ProcessExited is the end of a process, after its links and monitors fired.
type ProcessExited struct {
	PID    PID
	Parent PID
	Reason error
}

// ZombieFound is a killed process that did not return within the kill grace.
type ZombieFound struct{ PID PID }

// ZombieReturned is the end of a zombie's goroutine.
type ZombieReturned struct{ PID PID }

func (DeadLetter) event()     {}
func (ProcessExited) event()  {}
func (ZombieFound) event()    {}
func (ZombieReturned) event() {}

// observers is the list of functions that want events.
type observers struct {
	list atomic.Pointer[[]*observer]
	mu   sync.Mutex // held while the list is replaced
}

type observer struct{ f func(Event) }

// Observe calls f for every [Event] from now on, until cancel is called; an
// event that is being reported at that moment may still arrive. f is called on
// the goroutine that caused the event, by many at once and inside of what they
// are about, so it must be safe for concurrent use, quick, and must neither
// panic, nor wait for any process, nor send to one on another node: a process of
// its own or a goroutine may.
func (s *System) Observe(f func(Event)) (cancel func()) {
	o := &observer{f}
	s.observers.replace(func(list []*observer) []*observer { return append(list, o) })
	return func() {
		s.observers.replace(func(list []*observer) []*observer {
			kept := list[:0]
			for _, other := range list {
				if other != o {
					kept = append(kept, other)
				}
			}
			return kept
		})
	}
}

func (o *observers) replace(change func([]*observer) []*observer) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var list []*observer
	if old := o.list.Load(); old != nil {
		list = append(list, *old...)
	}
	list = change(list)
	if len(list) == 0 {
		o.list.Store(nil)
		return
	}
	o.list.Store(&list)
}

// observed reports whether anybody wants events, so that none need be made.
func (o *observers) observed() bool { return o.list.Load() != nil }

func (o *observers) report(e Event) {
	if list := o.list.Load(); list != nil {
		for _, ob := range *list {
			ob.f(e)
		}
	}
}
