package session

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// disturb goes some steps with faults.
func (s *sim) disturb(steps, keys int) {
	for range steps {
		for range s.rng.IntN(4) {
			_ = s.push(s.rng.IntN(keys), s.rng.IntN(20)) // what is refused is not in the model
		}
		switch {
		case s.down && s.rng.Float64() < s.faults.Mend:
			s.reconnect()
		case !s.down && s.rng.Float64() < s.faults.Break:
			s.breakOff()
		}
		pause := time.Duration(s.rng.IntN(30)) * time.Millisecond
		if s.rng.IntN(40) == 0 {
			pause *= 50
		}
		s.pass(pause)
		if s.err != nil {
			return
		}
	}
}

// heal makes the network whole, and goes on until nothing is retained, for a
// limited time.
func (s *sim) heal() {
	if s.err != nil {
		return
	}
	s.faults = faults{Delay: 10 * time.Millisecond}
	if s.down {
		s.reconnect()
	}
	s.settle()
	// One more message finds every stream working, and frees what was kept.
	for _, key := range s.check.keys() {
		s.fail(s.push(key, 1))
	}
	s.settle()
	for _, key := range s.check.keys() {
		h := s.check.stream(key)
		if last := h.pushed[len(h.pushed)-1]; s.err == nil && !last.delivered || last.gaveUp {
			s.fail(fmt.Errorf("stream %d does not work: %+v", key, last))
		}
	}
	for _, i := range s.to.receivers {
		if i.receiver.held > 0 {
			s.fail(fmt.Errorf("receiver %d keeps %d for ever", i.key, i.receiver.held))
		}
	}
}

// settle goes on until nothing is retained: two rounds at the longest wait, for
// every time that a narrow receiver has to drop something.
func (s *sim) settle() {
	limit := s.now.Add(time.Duration(1+s.narrow) * 2 * time.Second * 5 / 4)
	for s.err == nil && s.from.Stats().Retained+s.numbers() > 0 {
		if s.pass(5 * time.Millisecond); s.now.After(limit) {
			s.fail(errors.New("the network is whole, and something is still retained"))
		}
	}
}

func (s *sim) numbers() (n int) {
	for _, o := range s.from.senders {
		n += o.sender.Retained()
	}
	return n
}

// rest lets everything be idle, and checks that nothing is left of it.
func (s *sim) rest() {
	s.pass(10 * time.Second) // what is very late
	s.pass(s.cfg.Forget + time.Second)
	s.pass(s.cfg.Forget + time.Second)
	if st := s.from.Stats(); st.Senders != 0 || st.Retained != 0 || !s.from.Deadline().IsZero() {
		s.fail(fmt.Errorf("idle, with %+v, until %v", st, s.from.Deadline()))
	}
	for _, i := range s.to.receivers {
		if len(i.receiver.cells.places)+len(i.receiver.have.words) > 0 {
			s.fail(fmt.Errorf("receiver %d is idle and has %d places", i.key, len(i.receiver.cells.places)))
		}
	}
}

func (s *sim) end() {
	given, err := s.check.all()
	s.fail(err)
	if given > 0 && s.strict() && s.from.closed == nil {
		s.fail(fmt.Errorf("%d messages were given up that could have been sent", given))
	}
}

// kill ends the other incarnation. What is on its way may still arrive.
func (s *sim) kill() {
	for _, due := range s.from.Close(s.now, errors.New("dead")) {
		s.carryOut(due.Key, due.Effects)
	}
	s.pass(20 * time.Second)
	if _, _, err := s.from.Push(s.now, 0, item{}, 1); !errors.Is(err, ErrClosed) {
		s.fail(fmt.Errorf("pushed to the dead: %v", err))
	}
}

func TestEverythingIsDeliveredOnceOrGivenUpOnAnyNetwork(t *testing.T) {
	const seeds = 2000
	var sum counts
	var receiving ReceiverStats
	var forgotten uint64
	for seed := range uint64(seeds) {
		rng := rand.New(rand.NewPCG(seed, 2))
		f := faults{
			Loss: rng.Float64() * 0.6, Copy: rng.Float64() * 0.4, Stray: rng.Float64() * 0.1,
			Delay: time.Duration(rng.IntN(300)) * time.Millisecond, Break: rng.Float64() * 0.05, Mend: 0.02 + rng.Float64()*0.2,
		}
		s := newSim(seed, f)
		s.disturb(20+rng.IntN(120), 1+rng.IntN(4))
		if rng.IntN(8) == 0 {
			s.kill()
		} else {
			s.heal()
			s.rest()
		}
		s.end()
		if s.err != nil {
			t.Fatalf("seed %d, %+v, %+v: %v", seed, f, s.cfg.Stream, s.err)
		}
		c := s.check.counts
		sum = counts{sum.Delivered + c.Delivered, sum.Unknown + c.Unknown, sum.NeverSent + c.NeverSent, sum.UnknownButDelivered + c.UnknownButDelivered, sum.Skips + c.Skips}
		forgotten += s.from.Stats().Forgotten
		for _, i := range s.to.receivers {
			st := i.receiver.Stats()
			receiving.Duplicates += st.Duplicates
			receiving.Dropped += st.Dropped
			receiving.Skipped += st.Skipped
		}
	}
	t.Logf("%+v %+v, %d senders forgotten", sum, receiving, forgotten)
	for what, n := range map[string]int{
		"delivered": sum.Delivered / 10, "unknown": sum.Unknown, "never sent": sum.NeverSent, "unknown but delivered": sum.UnknownButDelivered, "skips": sum.Skips,
		"duplicates": int(receiving.Duplicates), "dropped": int(receiving.Dropped), "skipped": int(receiving.Skipped), "forgotten": int(forgotten),
	} {
		if n < seeds/20 {
			t.Errorf("%s only %d times in %d seeds", what, n, seeds)
		}
	}
}

func TestHealthyNetworkCarriesEveryMessageOnce(t *testing.T) {
	for seed := range uint64(100) {
		s := newSim(seed, faults{Delay: 40 * time.Millisecond})
		s.cfg.Stream.Window, s.narrow = 24, 1
		s.to, _ = NewTable[int, item](s.cfg)
		s.cfg.Stream.RetryMin = 300 * time.Millisecond // reordered, not lost
		s.from, _ = NewTable[int, item](s.cfg)
		s.disturb(100, 3)
		for _, o := range s.from.senders {
			if st := o.sender.Stats(); st.Retransmitted+st.Timeouts+st.GaveUp > 0 {
				t.Fatalf("seed %d: %+v", seed, st)
			}
		}
		if s.heal(); s.err != nil {
			t.Fatalf("seed %d: %v", seed, s.err)
		}
	}
}
