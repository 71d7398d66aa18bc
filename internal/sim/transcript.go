package sim

import (
	"fmt"
	"io"
	"time"
)

// transcript is told of every event. Its hash is of the same as its text.
type transcript struct {
	out   io.Writer // nil is none
	err   error
	hash  uint64
	lines uint64
}

const (
	offset64 = 14695981039346656037 // FNV-1a's
	prime64  = 1099511628211
)

// Notes that are no events of the queue.
const (
	noteStart kind = iota
	noteStop
	noteBroadcast
	noteDeliver
	noteCut
)

// note writes an event down.
func (w *world) note(e *event) {
	t := &w.log
	t.lines++
	t.word(uint64(e.at))
	t.word(uint64(e.kind)<<56 | uint64(e.protocol)<<48 | uint64(e.flag)<<40 | uint64(e.boot))
	t.word(uint64(uint32(e.to))<<32 | uint64(uint32(e.from)))
	t.word(uint64(uint32(e.link))<<32 | uint64(e.gen))
	if t.out != nil && t.err == nil {
		_, t.err = fmt.Fprintf(t.out, "%v %s to %d/%d from %d link %d.%d flag %d%s\n",
			time.Duration(e.at), e.kind, e.to, e.boot, e.from, e.link, e.gen, e.flag, describe(e.message))
	}
}

func (t *transcript) word(x uint64) { t.hash = mix(t.hash^x) * prime64 }

func describe(m any) string {
	if m == nil {
		return ""
	}
	return fmt.Sprintf(" %T%+v", m, m)
}

// String names a kind.
func (k kind) String() string {
	names := [...]string{
		"timer", "message", "flooded", "dialled", "link-up", "dial-failed", "link-end", "unanswered",
		"probed", "probe-failed", "measured", "judged", "posted", "rejected", "begins",
		"start", "stop", "broadcast", "deliver", "cut",
	}
	return names[k]
}
