package pair

import (
	"encoding/binary"
	"sync/atomic"
	"time"
)

// head is how many bytes of a payload say which message it is: its number and
// that of its flow.
const head = 16

func stamp(payload []byte, number int, flow uint64) {
	binary.LittleEndian.PutUint64(payload, uint64(number))
	binary.LittleEndian.PutUint64(payload[8:], flow)
}

// Sink counts the messages that arrive at one receiving process, and checks
// their order, size and content's head. Got is called by one goroutine at a
// time; the rest may be called by any.
type Sink struct {
	flow atomic.Pointer[arrival]
}

// Expected is what a sink is to expect.
type Expected struct {
	Flow    uint64
	Count   int
	Size    int
	Ordered bool // messages are numbered from zero
	// Credit is after how many messages each the credits are told. Zero means
	// never.
	Credit int
}

// Arrived is what has arrived of it.
type Arrived struct {
	Count int `json:"count"`
	// Misordered counts messages that came before one that was sent earlier, or
	// again; Mangled those of a wrong size.
	Misordered int `json:"misordered"`
	Mangled    int `json:"mangled"`
	// At is when the last one came, in nanoseconds of the wall clock: exact
	// if all have come, within a few milliseconds otherwise.
	At int64 `json:"at"`
}

// arrival is one flow at a sink.
type arrival struct {
	Expected
	next                       int
	count, misordered, mangled atomic.Int64
	done                       chan time.Time // gets one when all are there
	credits                    chan int
}

// Expect lets s count another flow. What still arrives of earlier ones is not
// counted.
func (s *Sink) Expect(e Expected) {
	s.flow.Store(&arrival{Expected: e, done: make(chan time.Time, 1), credits: make(chan int, 1024)})
}

// Got takes note of a message.
func (s *Sink) Got(payload []byte) {
	a := s.flow.Load()
	if a == nil {
		return
	}
	if len(payload) < head {
		a.mangled.Add(1)
		return
	}
	if binary.LittleEndian.Uint64(payload[8:]) != a.Flow {
		return // late, of an earlier flow
	}
	if len(payload) != a.Size {
		a.mangled.Add(1)
	}
	if a.Ordered {
		if n := int(binary.LittleEndian.Uint64(payload)); n < a.next {
			a.misordered.Add(1)
		} else {
			a.next = n + 1
		}
	}
	n := int(a.count.Add(1))
	if a.Credit > 0 && n%a.Credit == 0 {
		select {
		case a.credits <- n:
		default: // the next one tells more
		}
	}
	if n == a.Count {
		a.done <- time.Now()
	}
}

// look is how often Await looks whether messages still come.
const look = 5 * time.Millisecond

// Await waits until everything expected has arrived, or nothing has for as long
// as idle. That is counted in looks, so that a machine that stood still is not
// taken for a loss.
func (s *Sink) Await(idle time.Duration) Arrived {
	a := s.flow.Load()
	if a == nil {
		return Arrived{}
	}
	tick := time.NewTicker(look)
	defer tick.Stop()
	last, at := a.count.Load(), time.Now()
	for looks := time.Duration(0); ; looks++ {
		select {
		case at = <-a.done:
			return a.arrived(at)
		case now := <-tick.C:
			if n := a.count.Load(); n != last {
				last, at, looks = n, now, 0
			} else if looks*look >= idle {
				return a.arrived(at)
			}
		}
	}
}

func (a *arrival) arrived(at time.Time) Arrived {
	return Arrived{
		Count: int(a.count.Load()), Misordered: int(a.misordered.Load()), Mangled: int(a.mangled.Load()),
		At: at.UnixNano(),
	}
}
