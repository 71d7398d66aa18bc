package session

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// link is a sender, a receiver and a network without faults.
type link struct {
	now      time.Time
	sender   *Sender[*int]
	receiver *Receiver[*int]
}

func newLink(tb testing.TB, cfg Config) *link {
	s, err1 := NewSender[*int](cfg, rand.New(rand.NewPCG(1, 2)))
	r, err2 := NewReceiver[*int](cfg)
	if err := errors.Join(err1, err2); err != nil {
		tb.Fatal(err)
	}
	return &link{now: epoch, sender: s, receiver: r}
}

// carry pushes a message and lets it arrive, and an ack if one is due.
func (l *link) carry(tb testing.TB, item *int) {
	l.now = l.now.Add(time.Microsecond)
	_, e, err := l.sender.Push(l.now, item, 8)
	if err != nil || len(e.Transmit) != 1 {
		tb.Fatal(err)
	}
	m := e.Transmit[0]
	items, err := l.receiver.Receive(l.now, m.Seq, m.Oldest, m.Item, 8)
	if err != nil || len(items) != 1 || items[0] != item {
		tb.Fatal(items, err)
	}
	if ack, ok := l.receiver.Ack(l.now); ok {
		if _, err := l.sender.Acked(l.now, ack); err != nil {
			tb.Fatal(err)
		}
	}
	if !l.sender.Deadline().After(l.now) {
		l.sender.Tick(l.now)
	}
}

func TestHealthyStreamAllocatesNothing(t *testing.T) {
	for _, unordered := range []bool{false, true} {
		l, item := newLink(t, Config{Unordered: unordered}), new(int)
		for range 1000 {
			l.carry(t, item)
		}
		if n := testing.AllocsPerRun(1000, func() { l.carry(t, item) }); n != 0 {
			t.Errorf("unordered %v: %v allocations for a message", unordered, n)
		}
	}
}

// pair is two tables and a network without faults.
type pair struct {
	now      time.Time
	from, to *Table[int, *int]
}

func newPair(tb testing.TB) *pair {
	p := &pair{now: epoch}
	for _, table := range []**Table[int, *int]{&p.from, &p.to} {
		var err error
		if *table, err = NewTable[int, *int](TableConfig[int]{Rand: rand.New(rand.NewPCG(1, 2))}); err != nil {
			tb.Fatal(err)
		}
	}
	return p
}

func (p *pair) carry(tb testing.TB, key int, item *int) {
	p.now = p.now.Add(time.Microsecond)
	_, e, err := p.from.Push(p.now, key, item, 8)
	if err != nil || len(e.Transmit) != 1 {
		tb.Fatal(err)
	}
	m := e.Transmit[0]
	items, err := p.to.Receive(p.now, key, m.Seq, m.Oldest, m.Item, 8)
	if err != nil || len(items) != 1 {
		tb.Fatal(items, err)
	}
	for _, ack := range p.to.Acks(p.now) {
		if _, err := p.from.Acked(p.now, ack.Key, ack.Ack); err != nil {
			tb.Fatal(err)
		}
	}
	if !p.from.Deadline().After(p.now) {
		p.from.Tick(p.now)
	}
}

func TestHealthyTableAllocatesNothing(t *testing.T) {
	p, item := newPair(t), new(int)
	next := func() func() {
		n := 0
		return func() {
			n++
			p.carry(t, n%256, item)
		}
	}()
	for range 60_000 {
		next()
	}
	if n := testing.AllocsPerRun(10_000, next); n != 0 {
		t.Errorf("%v allocations for a message", n)
	}
	if st := p.from.Stats(); st.Senders != 256 || st.Forgotten != 0 {
		t.Errorf("%+v", st)
	}
}

func TestAcknowledgedMessagesAreLetGo(t *testing.T) {
	l := newLink(t, Config{})
	for range 5000 {
		l.carry(t, new(int))
	}
	l.now = l.now.Add(time.Second)
	ack, ok := l.receiver.Ack(l.now)
	if !ok || ack.Cumulative != 5000 {
		t.Fatal(ack, ok)
	}
	if _, err := l.sender.Acked(l.now, ack); err != nil || l.sender.Bytes() != 0 {
		t.Fatal(err, l.sender.Bytes())
	}
	l.receiver.Flush()
	for i, m := range l.sender.slots.places {
		if m.item != nil {
			t.Errorf("place %d still refers to a message", i)
		}
	}
	for _, m := range l.sender.effects.Transmit[:cap(l.sender.effects.Transmit)] {
		if m.Item != nil {
			t.Error("the last effects still refer to a message")
		}
	}
	for _, item := range l.receiver.out[:cap(l.receiver.out)] {
		if item != nil {
			t.Error("the receiver still refers to a message")
		}
	}
}

func TestConfigReportsEveryMistakeAtOnce(t *testing.T) {
	cfg := Config{Window: -1, WindowBytes: -1, RetryMin: -1, RetryMax: 48 * time.Hour, Attempts: -1, MaxAge: -1, AckEvery: -1, AckDelay: time.Hour}
	_, err := NewTable[int, int](TableConfig[int]{Stream: cfg, MaxStreams: -1, MaxBytes: -1, Forget: -1})
	if err == nil {
		t.Fatal("it is accepted")
	}
	for _, field := range []string{"Window ", "WindowBytes", "RetryMin", "RetryMax", "Attempts", "MaxAge", "AckEvery", "AckDelay", "MaxStreams", "MaxBytes", "Forget", "Rand"} {
		if !strings.Contains(err.Error(), "Config."+field) {
			t.Errorf("nothing about %s in %v", field, err)
		}
	}
	if _, err := NewReceiver[int](cfg); err == nil {
		t.Error("a receiver accepts it")
	}
	if _, err := NewSender[int](Config{}, nil); err == nil {
		t.Error("a sender needs no randomness")
	}
	if err := (Config{RetryMin: 10 * time.Millisecond}).Valid(); err != nil {
		t.Errorf("the other defaults do not suit a short RetryMin: %v", err)
	}
}

func TestRetryFollowsTheRoundTrip(t *testing.T) {
	l := newLink(t, Config{RetryMin: 100 * time.Millisecond, RetryMax: 5 * time.Second, AckEvery: 1})
	for range 50 {
		_, e, _ := l.sender.Push(l.now, nil, 1)
		l.now = l.now.Add(time.Second)
		m := e.Transmit[0]
		_, _ = l.receiver.Receive(l.now, m.Seq, m.Oldest, m.Item, 1)
		ack, _ := l.receiver.Ack(l.now)
		_, _ = l.sender.Acked(l.now, ack)
		l.sender.Tick(l.now)
	}
	_, _, _ = l.sender.Push(l.now, nil, 1)
	if wait := l.sender.Deadline().Sub(l.now); wait < time.Second || wait > 1200*time.Millisecond {
		t.Errorf("round trips take a second, and it waits for %v", wait)
	}
	if again := l.sender.Stats().Retransmitted; again > 3 {
		t.Errorf("%d transmissions again, until it knew", again)
	}
}

func TestClockThatGoesBackStandsStill(t *testing.T) {
	l := newLink(t, Config{})
	l.now = epoch.Add(time.Hour)
	_, _, _ = l.sender.Push(l.now, nil, 1)
	deadline := l.sender.Deadline()
	if e := l.sender.Tick(epoch); !e.Empty() || !l.sender.Deadline().Equal(deadline) {
		t.Errorf("an hour earlier: %+v", e)
	}
	if e := l.sender.Tick(epoch.AddDate(10_000, 0, 0)); len(e.GaveUp) != 1 {
		t.Errorf("ten thousand years later: %+v", e)
	}
	if err := l.sender.valid(); err != nil {
		t.Error(err)
	}
}

func BenchmarkStreamOnHealthyNetwork(b *testing.B) {
	l, item := newLink(b, Config{}), new(int)
	b.ReportAllocs()
	for b.Loop() {
		l.carry(b, item)
	}
}

func BenchmarkTableOnHealthyNetwork(b *testing.B) {
	p, item := newPair(b), new(int)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n++
		p.carry(b, n%256, item)
	}
}

// A third of the messages comes out of order.
func BenchmarkStreamOutOfOrder(b *testing.B) {
	l, item := newLink(b, Config{}), new(int)
	b.ReportAllocs()
	for b.Loop() {
		l.now = l.now.Add(time.Microsecond)
		_, e, _ := l.sender.Push(l.now, item, 8)
		first := e.Transmit[0]
		_, e, _ = l.sender.Push(l.now, item, 8)
		second := e.Transmit[0]
		l.arrive(b, second, 0)
		l.arrive(b, first, 2)
		ack, _ := l.receiver.Ack(l.now)
		_, _ = l.sender.Acked(l.now, ack)
		l.carry(b, item)
	}
}

// arrive lets a message arrive, and expects so many to be delivered.
func (l *link) arrive(tb testing.TB, m Transmit[*int], want int) {
	items, err := l.receiver.Receive(l.now, m.Seq, m.Oldest, m.Item, 8)
	if err != nil || len(items) != want {
		tb.Fatal(len(items), want, err)
	}
}
