package session

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"
	"time"
)

// script is bytes that are read as numbers, until there are no more.
type script struct{ rest []byte }

func (s *script) byte() byte {
	if len(s.rest) == 0 {
		return 0
	}
	b := s.rest[0]
	s.rest = s.rest[1:]
	return b
}

// number returns a number near another one, or any.
func (s *script) number(near uint64) uint64 {
	b := s.byte()
	if b < 250 {
		return near + uint64(b) - 100
	}
	var buf [8]byte
	s.rest = s.rest[copy(buf[:], s.rest):]
	return binary.LittleEndian.Uint64(buf[:])
}

func (s *script) pause() time.Duration {
	b := s.byte()
	return time.Duration(b%16) << (b / 8) // up to 16 seconds
}

// FuzzReceiver gives anything to a receiver. Nothing may panic, no number be
// delivered twice or, in order, after a higher one, and no limit be passed.
func FuzzReceiver(f *testing.F) {
	f.Add(false, []byte{0, 102, 101, 1, 0, 101, 101, 1})
	f.Add(true, []byte{0, 110, 101, 1, 0, 105, 101, 1, 1, 107, 2, 0})
	f.Fuzz(func(t *testing.T, unordered bool, data []byte) {
		cfg := Config{Unordered: unordered, Window: 20, WindowBytes: 100, AckEvery: 3}
		r, err := NewReceiver[uint64](cfg)
		if err != nil {
			t.Fatal(err)
		}
		now, in := epoch, script{data}
		seen, last := make(map[uint64]bool), uint64(0)
		for len(in.rest) > 0 {
			var items []uint64
			var err error
			next := r.next
			switch in.byte() % 4 {
			case 0:
				seq, oldest := in.number(next), in.number(next)
				items, err = r.Receive(now, seq, oldest, seq, int(int8(in.byte())))
			case 1:
				items, err = r.Skip(now, in.number(next))
			case 2:
				now = now.Add(in.pause())
			case 3:
				if ack, ok := r.Ack(now); ok {
					if err := ack.valid(endOfNumbers + 1); err != nil || len(ack.Ranges) > 0 && ack.Ranges[0].First < r.next+1 {
						t.Fatalf("%+v: %v", ack, err)
					}
				}
			}
			if err != nil && (!errors.Is(err, ErrMalformed) || r.next != next || len(items) > 0) {
				t.Fatalf("%v, and next went from %d to %d", err, next, r.next)
			}
			for _, seq := range items {
				if seen[seq] || !unordered && seq <= last {
					t.Fatalf("delivered %d after %d", seq, last)
				}
				seen[seq], last = true, seq
			}
			if err := r.valid(); err != nil {
				t.Fatal(err)
			}
			if r.next < next || r.Deadline().After(now.Add(r.cfg.AckDelay)) {
				t.Fatalf("next went from %d to %d, an ack is due at %v", next, r.next, r.Deadline())
			}
		}
	})
}

// FuzzSender lets anything acknowledge what a sender has sent. Nothing may
// panic, no limit be passed, and every message must be retained, acknowledged or
// given up, the latter once. A refused ack changes nothing.
func FuzzSender(f *testing.F) {
	f.Add(false, []byte{0, 1, 0, 1, 0, 1, 1, 99, 1, 101, 1, 2, 200})
	f.Add(true, []byte{0, 1, 0, 1, 1, 99, 2, 101, 1, 2, 3, 4, 200, 3, 4, 200})
	f.Fuzz(func(t *testing.T, unordered bool, data []byte) {
		cfg := Config{Unordered: unordered, Window: 20, WindowBytes: 100, Attempts: 3, MaxAge: time.Minute}
		s, err := NewSender[uint64](cfg, rand.New(rand.NewPCG(1, 2)))
		if err != nil {
			t.Fatal(err)
		}
		now, in := epoch, script{data}
		gaveUp, sent := make(map[uint64]bool), make(map[uint64]bool)
		for len(in.rest) > 0 {
			before := *s
			var e Effects[uint64]
			switch in.byte() % 8 {
			case 0:
				var seq uint64
				seq, e, err = s.Push(now, s.next, int(int8(in.byte())))
				if (err == nil) != (seq == before.next && s.next == seq+1) {
					t.Fatalf("push: %d, %v", seq, err)
				}
			case 1:
				var ack Ack
				ack, e, err = in.ack(s, now)
				if err != nil && (!errors.Is(err, ErrMalformed) && !errors.Is(err, ErrNeverSent) || s.base != before.base || s.bytes != before.bytes || s.acked != before.acked || !e.Empty()) {
					t.Fatalf("%+v: %v", ack, err)
				}
			case 2, 3:
				now = now.Add(in.pause())
				e = s.Tick(now)
				if d := s.Deadline(); !d.IsZero() && !d.After(now) {
					t.Fatalf("it is %v, and the deadline %v", now, d)
				}
			case 4:
				now = now.Add(in.pause())
			case 5:
				s.Down(now)
			case 6:
				e = s.Reconnected(now)
			case 7:
				if in.byte() == 7 {
					e = s.Close(now, nil)
				}
			}
			for _, g := range e.GaveUp {
				if gaveUp[g.Seq] || g.Seq >= s.base || g.Item != g.Seq && !unordered || g.Transmitted != sent[g.Seq] {
					t.Fatalf("gave up %+v", g)
				}
				gaveUp[g.Seq] = true
			}
			for _, m := range e.Transmit {
				if m.Seq < s.base || m.Item != m.Seq || m.Oldest > m.Seq || before.closed != nil {
					t.Fatalf("transmitted %+v", m)
				}
				sent[m.Seq] = true
			}
			if err := s.valid(); err != nil {
				t.Fatal(err)
			}
			if st := s.Stats(); s.next-1 != st.Pushed || !unordered && st.Pushed != st.Acked+st.GaveUp+uint64(s.Retained()) {
				t.Fatalf("%d retained, %+v", s.Retained(), st)
			}
		}
	})
}

// ack reads an ack and gives it to the sender.
func (s *script) ack(to *Sender[uint64], now time.Time) (Ack, Effects[uint64], error) {
	ack := Ack{Cumulative: s.number(to.acked)}
	at := ack.Cumulative
	for range s.byte() % 20 {
		r := Range{First: s.number(at)}
		r.Last = s.number(r.First)
		ack.Ranges, at = append(ack.Ranges, r), r.Last
	}
	e, err := to.Acked(now, ack)
	return ack, e, err
}

// FuzzTable gives anything to both sides of a small table.
func FuzzTable(f *testing.F) {
	f.Add([]byte{0, 1, 1, 0, 2, 1, 1, 1, 101, 101, 1, 2, 1, 101, 5, 9, 4, 0, 200})
	f.Fuzz(func(t *testing.T, data []byte) {
		table, err := NewTable[byte, int](TableConfig[byte]{
			Stream: Config{Window: 10, WindowBytes: 50}, Unordered: func(k byte) bool { return k%2 == 1 },
			MaxStreams: 3, MaxBytes: 80, Forget: time.Second, Rand: rand.New(rand.NewPCG(1, 2)),
		})
		if err != nil {
			t.Fatal(err)
		}
		now, in := epoch, script{data}
		highest := make(map[byte]uint64)
		for len(in.rest) > 0 {
			key, op := in.byte()%5, in.byte()%9
			switch op {
			case 0:
				seq, _, err := table.Push(now, key, 0, int(in.byte()%60))
				if err == nil && seq <= highest[key] {
					t.Fatalf("number %d of stream %d after %d", seq, key, highest[key])
				}
				highest[key] = max(highest[key], seq)
			case 1:
				_, _ = table.Receive(now, key, in.number(1), in.number(1), 0, int(in.byte()%60))
			case 2:
				ack := Ack{Cumulative: in.number(highest[key])}
				if in.byte()%2 == 0 {
					ack.Ranges = []Range{{First: in.number(ack.Cumulative), Last: in.number(highest[key])}}
				}
				_, _ = table.Acked(now, key, ack)
			case 3:
				_, _ = table.Skip(now, key, in.number(1))
			case 4, 5:
				now = now.Add(in.pause())
				table.Tick(now)
				table.Acks(now)
				if d := table.Deadline(); !d.IsZero() && !d.After(now) {
					t.Fatalf("it is %v, and the deadline %v", now, d)
				}
			case 6:
				table.Down(now)
			case 7:
				table.Reconnected(now)
			case 8:
				if in.byte() == 8 {
					table.Close(now, nil)
				}
			}
			if err := table.valid(); err != nil {
				t.Fatal(err)
			}
		}
	})
}
