package remote

import (
	"log/slog"
	"sync"
	"time"
)

// linesPerSecond bounds the log lines that strangers can cause.
const linesPerSecond = 10

// limiter logs, but not everything: whoever can reach the port must not be able
// to fill the disk.
type limiter struct {
	log *slog.Logger

	mu      sync.Mutex
	second  time.Time
	lines   int
	skipped int
}

func newLimiter(log *slog.Logger) *limiter { return &limiter{log: log} }

func (l *limiter) warn(msg string, attrs ...any) {
	l.mu.Lock()
	if now := time.Now(); now.Sub(l.second) >= time.Second {
		l.second, l.lines = now, 0
	}
	if l.lines == linesPerSecond {
		l.skipped++
		l.mu.Unlock()
		return
	}
	l.lines++
	if l.skipped > 0 {
		attrs = append(attrs, "lines_left_out", l.skipped)
		l.skipped = 0
	}
	l.mu.Unlock()
	l.log.Warn(msg, attrs...)
}
