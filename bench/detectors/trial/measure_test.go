package trial

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

// staged is a group that does what a test says, in time of its own.
type staged struct {
	book    *Book
	now     time.Time
	nodes   int
	born    int
	due     map[time.Time]func()
	deaf    bool // one node never gives its verdict
	hasty   bool // a live node is declared failed now and then
	apart   bool // the nodes never know each other
	replace error
}

func (s *staged) Now() time.Time { return s.now }
func (s *staged) Complete() bool { return !s.apart }

func (s *staged) Wait(d time.Duration) {
	s.now = s.now.Add(d)
	for at, do := range s.due {
		if !s.now.Before(at) {
			delete(s.due, at)
			do()
		}
	}
	s.book.Sent(100 * int(d/time.Millisecond))
	if s.hasty {
		s.book.Suspected("live", s.now)
		s.book.Failed("other", "live", s.now)
		s.book.Failed("third", "live", s.now)
	}
}

// Kill has the node suspected after one second and known to all after three.
func (s *staged) Kill(i int) string {
	s.born++
	name := fmt.Sprintf("%d#%d", i, s.born)
	began := s.now
	s.book.Fell(name, began)
	s.due[began.Add(time.Second)] = func() { s.book.Suspected(name, began.Add(time.Second)) }
	s.due[began.Add(3*time.Second)] = func() {
		s.book.Failed(name, "another", s.now) // what it says itself counts for nothing
		for k := 1; k < s.nodes; k++ {
			if !s.deaf || k > 1 {
				s.book.Failed(fmt.Sprint("watcher", k), name, began.Add(2*time.Second+time.Duration(k)*time.Millisecond))
			}
		}
	}
	return name
}

func (s *staged) Replace(int) error { return s.replace }

func stage(nodes int) *staged {
	return &staged{book: new(Book), now: time.Unix(1000, 0), nodes: nodes, due: make(map[time.Time]func())}
}

var plan = Plan{Nodes: 5, Trials: 3, Quiet: 10 * time.Second, Pause: time.Second, Seed: 1}

func TestTimesAreFromTheSilenceOn(t *testing.T) {
	s := stage(plan.Nodes)
	r, err := Measure(plan, s, s.book)
	if err != nil {
		t.Fatal(err)
	}
	same := func(v float64) Times { return Times{v, v, v} }
	want := Result{Suspected: same(1), First: same(2.001), All: same(2.004), Bytes: 20000, Messages: .02}
	if r != want {
		t.Errorf("got %+v, want %+v", r, want)
	}
}

func TestOneThatNeverHearsIsMissed(t *testing.T) {
	s := stage(plan.Nodes)
	s.deaf = true
	r, err := Measure(plan, s, s.book)
	if err != nil || r.Missed != plan.Trials || r.All != (Times{}) || r.First.P50 != 2.002 {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestVerdictsOnTheLivingAreCounted(t *testing.T) {
	s := stage(plan.Nodes)
	s.hasty = true
	r, err := Measure(plan, s, s.book)
	if err != nil || r.Wrong != 1 || r.Verdicts != 2 || r.Accused != 1 || r.WrongLater != 1 {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestAGroupThatIsApartIsNotMeasured(t *testing.T) {
	s := stage(plan.Nodes)
	s.apart = true
	if _, err := Measure(plan, s, s.book); !errors.Is(err, ErrIncomplete) {
		t.Errorf("got %v", err)
	}
}

func TestANodeThatDoesNotStartIsReported(t *testing.T) {
	s := stage(plan.Nodes)
	s.replace = errors.New("no place")
	if _, err := Measure(plan, s, s.book); !errors.Is(err, s.replace) {
		t.Errorf("got %v", err)
	}
}
