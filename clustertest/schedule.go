package clustertest

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"
)

// maxSchedule is how many entries of a schedule are kept: more than anybody
// reads. The last ones say how it came to the failure.
const maxSchedule = 10_000

// schedule is what was done to a cluster, and when. It is safe for concurrent
// use.
type schedule struct {
	seed  uint64
	begun time.Time

	mu      sync.Mutex
	entries []string
	left    int // entries that are not kept
	closed  bool
}

func newSchedule(seed uint64) *schedule { return &schedule{seed: seed, begun: time.Now()} }

// clock is the time since the cluster began.
func (s *schedule) clock(at time.Time) string { return "+" + at.Sub(s.begun).String() }

// note adds an entry with the time now.
func (s *schedule) note(format string, args ...any) {
	entry := fmt.Sprintf("  %-12s ", s.clock(time.Now())) + fmt.Sprintf(format, args...)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.entries) >= maxSchedule {
		s.left++
		s.entries = s.entries[1:]
	}
	s.entries = append(s.entries, entry)
}

// String tells everything, for people.
func (s *schedule) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	fmt.Fprintf(&b, "clustertest: seed %d; draw the same again with clustertest.Seed or %s=%d\nschedule:", s.seed, SeedEnv, s.seed)
	if s.left > 0 {
		fmt.Fprintf(&b, "\n  (%d earlier entries are not kept)", s.left)
	}
	for _, entry := range s.entries {
		b.WriteString("\n" + entry)
	}
	return b.String()
}

// logger returns what nodes log with: lines that appear if the test fails, with
// the schedule's clock.
func (s *schedule) logger(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(&outlet{s, t.Output()}, &slog.HandlerOptions{
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) == 0 && a.Key == slog.TimeKey {
				return slog.String(slog.TimeKey, s.clock(a.Value.Time()))
			}
			return a
		},
	}))
}

// close ends the loggers: what a handler that never returned has to say after
// the test would end the whole test binary.
func (s *schedule) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
}

// outlet is a test's output, until the test ends.
type outlet struct {
	schedule *schedule
	out      io.Writer
}

func (o *outlet) Write(b []byte) (int, error) {
	o.schedule.mu.Lock()
	defer o.schedule.mu.Unlock()
	if o.schedule.closed {
		return len(b), nil
	}
	return o.out.Write(b)
}
