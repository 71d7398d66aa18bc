package floor

import (
	"fmt"
	"sync"

	"github.com/topos-go/topos/bench/measure"
)

type message struct{ _ int }

// Tell sends n messages from one goroutine to one mailbox.
func Tell(n int) (measure.Result, error) {
	msg := any(&message{})
	return tell(n, 1, msg)
}

// FanIn sends n messages from eight goroutines to one mailbox.
func FanIn(n int) (measure.Result, error) {
	return tell(n, 8, any(&message{}))
}

func tell(n, senders int, msg any) (measure.Result, error) {
	box := newMailbox()
	handled := 0
	r := measure.Of(n, func() {
		for i := range senders {
			share := n / senders
			if i == 0 {
				share += n % senders
			}
			go func() {
				for range share {
					box.push(msg)
				}
			}()
		}
		box.receive(n, func(any) { handled++ })
	})
	if handled != n {
		return r, fmt.Errorf("handled %d of %d messages", handled, n)
	}
	return r, nil
}

// pairs is how many pairs play in Busy.
const pairs = 500

// Busy lets 1,000 goroutines play ping-pong in pairs, one message in flight a
// pair, until n messages have been passed.
func Busy(n int) (measure.Result, error) {
	rounds := max(1, n/pairs/2)
	return measure.Of(rounds*pairs*2, func() {
		var wg sync.WaitGroup
		msg := any(&message{})
		for range pairs {
			ping, pong := make(chan any, 1), make(chan any, 1)
			wg.Add(2)
			go func() {
				defer wg.Done()
				for range rounds {
					ping <- msg
					<-pong
				}
			}()
			go func() {
				defer wg.Done()
				for range rounds {
					pong <- <-ping
				}
			}()
		}
		wg.Wait()
	}), nil
}

// Call lets one goroutine ask another n times.
func Call(n int) (measure.Result, error) {
	requests, replies := make(chan any, 1), make(chan any, 1)
	go func() {
		for req := range requests {
			replies <- req
		}
	}()
	defer close(requests)
	msg := any(&message{})
	return measure.Of(n, func() {
		for range n {
			requests <- msg
			<-replies
		}
	}), nil
}

// table is the least that a spawned thing must be entered in to be found.
type table struct {
	mu   sync.Mutex
	byID []*mailbox
}

func (t *table) add(m *mailbox) {
	t.mu.Lock()
	t.byID = append(t.byID, m)
	t.mu.Unlock()
}

// Spawn makes n mailboxes and enters them in a table.
func Spawn(n int) (measure.Result, error) {
	var t table
	r := measure.Of(n, func() {
		for range n {
			t.add(newMailbox())
		}
	})
	if len(t.byID) != n {
		return r, fmt.Errorf("%d of %d are there", len(t.byID), n)
	}
	return r, nil
}

// IdleBytes is the live memory of one of n mailboxes that nothing waits in.
func IdleBytes(n int) (measure.Result, error) {
	before := measure.Live()
	var t table
	for range n {
		t.add(newMailbox())
	}
	after := measure.Live()
	r := measure.Result{Bytes: float64(after-before) / float64(n)}
	if len(t.byID) != n {
		return r, fmt.Errorf("%d of %d are there", len(t.byID), n)
	}
	return r, nil
}
