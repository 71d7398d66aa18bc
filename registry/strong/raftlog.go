package strong

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/hashicorp/go-hclog"
)

// raftLogger returns a logger for raft that writes to l. What raft reports of
// its everyday life, also as warnings and errors, is for debugging here:
// failures to reach a node among them.
func raftLogger(l *slog.Logger) hclog.Logger {
	logger := hclog.NewInterceptLogger(&hclog.LoggerOptions{Name: "raft", Level: hclog.Off, Output: io.Discard})
	logger.RegisterSink(sink{l})
	return logger
}

// sink implements hclog.SinkAdapter.
type sink struct{ to *slog.Logger }

// Accept implements hclog.SinkAdapter.
func (s sink) Accept(_ string, level hclog.Level, msg string, args ...any) {
	ctx := context.Background()
	if !s.to.Enabled(ctx, slog.LevelDebug) {
		return
	}
	for i, a := range args {
		if f, ok := a.(hclog.Format); ok && len(f) > 0 {
			args[i] = fmt.Sprintf(fmt.Sprint(f[0]), f[1:]...)
		}
	}
	s.to.DebugContext(ctx, "raft: "+msg, append([]any{"level", level.String()}, args...)...)
}
