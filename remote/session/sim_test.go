package session

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// isUnordered says which streams of simulations are.
func isUnordered(key int) bool { return key%3 == 2 }

// faults are what the network does.
type faults struct {
	Loss, Copy, Stray float64       // chances of a packet: to be lost, doubled, very late
	Delay             time.Duration // at most, but for very late ones
	Break, Mend       float64       // chances in a step that the association ends, and is made again
}

// packet is something on its way.
type packet struct {
	at   time.Time
	id   int
	key  int
	data Transmit[item]
	size int
	skip uint64
	ack  *Ack
}

// sim has two tables and a network between them.
type sim struct {
	rng      *rand.Rand
	cfg      TableConfig[int]
	faults   faults
	from, to *Table[int, item]
	narrow   int // how many times smaller the receivers' windows are
	now      time.Time
	down     bool
	wire     []packet
	sent     int
	sizes    map[item]int
	check    *checker
	err      error
}

func newSim(seed uint64, f faults) *sim {
	rng := rand.New(rand.NewPCG(seed, 1))
	cfg := TableConfig[int]{
		Stream: Config{
			Window: 1 + rng.IntN(24), WindowBytes: 8 + rng.IntN(60),
			RetryMin: 100 * time.Millisecond, RetryMax: time.Second,
			Attempts: 1 + rng.IntN(6), MaxAge: time.Duration(1+rng.IntN(10)) * time.Second,
			AckEvery: 1 + rng.IntN(8), AckDelay: 20 * time.Millisecond,
		},
		Unordered: isUnordered, MaxStreams: 6, MaxBytes: 150,
		Forget: time.Duration(50+rng.IntN(2000)) * time.Millisecond, Rand: rng,
	}
	if rng.IntN(4) == 0 {
		cfg.Stream.Window, cfg.Stream.WindowBytes, cfg.MaxBytes = 40+rng.IntN(160), 1000, 1500
	}
	s := &sim{rng: rng, faults: f, now: epoch, sizes: make(map[item]int), check: newChecker(), narrow: 1}
	if rng.IntN(2) == 0 { // nothing may be given up
		cfg.Stream.Attempts, cfg.Stream.MaxAge = maxAttempts, 24*time.Hour
	}
	s.cfg = cfg
	if rng.IntN(4) == 0 {
		s.narrow = 1 + rng.IntN(4)
		cfg.Stream.Window = (cfg.Stream.Window + s.narrow - 1) / s.narrow
		cfg.Stream.WindowBytes = 1 + cfg.Stream.WindowBytes/s.narrow
		cfg.MaxBytes = 1 + cfg.MaxBytes/s.narrow
	}
	var err1, err2 error
	s.from, err1 = NewTable[int, item](s.cfg)
	s.to, err2 = NewTable[int, item](cfg)
	s.fail(errors.Join(err1, err2))
	return s
}

// strict reports whether nothing may be given up.
func (s *sim) strict() bool { return s.cfg.Stream.Attempts == maxAttempts }

func (s *sim) fail(err error) { s.err = cmp.Or(s.err, err) }

// send puts a packet on the network, which does to it what it does.
func (s *sim) send(p packet) {
	copies := 1
	if s.rng.Float64() < s.faults.Copy {
		copies++
	}
	for range copies {
		if s.rng.Float64() < s.faults.Loss {
			continue
		}
		p.id, p.at = s.sent, s.now.Add(time.Duration(s.rng.Int64N(int64(s.faults.Delay)+1)))
		if s.rng.Float64() < s.faults.Stray {
			p.at = s.now.Add(time.Duration(s.rng.IntN(8000)) * time.Millisecond)
		}
		s.sent++
		s.wire = append(s.wire, p)
	}
}

func (s *sim) carryOut(key int, e Effects[item]) {
	for _, g := range e.GaveUp {
		s.fail(s.check.gaveUp(key, g))
	}
	for _, m := range e.Transmit {
		s.fail(s.check.transmit(key, m))
		if s.down {
			s.fail(fmt.Errorf("transmitted %+v while disconnected", m))
		}
		s.send(packet{key: key, data: m, size: s.sizes[m.Item]})
	}
	if e.Skip != 0 {
		s.check.counts.Skips++
		s.send(packet{key: key, skip: e.Skip})
	}
}

func (s *sim) push(key, size int) error {
	it := item{key: key, n: len(s.check.stream(key).pushed)}
	seq, e, err := s.from.Push(s.now, key, it, size)
	if err == nil {
		s.sizes[it] = size
		if s.fail(s.check.push(it, seq)); s.err != nil {
			return s.err
		}
	} else if !errors.Is(err, ErrWindowFull) && !errors.Is(err, ErrTableFull) {
		s.fail(err)
	}
	s.carryOut(key, e)
	return err
}

func (s *sim) arrive(p packet) {
	var items []item
	var err error
	switch {
	case p.ack != nil:
		var e Effects[item]
		e, err = s.from.Acked(s.now, p.key, *p.ack)
		s.carryOut(p.key, e)
	case p.skip != 0:
		items, err = s.to.Skip(s.now, p.key, p.skip)
	default:
		items, err = s.to.Receive(s.now, p.key, p.data.Seq, p.data.Oldest, p.data.Item, p.size)
	}
	s.fail(err)
	for _, it := range items {
		s.fail(s.check.deliver(p.key, it))
	}
}

// pass lets time pass, from event to event.
func (s *sim) pass(d time.Duration) {
	end := s.now.Add(d)
	for s.err == nil {
		slices.SortFunc(s.wire, func(a, b packet) int { return cmp.Or(a.at.Compare(b.at), a.id-b.id) })
		next := end
		if len(s.wire) > 0 {
			next = earlier(next, s.wire[0].at)
		}
		s.now = earlier(earlier(next, s.from.Deadline()), s.to.Deadline())
		s.happen()
		if s.now.Equal(end) {
			return
		}
	}
}

// earlier returns the earlier one of two times, of which the second may be none.
func earlier(a, b time.Time) time.Time {
	if b.IsZero() || a.Before(b) {
		return a
	}
	return b
}

// happen lets what is due now happen.
func (s *sim) happen() {
	for len(s.wire) > 0 && !s.wire[0].at.After(s.now) {
		p := s.wire[0]
		s.wire = slices.Delete(s.wire, 0, 1)
		s.arrive(p)
	}
	for _, due := range s.from.Tick(s.now) {
		s.carryOut(due.Key, due.Effects)
	}
	s.to.Tick(s.now)
	for _, a := range s.to.Acks(s.now) {
		ack := Ack{Cumulative: a.Cumulative, Ranges: slices.Clone(a.Ranges)}
		if !s.down {
			s.send(packet{key: a.Key, ack: &ack})
		}
	}
	for _, table := range []*Table[int, item]{s.from, s.to} {
		if deadline := table.Deadline(); !deadline.IsZero() && !deadline.After(s.now) {
			s.fail(errors.New("nothing is left to do, and the deadline is past"))
		}
	}
	s.inspect()
}

// inspect checks what must always hold.
func (s *sim) inspect() {
	s.fail(s.from.valid())
	s.fail(s.to.valid())
	if n := s.from.Stats().Retained; n > s.cfg.MaxBytes && n > 2*s.cfg.Stream.WindowBytes {
		s.fail(fmt.Errorf("%d bytes are retained", n))
	}
	for _, key := range s.check.keys() {
		base := uint64(endOfNumbers)
		if o := s.from.outgoing[key]; o != nil {
			base = o.sender.base
		}
		s.fail(s.check.confirm(key, base))
	}
}

// breakOff ends the association: most of what is on its way is lost.
func (s *sim) breakOff() {
	s.down = true
	s.from.Down(s.now)
	s.wire = slices.DeleteFunc(s.wire, func(packet) bool { return s.rng.IntN(5) > 0 })
}

func (s *sim) reconnect() {
	s.down = false
	for _, due := range s.from.Reconnected(s.now) {
		s.carryOut(due.Key, due.Effects)
	}
}
