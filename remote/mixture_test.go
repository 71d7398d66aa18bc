package remote_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	gogotypes "github.com/gogo/protobuf/types"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote"
)

// mixture is all that processes of one node can send to those of another, over all
// kinds of channels, while connections break and the network does. Each message
// says whom it is from and for, what it is, over which channel and with which
// option, and its number among those.
type mixture struct {
	rng  *rand.Rand
	from []actor.PID // who send
	to   []actor.PID // who note what they get

	sent, came   map[string]int // by sequence: "kind of sender"
	total, count map[pairOf]int // by pair: sent, and come
	ended        map[pairOf]bool
	wrong        []string
}

type pairOf struct{ from, to int }

func (m *mixture) complain(format string, args ...any) {
	if len(m.wrong) < 10 {
		m.wrong = append(m.wrong, fmt.Sprintf(format, args...))
	}
}

// watchAll asks a receiver to monitor all senders.
type watchAll []actor.PID

// receiver notes what it gets. In a bubble, on one node, receivers take turns as
// the test does: nothing here is looked at before all is quiet.
func (m *mixture) receiver(no int, turn chan struct{}) actor.Actor {
	watched := make(map[actor.MonitorRef]int)
	return actor.Func(func(self *actor.Self, msg any) error {
		turn <- struct{}{}
		defer func() { <-turn }()
		switch msg := msg.(type) {
		case watchAll:
			for i, pid := range msg {
				watched[self.Monitor(pid)] = i
			}
		case actor.Down:
			p := pairOf{watched[msg.Ref], no}
			if m.ended[p] = true; m.count[p] != m.total[p] {
				m.complain("the end of %v comes after %d of %d messages", p, m.count[p], m.total[p])
			}
		case []byte:
			m.got(no, "bytes", string(msg))
		case string:
			m.got(no, "text", msg)
		case *gogotypes.StringValue:
			m.got(no, "proto", msg.Value)
		}
		return nil
	})
}

// got takes "type from to channel option number rest".
func (m *mixture) got(no int, typ, text string) {
	f := strings.SplitN(text, " ", 7)
	if len(f) < 7 || f[0] != typ || f[2] != strconv.Itoa(no) {
		m.complain("%d got %.60q as %s", no, text, typ)
		return
	}
	from, _ := strconv.Atoi(f[1])
	n, _ := strconv.Atoi(f[5])
	p, seq := pairOf{from, no}, strings.Join(f[1:5], " ")
	if m.ended[p] {
		m.complain("%.60q comes after the end of its sender", text)
	}
	m.count[p]++
	if f[4] != "unordered" && m.came[seq] != n {
		m.complain("%s: %d in the place of %d", seq, n, m.came[seq])
	}
	m.came[seq]++
}

// option draws how a message is sent, and to which address.
func (m *mixture) option(node actor.NodeID, to int) (name string, addr actor.Address, opts []actor.SendOption) {
	addr = m.to[to]
	switch m.rng.IntN(10) {
	case 0:
		key := strconv.Itoa(m.rng.IntN(3))
		return "key" + key, addr, []actor.SendOption{actor.Key(key)}
	case 1:
		return "name", actor.NameAt{Name: actor.Name("r" + strconv.Itoa(to)), Node: node.Name}, nil
	case 2:
		return "ack", addr, []actor.SendOption{actor.Ack()}
	case 3:
		return "unordered", addr, []actor.SendOption{actor.Unordered()}
	case 4:
		return "plain", addr, []actor.SendOption{actor.Traced([]byte("trace"))}
	}
	return "plain", addr, nil
}

// size draws the length of what is added to a message: now and then a lot.
func (m *mixture) size() int {
	switch m.rng.IntN(150) {
	case 0:
		return 8 << 10
	case 1:
		return m.rng.IntN(400_000)
	case 2, 3, 4:
		return m.rng.IntN(8000)
	}
	return 0
}

// send sends one message, or many at once.
func (m *mixture) send(t *testing.T, a, b *host, channels []string) {
	from, to, channel := m.rng.IntN(len(m.from)), m.rng.IntN(len(m.to)), channels[m.rng.IntN(len(channels))]
	option, addr, opts := m.option(b.ID(), to)
	opts = append(opts, actor.Channel(channel))
	typ := m.rng.IntN(3)
	seq := fmt.Sprintf("%d %d %s %s", from, to, channel, option)
	burst := 1
	if m.rng.IntN(25) == 0 {
		burst = m.rng.IntN(1000)
	}
	var msgs []any
	for range burst {
		text := fmt.Sprintf("%s %s %d %s", [...]string{"bytes", "text", "proto"}[typ], seq, m.sent[seq], strings.Repeat("x", m.size()))
		m.sent[seq]++
		m.total[pairOf{from, to}]++
		msgs = append(msgs, [...]any{[]byte(text), text, &gogotypes.StringValue{Value: text}}[typ])
	}
	a.do(t, m.from[from], func(self *actor.Self) {
		for _, msg := range msgs {
			if err := self.Send(addr, msg, opts...); err != nil {
				t.Error(err)
			}
		}
	})
}

// disturb breaks the connections, or the network for a while.
func (m *mixture) disturb(w *world) {
	switch m.rng.IntN(3) {
	case 0:
		w.net.Cut("a", "b")
	case 1:
		w.net.Partition("a", "b")
		w.pass(time.Duration(m.rng.IntN(100)) * time.Millisecond)
		w.net.Heal("a", "b")
	case 2:
		w.net.Partition("a", "b")
		time.AfterFunc(300*time.Millisecond, func() { w.net.Heal("a", "b") })
	}
}

func (m *mixture) run(t *testing.T, w *world) {
	const people = 8
	channels := []remote.Channel{
		{Name: remote.DefaultChannel, MaxLanes: 4, GrowBytes: 32 << 10, Idle: 2 * time.Second},
		{Name: "wide", MinLanes: 3, MaxLanes: 6, GrowBytes: 64 << 10, Idle: time.Second},
		{Name: "s2", Compression: remote.S2, MaxLanes: 2, GrowBytes: 16 << 10},
		{Name: "zstd", Compression: remote.Zstd, Priority: 1},
		{Name: "lend", Lend: true},
	}
	var names []string
	for _, ch := range channels {
		names = append(names, ch.Name)
	}
	b, a := w.pairOn(channels...)
	w.net.SetLatency(2 * time.Millisecond)
	turn := make(chan struct{}, 1)
	for i := range people {
		m.from = append(m.from, a.spawn(t, actor.Func(func(self *actor.Self, f any) error { f.(func(*actor.Self))(self); return nil })))
		m.to = append(m.to, b.spawn(t, m.receiver(i, turn), actor.Name("r"+strconv.Itoa(i))))
	}
	for _, pid := range m.to {
		if err := b.sys.Send(pid, watchAll(m.from)); err != nil {
			t.Fatal(err)
		}
	}
	w.pass(time.Second)
	for range 1200 {
		m.send(t, a, b, names)
		switch {
		case m.rng.IntN(300) == 0:
			m.disturb(w)
		case m.rng.IntN(30) == 0:
			w.pass(time.Duration(m.rng.IntN(10)) * time.Millisecond)
		case m.rng.IntN(1000) == 0:
			w.pass(4 * time.Second)
		}
	}
	for _, pid := range m.from {
		_ = a.sys.Exit(pid, errBroken)
	}
	m.disturb(w)
	w.pass(2 * time.Minute)
}

func TestEverythingKeepsItsOrderInAMixtureOfAllThereIs(t *testing.T) {
	for seed := range uint64(3) {
		m := &mixture{
			rng: rand.New(rand.NewPCG(seed, 3)), sent: make(map[string]int), came: make(map[string]int),
			total: make(map[pairOf]int), count: make(map[pairOf]int), ended: make(map[pairOf]bool),
		}
		bubble(t, m.run)
		if len(m.wrong) > 0 {
			t.Errorf("seed %d: %s", seed, strings.Join(m.wrong, "\n"))
		}
		if len(m.ended) != len(m.from)*len(m.to) {
			t.Errorf("seed %d: %d ends are known", seed, len(m.ended))
		}
		for seq, n := range m.sent {
			if m.came[seq] != n {
				t.Errorf("seed %d: %s: %d of %d", seed, seq, m.came[seq], n)
			}
		}
	}
}
