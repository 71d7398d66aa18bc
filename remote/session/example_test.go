package session_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/topos-go/topos/remote/session"
)

// A message is lost. What follows it waits, until it has been sent again.
func Example() {
	now := time.Unix(0, 0)
	sender, _ := session.NewSender[string](session.Config{}, rand.New(rand.NewPCG(1, 2)))
	receiver, _ := session.NewReceiver[string](session.Config{})

	// network carries out what the sender asks for, but for one number.
	network := func(e session.Effects[string], lost uint64) {
		for _, m := range e.Transmit {
			if m.Seq == lost {
				continue
			}
			items, _ := receiver.Receive(now, m.Seq, m.Oldest, m.Item, len(m.Item))
			fmt.Printf("%d came, delivered %q\n", m.Seq, items)
		}
	}
	for _, item := range []string{"one", "two", "three"} {
		_, effects, _ := sender.Push(now, item, len(item))
		network(effects, 2)
	}

	ack, _ := receiver.Ack(now)
	fmt.Println("acknowledged:", ack.Cumulative, "and", ack.Ranges)
	_, _ = sender.Acked(now, ack)

	now = sender.Deadline()
	network(sender.Tick(now), 0)
	fmt.Println("retained:", sender.Retained())

	ack, _ = receiver.Ack(now)
	_, _ = sender.Acked(now, ack)
	fmt.Println("retained:", sender.Retained())
	// Output:
	// 1 came, delivered ["one"]
	// 3 came, delivered []
	// acknowledged: 1 and [{3 3}]
	// 2 came, delivered ["two" "three"]
	// retained: 2
	// retained: 0
}

// The streams of a pair of nodes. The other incarnation dies, and everything is
// reported that it did not acknowledge.
func ExampleTable() {
	now := time.Unix(0, 0)
	table := func() *session.Table[string, string] {
		t, _ := session.NewTable[string, string](session.TableConfig[string]{Rand: rand.New(rand.NewPCG(1, 2))})
		return t
	}
	here, there := table(), table()

	push := func(stream, item string) session.Transmit[string] {
		_, effects, _ := here.Push(now, stream, item, len(item))
		return effects.Transmit[0]
	}
	m := push("orders", "tea")
	push("bills", "3 €")

	_, _ = there.Receive(now, "orders", m.Seq, m.Oldest, m.Item, len(m.Item))
	now = there.Deadline()
	for _, ack := range there.Acks(now) {
		_, _ = here.Acked(now, ack.Key, ack.Ack)
	}

	for _, due := range here.Close(now, errors.New("node down")) {
		for _, g := range due.GaveUp {
			fmt.Println(due.Key, g.Item, errors.Is(g.Err, session.ErrOutcomeUnknown))
		}
	}
	// Output:
	// bills 3 € true
}
