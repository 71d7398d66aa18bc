package remote

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"github.com/topos-go/topos/remote/wire"
)

// valid checks that users counts the segments that lie in each chunk.
func (c *chunks) valid(live []*segment) string {
	users := make(map[*chunk]int)
	for _, s := range live {
		users[s.chunk]++
	}
	for _, f := range c.free {
		if f.users != 0 || users[f] != 0 || f == c.filling {
			return "a chunk is free and in use"
		}
	}
	if f := c.filling; f != nil && f.users != users[f] {
		return "users is not how many there are"
	}
	if c.spare > len(c.free) {
		return "more spare chunks than free ones"
	}
	return ""
}

func TestSegmentsShareChunksAndNeverBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c chunks
		var live []*segment
		written := make(map[*segment][]byte)
		for step := range rapid.IntRange(1, 200).Draw(t, "steps") {
			switch rapid.IntRange(0, 5).Draw(t, "what") {
			case 0, 1, 2: // as queue.tail does
				n := rapid.SampledFrom([]int{1, 70, 900, 9000, maxChunk, maxChunk + 1}).Draw(t, "size")
				var s *segment
				if len(live) > 0 {
					s = live[len(live)-1]
				}
				if s == nil || cap(s.data)-len(s.data) < n {
					if s != nil {
						c.seal(s)
					}
					s = c.open(n)
					live = append(live, s)
				}
				more := bytes.Repeat([]byte{byte(step)}, n)
				s.data = append(s.data, more...)
				written[s] = append(written[s], more...)
			case 3:
				if len(live) > 0 {
					c.seal(live[len(live)-1])
				}
			case 4: // in the order of the log, and not what may still grow
				for n := rapid.IntRange(0, len(live)).Draw(t, "recycled"); n > 0; n-- {
					c.seal(live[0])
					delete(written, live[0])
					c.recycle(live[0])
					live = live[1:]
				}
			default:
				if rapid.Bool().Draw(t, "idle") {
					c.shrink()
				} else {
					c.trim()
				}
			}
			for _, s := range live {
				if !bytes.Equal(s.data, written[s]) {
					t.Fatalf("a segment of %d bytes has others' in it", len(s.data))
				}
			}
			if wrong := c.valid(live); wrong != "" {
				t.Fatal(wrong)
			}
		}
	})
}

func TestSteadyTrafficTakesNoMemory(t *testing.T) {
	var o outbox
	o.init(0)
	var bufs [][]byte
	most, payload := 0, make([]byte, 64)
	round := func() {
		for range 50 {
			o.queue.pushAgain(1, payload)
		}
		bufs = o.take(bufs[:0], maxWrite)
		o.wrote()
		if o.size() > 256<<10 {
			o.ack(o.next-1, 0)
		}
		most = max(most, len(bufs))
	}
	for range 1000 {
		round()
	}
	most = 0
	if got := testing.AllocsPerRun(1000, round); got != 0 {
		t.Errorf("%v allocations for 50 messages", got)
	}
	if most > 2 {
		t.Errorf("what lies in a row is written in %d pieces", most)
	}
}

// Each is confirmed before the next one comes: they all lie in the same bytes.
func TestLaneTakesAsMuchMemoryAsItHasOnItsWay(t *testing.T) {
	var o outbox
	o.init(0)
	var first *byte
	for range 1000 {
		o.queue.pushAgain(1, make([]byte, 64))
		bufs := o.take(nil, maxWrite)
		if first == nil {
			first = &bufs[0][0]
		}
		if &bufs[0][0] != first || len(o.queue.memory.free) > 0 {
			t.Fatal("one message after the other takes more than the memory of one")
		}
		o.wrote()
		o.ack(o.next-1, 0)
	}
}

func TestBusyLaneGivesUpWhatOnlyABurstNeeded(t *testing.T) {
	var o outbox
	o.init(0)
	burst := func(frames int) {
		for range frames {
			o.push(0, wire.Append(nil, wire.KindSignal, nil, 1<<10), make([]byte, 1<<10))
		}
		for o.unsent() {
			o.take(nil, maxWrite)
			o.wrote()
		}
		o.ack(o.next-1, 0)
	}
	memory := &o.queue.memory
	burst(2000)
	if len(memory.free) < 20 {
		t.Fatalf("%d chunks are free", len(memory.free))
	}
	memory.trim()
	burst(2000)
	if memory.trim(); len(memory.free) < 20 {
		t.Errorf("%d of the chunks that were in use are left", len(memory.free))
	}
	burst(10)
	memory.trim()
	if burst(10); len(memory.free) > 1 {
		t.Errorf("%d chunks are kept that nothing needs", len(memory.free))
	}
	if memory.shrink(); memory.free != nil || memory.filling != nil {
		t.Error("an idle lane keeps memory")
	}
}

// A lane that is never idle, and hardly busy, holds on to no more than it uses.
func TestLaneOfFewMessagesGivesUpWhatABurstNeeded(t *testing.T) {
	var o outbox
	o.init(0)
	send := func(frames int) {
		for range frames {
			o.queue.pushAgain(1, make([]byte, 64))
			o.take(nil, maxWrite)
			o.wrote()
		}
		o.ack(o.next-1, 0)
	}
	filling := func() int { return len(o.queue.memory.filling.memory) }
	send(10_000)
	if filling() != maxChunk {
		t.Fatalf("a burst takes chunks of %d bytes", filling())
	}
	for range 3 {
		send(500) // which need about half of it
		o.queue.memory.trim()
	}
	if send(1); filling() != maxChunk {
		t.Errorf("of a busy lane, %d bytes are kept", filling())
	}
	for range 2 {
		o.queue.memory.trim()
		send(2)
	}
	if filling() > minChunk {
		t.Errorf("%d bytes are kept for two messages at a time", filling())
	}
	send(1)
	o.take(nil, 1)
	if o.shrink(); cap(o.segs) > 0 || cap(o.queue.small) > 0 {
		t.Error("an idle lane keeps the list of what it had on its way")
	}
}
