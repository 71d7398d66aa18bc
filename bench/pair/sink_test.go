package pair

import (
	"testing"
	"testing/synctest"
	"time"
)

// give hands numbered messages of a flow to s.
func give(s *Sink, flow uint64, numbers ...int) {
	for _, n := range numbers {
		payload := make([]byte, small)
		stamp(payload, n, flow)
		s.Got(payload)
	}
}

func TestSinkTellsWhatArrivedOutOfOrder(t *testing.T) {
	for _, c := range []struct {
		name       string
		numbers    []int
		misordered int
	}{
		{"in order", []int{0, 1, 2, 3}, 0},
		{"two swapped", []int{0, 2, 1, 3}, 1},
		{"one twice", []int{0, 1, 1, 2}, 1},
		{"the first last", []int{1, 2, 3, 0}, 1},
		{"backwards", []int{3, 2, 1, 0}, 3},
		{"with a gap, which is a loss", []int{0, 2, 3, 4}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s Sink
			s.Expect(Expected{Flow: 1, Count: len(c.numbers), Size: small, Ordered: true})
			give(&s, 1, c.numbers...)
			if a := s.Await(time.Second); a.Count != len(c.numbers) || a.Misordered != c.misordered {
				t.Errorf("arrived: %+v, want %d, %d of them misordered", a, len(c.numbers), c.misordered)
			}
		})
	}
}

func TestSinkDoesNotCountWhatComesLate(t *testing.T) {
	var s Sink
	s.Expect(Expected{Flow: 1, Count: 2, Size: small, Ordered: true})
	give(&s, 1, 0)
	s.Expect(Expected{Flow: 2, Count: 1, Size: small, Ordered: true})
	give(&s, 1, 1)
	give(&s, 2, 0)
	if a := s.Await(time.Second); a.Count != 1 || a.Misordered != 0 {
		t.Errorf("arrived: %+v, want the one message of the second flow", a)
	}
}

func TestSinkTellsMangledMessages(t *testing.T) {
	var s Sink
	s.Expect(Expected{Flow: 1, Count: 1, Size: small + 1})
	s.Got([]byte("short"))
	give(&s, 1, 0)
	if a := s.Await(time.Second); a.Mangled != 2 {
		t.Errorf("arrived: %+v, want both mangled", a)
	}
}

func TestAwaitGivesUpWhenNothingArrivesAnyMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s Sink
		s.Expect(Expected{Flow: 1, Count: 3, Size: small})
		began := time.Now()
		go func() {
			give(&s, 1, 0)
			time.Sleep(500 * time.Millisecond)
			give(&s, 1, 1)
		}()
		a := s.Await(time.Second)
		if a.Count != 2 {
			t.Errorf("arrived: %+v, want two of three", a)
		}
		if took := time.Since(began); took < 1400*time.Millisecond || took > 1700*time.Millisecond {
			t.Errorf("gave up after %v, want a second after the last arrival", took)
		}
		if last := time.Duration(a.At - began.UnixNano()); last < 500*time.Millisecond || last > 510*time.Millisecond {
			t.Errorf("the last arrival was after %v, want half a second", last)
		}
	})
}

func TestCreditsAreToldAsMessagesArrive(t *testing.T) {
	var s Sink
	s.Expect(Expected{Flow: 1, Count: 10, Size: small, Credit: 4})
	give(&s, 1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9)
	credits := s.flow.Load().credits
	if len(credits) != 2 || <-credits != 4 || <-credits != 8 {
		t.Error("want credits at 4 and at 8")
	}
}
