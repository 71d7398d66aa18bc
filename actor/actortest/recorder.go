package actortest

import (
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
)

// Recorder keeps things in the order in which they came until an expectation
// takes them out. A [Probe] is one; so is what [Observe] returns. Things may
// come from any goroutine, expectations must be on the test's.
type Recorder struct {
	t    testing.TB
	mu   sync.Mutex
	all  []any
	more chan struct{} // capacity 1: something came since the last look
}

// Source is a [*Recorder] or something that embeds one, such as a [*Probe].
type Source interface{ recorder() *Recorder }

func newRecorder(t testing.TB) *Recorder {
	return &Recorder{t: t, more: make(chan struct{}, 1)}
}

func (r *Recorder) recorder() *Recorder { return r }

// Observe records the events of sys, such as [actor.DeadLetter] and
// [actor.ProcessExited], until the test ends.
func Observe(t testing.TB, sys *actor.System) *Recorder {
	r := newRecorder(t)
	t.Cleanup(sys.Observe(func(e actor.Event) { r.add(e) }))
	return r
}

func (r *Recorder) add(item any) {
	r.mu.Lock()
	r.all = append(r.all, item)
	r.mu.Unlock()
	select {
	case r.more <- struct{}{}:
	default:
	}
}

func (r *Recorder) take() (any, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.all) == 0 {
		return nil, false
	}
	item := r.all[0]
	r.all[0] = nil
	r.all = r.all[1:]
	return item, true
}

// next waits for something until timeout fires.
func (r *Recorder) next(timeout <-chan time.Time) (any, bool) {
	for {
		if item, ok := r.take(); ok {
			return item, true
		}
		select {
		case <-r.more:
		case <-timeout:
			return r.take() // it may have come with the timeout
		}
	}
}

// Drain takes out everything that is there now, without waiting.
func (r *Recorder) Drain() []any {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.all
	r.all = nil
	return all
}

// Len is how many things have been recorded and not been taken out.
func (r *Recorder) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.all)
}

// Expect waits for the next thing recorded and returns it. It fails the test if
// nothing comes within timeout or if it is not a T.
func Expect[T any](from Source, timeout time.Duration) T {
	r := from.recorder()
	r.t.Helper()
	item := r.must(reflect.TypeFor[T]().String(), timeout)
	got, ok := item.(T)
	if !ok {
		r.t.Fatalf("got %s, want a %v", describe(item), reflect.TypeFor[T]())
	}
	return got
}

// Await waits for the next T, leaving out everything recorded before it. It
// fails the test if none comes within timeout.
func Await[T any](from Source, timeout time.Duration) T {
	r := from.recorder()
	r.t.Helper()
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	skipped := 0
	for {
		item, ok := r.next(timer.C)
		if !ok {
			r.t.Fatalf("no %v within %v, only %d other things", reflect.TypeFor[T](), timeout, skipped)
		}
		if got, ok := item.(T); ok {
			return got
		}
		skipped++
	}
}

// must returns the next thing or fails the test.
func (r *Recorder) must(want string, timeout time.Duration) any {
	r.t.Helper()
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	item, ok := r.next(timer.C)
	if !ok {
		r.t.Fatalf("nothing within %v, want %s", timeout, want)
	}
	return item
}

// ExpectMessage fails the test unless the next thing recorded comes within
// timeout and is deeply equal to want.
func (r *Recorder) ExpectMessage(want any, timeout time.Duration) {
	r.t.Helper()
	if got := r.must(describe(want), timeout); !reflect.DeepEqual(got, want) {
		r.t.Fatalf("got %s, want %s", describe(got), describe(want))
	}
}

// ExpectNothing fails the test if anything is recorded, or comes within d.
func (r *Recorder) ExpectNothing(d time.Duration) {
	r.t.Helper()
	timer := time.NewTimer(d)
	defer timer.Stop()
	if item, ok := r.next(timer.C); ok {
		r.t.Fatalf("got %s, want nothing", describe(item))
	}
}

func describe(item any) string { return fmt.Sprintf("%T %+v", item, item) }
