package actortest_test

import (
	"fmt"
	"runtime"
	"slices"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeTB is a test that is allowed to fail.
type fakeTB struct {
	testing.TB
	failures []string
	cleanups []func()
}

func (f *fakeTB) Helper()           {}
func (f *fakeTB) Cleanup(fn func()) { f.cleanups = append(f.cleanups, fn) }
func (f *fakeTB) Failed() bool      { return len(f.failures) > 0 }
func (f *fakeTB) Errorf(format string, args ...any) {
	f.failures = append(f.failures, fmt.Sprintf(format, args...))
}

func (f *fakeTB) Fatalf(format string, args ...any) {
	f.Errorf(format, args...)
	runtime.Goexit()
}

// run runs body as a test and returns how it failed.
func run(body func(t testing.TB)) (failures []string) {
	f := new(fakeTB)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			for len(f.cleanups) > 0 {
				last := f.cleanups[len(f.cleanups)-1]
				f.cleanups = slices.Delete(f.cleanups, len(f.cleanups)-1, len(f.cleanups))
				last()
			}
		}()
		body(f)
	}()
	<-done
	return f.failures
}
