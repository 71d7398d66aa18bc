package main

import (
	"context"
	"encoding/binary"
	"sync"
	"sync/atomic"
	"time"

	"github.com/topos-go/topos/actor"
)

// source sends numbered messages to one process on another node.
type source struct {
	to      actor.PID
	perSec  int
	sent    uint64
	refused int // sends with an error, which are tried again
}

// tick is how often a source sends what is due.
const tick = 5 * time.Millisecond

// run sends until ctx ends. What could not be sent in time is not made up for by more
// than a second's worth.
func (s *source) run(ctx context.Context, from actor.Sender) {
	t := time.NewTicker(tick)
	defer t.Stop()
	began, base := time.Now(), uint64(0)
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		due := uint64(time.Since(began).Seconds()*float64(s.perSec)) + base
		if behind := due - s.sent; due > s.sent && behind > uint64(s.perSec) {
			began, base = time.Now(), s.sent
			due = s.sent + uint64(s.perSec)
		}
		for s.sent < due {
			msg := binary.LittleEndian.AppendUint64(nil, s.sent)
			if err := from.Send(s.to, msg, actor.Ack()); err != nil {
				s.refused++
				break // the same number again at the next tick
			}
			s.sent++
			if ctx.Err() != nil {
				return
			}
		}
	}
}

// arrived is what a sink has counted.
type arrived struct {
	From      int
	Count     uint64 // messages, each number once
	Reordered uint64 // after a later one
	Repeated  uint64 // again
	// Pauses are the longest times between two arrivals in each phase; a pause
	// belongs to the phase in which it ends.
	Pauses []time.Duration
}

// sink counts the messages of one source. It is made with newSink.
type sink struct {
	phase *atomic.Int64

	mu      sync.Mutex
	next    uint64
	missing map[uint64]bool // less than next, and not arrived
	last    time.Time
	got     arrived
}

func newSink(from int, phase *atomic.Int64) *sink {
	return &sink{phase: phase, missing: make(map[uint64]bool), got: arrived{From: from}}
}

// Receive counts a message.
func (s *sink) Receive(_ *actor.Self, msg any) error {
	number := binary.LittleEndian.Uint64(msg.([]byte))
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count(number, now, int(s.phase.Load()))
	return nil
}

func (s *sink) count(number uint64, now time.Time, phase int) {
	switch {
	case number >= s.next:
		for ; s.next < number; s.next++ {
			s.missing[s.next] = true
		}
		s.next++
		s.got.Count++
	case s.missing[number]:
		delete(s.missing, number)
		s.got.Count++
		s.got.Reordered++
	default:
		s.got.Repeated++
	}
	for len(s.got.Pauses) <= phase {
		s.got.Pauses = append(s.got.Pauses, 0)
	}
	if !s.last.IsZero() {
		s.got.Pauses[phase] = max(s.got.Pauses[phase], now.Sub(s.last))
	}
	s.last = now
}

// arrived returns what has been counted so far. A pause that has not ended counts as
// if it ended now, in the given phase.
func (s *sink) arrived(now time.Time, phase int, flowing bool) arrived {
	s.mu.Lock()
	defer s.mu.Unlock()
	got := s.got
	got.Pauses = append(make([]time.Duration, 0, phase+1), got.Pauses...)
	for len(got.Pauses) <= phase {
		got.Pauses = append(got.Pauses, 0)
	}
	if flowing {
		got.Pauses[phase] = max(got.Pauses[phase], now.Sub(s.last))
	}
	return got
}
