package order

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// message is one of a pair of processes. The last one of a pair's end comes
// after all it has sent before.
type message struct {
	channel int
	seq     uint32
	no      uint64 // its place in its sequence
	pair    int
	id      int
	end     bool
}

// frame is what goes over a lane: a condition for the next message of a sequence,
// or a message.
type frame struct {
	seq   uint32
	needs []Need[int]
	msg   *message
}

// counter is a lane as a Table sees it.
type counter struct{ pushed, quiet uint64 }

func (c *counter) Pushed() uint64 { return c.pushed }
func (c *counter) Quiet() uint64  { return c.quiet }
func (c *counter) push()          { c.pushed++ }
func (c *counter) confirm()       { c.quiet = c.pushed }

// pipe is a lane with what is on its way.
type pipe struct {
	sent     counter
	frames   []frame
	received uint64
	held     []waiter // messages that had to wait, in the order in which they came
	acks     []uint64 // confirmations on their way back
}

// waiter is a message that has to wait, by its number on its lane.
type waiter struct {
	id int
	no uint64
}

// world is a sender, a receiver, and channels with lanes between them, of which
// none is in step with another.
type world struct {
	rng       *rand.Rand
	channels  [2]struct{ table Table }
	lanes     [2][4]*pipe
	gate      Gate[int, message]
	delivered [2]map[uint32]uint64

	sent   []message
	came   map[int]bool
	next   [2]map[uint32]uint64
	forget bool // the table does not remember what messages wait for
	err    error
}

func newWorld(seed uint64) *world {
	w := &world{rng: rand.New(rand.NewPCG(seed, 7)), came: make(map[int]bool)}
	for c := range w.lanes {
		w.delivered[c], w.next[c] = make(map[uint32]uint64), make(map[uint32]uint64)
		for l := range w.lanes[c] {
			w.lanes[c][l] = new(pipe)
		}
	}
	return w
}

// shardOf is the shard of a pair's messages without a key.
func shardOf(pair int) uint32 { return uint32(pair % 3) }

// send sends a message of a random pair over a random lane.
func (w *world) send() {
	c, l := w.rng.IntN(2), w.rng.IntN(4)
	m := message{channel: c, pair: w.rng.IntN(4), id: len(w.sent)}
	aside := false
	var needs []Need[int]
	var behind []Standing
	switch w.rng.IntN(8) {
	case 0: // the end of the pair's sender: always over the first channel
		m.end, m.channel, c = true, 0, 0
		m.seq = shardOf(m.pair)
		for other := range w.channels {
			w.channels[other].table.Outstanding(m.seq, func(mark Mark, on []Standing) {
				if other != 0 || mark.Seq != m.seq {
					needs = append(needs, Need[int]{other, mark})
					behind = append(behind, on...)
				}
			})
		}
	case 1: // with a key
		m.seq, aside = uint32(w.rng.IntN(3)), true
	case 2: // in no order
		m.seq = uint32(Shards + l)
	default:
		m.seq = shardOf(m.pair)
	}
	p := w.lanes[c][l]
	t := &w.channels[c].table
	if aside || len(behind) > 0 || !t.Follow(m.seq, &p.sent) {
		if after, must := t.Next(m.seq, &p.sent, aside, behind); must {
			needs = append(needs, Need[int]{c, after})
		}
	}
	if len(needs) > 0 {
		p.push(frame{seq: m.seq, needs: needs})
	}
	w.next[c][m.seq]++
	m.no = w.next[c][m.seq]
	p.push(frame{seq: m.seq, msg: &m})
	t.Pushed(m.seq)
	if w.forget {
		t.at(m.seq).behind = nil
	}
	w.sent = append(w.sent, m)
}

func (p *pipe) push(f frame) {
	p.frames = append(p.frames, f)
	p.sent.push()
}

// receive lets the next frame of a lane come.
func (w *world) receive(c, l int) {
	p := w.lanes[c][l]
	if len(p.frames) == 0 {
		return
	}
	f := p.frames[0]
	p.frames = p.frames[1:]
	turn := Turn[int]{c, l, f.seq}
	switch {
	case f.msg == nil:
		w.gate.Condition(turn, f.needs)
		w.gate.Release(w.reached, w.deliver)
	case !w.gate.Hold(turn, *f.msg, p.received+1, 1):
		w.deliver(turn, *f.msg)
		w.gate.Release(w.reached, w.deliver, turn)
	default:
		p.held = append(p.held, waiter{f.msg.id, p.received + 1})
	}
	p.received++
	w.checkFirst(c, l)
	if w.rng.IntN(3) == 0 {
		p.acks = append(p.acks, p.received)
	}
}

// checkFirst compares the first message of a lane that waits with those that have
// not been delivered.
func (w *world) checkFirst(c, l int) {
	p := w.lanes[c][l]
	for len(p.held) > 0 && w.came[p.held[0].id] {
		p.held = p.held[1:]
	}
	want := uint64(0)
	if len(p.held) > 0 {
		want = p.held[0].no
	}
	if got := w.gate.First(c, l); got != want && w.err == nil {
		w.err = fmt.Errorf("message %d of lane %d/%d is the first that waits, and not %d", want, c, l, got)
	}
}

// confirm lets a confirmation arrive.
func (w *world) confirm(c, l int) {
	p := w.lanes[c][l]
	if len(p.acks) == 0 {
		return
	}
	if p.acks[0] == p.sent.Pushed() {
		p.sent.confirm()
	}
	p.acks = p.acks[1:]
}

func (w *world) reached(n Need[int]) bool { return w.delivered[n.Stream][n.Seq] >= n.Count }

// deliver checks a message against everything that has been sent before it.
func (w *world) deliver(t Turn[int], m message) {
	if t.Stream != m.channel || t.Seq != m.seq {
		w.err = fmt.Errorf("message %+v in turn %+v", m, t)
	}
	w.delivered[m.channel][m.seq]++
	if n := w.delivered[m.channel][m.seq]; n != m.no && w.err == nil {
		w.err = fmt.Errorf("message %d of channel %d, sequence %d, comes as its %dth", m.no, m.channel, m.seq, n)
	}
	w.came[m.id] = true
	if !m.end {
		return
	}
	for _, before := range w.sent[:m.id] {
		if before.pair == m.pair && !w.came[before.id] && w.err == nil {
			w.err = fmt.Errorf("the end of pair %d, message %d, comes before message %+v", m.pair, m.id, before)
		}
	}
}

// run lets things happen in a random order, some lanes being slower than others,
// and then everything come.
func (w *world) run(steps int) error {
	slow := [2][4]int{}
	for c := range slow {
		for l := range slow[c] {
			slow[c][l] = 1 << w.rng.IntN(5)
		}
	}
	for range steps {
		c, l := w.rng.IntN(2), w.rng.IntN(4)
		switch w.rng.IntN(4) {
		case 0:
			w.send()
		case 1:
			w.confirm(c, l)
		default:
			if w.rng.IntN(slow[c][l]) == 0 {
				w.receive(c, l)
			}
		}
	}
	for c := range w.lanes {
		for l := range w.lanes[c] {
			for len(w.lanes[c][l].frames) > 0 {
				w.receive(c, l)
			}
		}
	}
	if w.err == nil && (len(w.came) != len(w.sent) || w.gate.Waiting() != 0 || w.gate.Bytes() != 0) {
		return fmt.Errorf("%d of %d messages came, %d turns with %d bytes wait", len(w.came), len(w.sent), w.gate.Waiting(), w.gate.Bytes())
	}
	return w.err
}

func TestSequencesKeepTheirOrderOverAnyLanes(t *testing.T) {
	for seed := range uint64(4000) {
		if err := newWorld(seed).run(400); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

// It is not enough to know that the lane has confirmed what went over it.
func TestTableThatForgetsWhatMessagesWaitForIsFound(t *testing.T) {
	for seed := range uint64(4000) {
		w := newWorld(seed)
		w.forget = true
		if w.run(400) != nil {
			return
		}
	}
	t.Error("nothing is wrong with it")
}

// Whatever has been confirmed needs no condition.
func TestQuietLanesNeedNoConditions(t *testing.T) {
	for seed := range uint64(50) {
		w := newWorld(seed)
		if err := w.run(300); err != nil {
			t.Fatal(err)
		}
		for c := range w.lanes {
			for _, p := range w.lanes[c] {
				p.sent.confirm()
			}
		}
		for c := range w.channels {
			tab := &w.channels[c].table
			tab.Outstanding(0, func(m Mark, _ []Standing) { t.Errorf("seed %d: %+v is outstanding", seed, m) })
			for seq := range uint32(3) {
				if after, must := tab.Next(seq, new(counter), false, nil); must {
					t.Errorf("seed %d: sequence %d has to wait for %+v", seed, seq, after)
				}
			}
		}
	}
}
