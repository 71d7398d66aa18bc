package clustertest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/topos-go/topos"
	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/clustertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The messages of these tests.
type (
	Say  struct{ Text string }
	Echo struct{ Text string }
)

// ear is a process that remembers what it is told, and answers an Echo.
type ear struct {
	mu   sync.Mutex
	said []string
}

func (e *ear) Receive(self *actor.Self, msg any) error {
	switch m := msg.(type) {
	case Say:
		e.mu.Lock()
		e.said = append(e.said, m.Text)
		e.mu.Unlock()
	case Echo:
		return self.Reply(m.Text)
	}
	return nil
}

// heard returns all it was told.
func (e *ear) heard() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return strings.Join(e.said, " ")
}

// listen starts an ear on a node.
func listen(t testing.TB, node *topos.Node) (actor.PID, *ear) {
	t.Helper()
	e := new(ear)
	pid, err := node.Spawn(context.Background(), e)
	if err != nil {
		t.Fatal(err)
	}
	return pid, e
}

func say(t testing.TB, from *topos.Node, to actor.Address, text string, opts ...actor.SendOption) {
	t.Helper()
	if err := from.Send(to, Say{text}, opts...); err != nil {
		t.Fatalf("say %q: %v", text, err)
	}
}

// expect checks what an ear has heard when everything has settled.
func expect(t testing.TB, c *clustertest.Cluster, e *ear, want string) {
	t.Helper()
	c.Settle()
	if got := e.heard(); got != want {
		t.Fatalf("heard %q, want %q", got, want)
	}
}

// echo calls an ear, which must answer in time.
func echo(from *topos.Node, to actor.Address, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	got, err := actor.Call[string](ctx, from, to, Echo{"x"})
	if err == nil && got != "x" {
		err = fmt.Errorf("the answer is %q", got)
	}
	return err
}

// run is a cluster that knows these messages.
func run(t *testing.T, n int, f func(t *testing.T, c *clustertest.Cluster), opts ...clustertest.Option) {
	t.Helper()
	clustertest.Run(t, n, f, append(opts, clustertest.Types(Say{}, Echo{}))...)
}

// fakeTB is a test that is allowed to fail. Folders are those of a real one.
type fakeTB struct {
	testing.TB
	mu       sync.Mutex
	failures []string
	logs     []string
	cleanups []func()
}

func (f *fakeTB) Helper() {}

func (f *fakeTB) Cleanup(fn func()) { f.cleanups = append(f.cleanups, fn) }

func (f *fakeTB) Failed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.failures) > 0
}

func (f *fakeTB) Errorf(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failures = append(f.failures, fmt.Sprintf(format, args...))
}

func (f *fakeTB) Fatalf(format string, args ...any) {
	f.Errorf(format, args...)
	runtime.Goexit()
}

func (f *fakeTB) Log(args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.logs = append(f.logs, fmt.Sprint(args...))
}

func (f *fakeTB) Output() io.Writer { return io.Discard }

// pretend runs body as a test that may fail, and returns how it did.
func pretend(f *fakeTB, body func(t testing.TB)) (failures, logs []string) {
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
	return f.failures, f.logs
}

// lost reports whether err says that the other node is gone.
func lost(err error) bool { return errors.Is(err, actor.ErrNoConnection) }

// exists reports whether there is such a file.
func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
