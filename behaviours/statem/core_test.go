package statem

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// model is the order of events as OTP's manual tells it, written down without
// thought of what it costs.
type model struct {
	state     int
	queue     []Event // the next one first
	postponed []Event
	running   map[timerKey]any // real timers, with their contents
	zero      []setting        // timeouts of zero, in the order in which they were set
}

func (m *model) stop(key timerKey) {
	delete(m.running, key)
	m.zero = slices.DeleteFunc(m.zero, func(s setting) bool { return s.key == key })
}

func (m *model) commit(e Event, t *transition[int]) {
	m.stop(timerKey{kind: EventTimeout})
	if t.postpone {
		m.postponed = append(m.postponed, e)
	}
	if t.next != m.state {
		m.state = t.next
		m.stop(timerKey{kind: StateTimeout})
		m.queue = slices.Concat(m.postponed, m.queue)
		m.postponed = nil
	}
	m.queue = slices.Concat(t.inserted, m.queue)
	last := make(map[timerKey]int)
	for i, s := range t.settings {
		last[s.key] = i
	}
	for i, s := range t.settings {
		if last[s.key] == i {
			m.set(s)
		}
	}
}

func (m *model) set(s setting) {
	if s.update {
		if _, ok := m.running[s.key]; ok {
			m.running[s.key] = s.content
			return
		}
		for i := range m.zero {
			if m.zero[i].key == s.key {
				m.zero[i].content = s.content
				return
			}
		}
		m.zero = append(m.zero, s)
		return
	}
	m.stop(s.key)
	switch {
	case s.after == Infinity:
	case s.after == 0:
		m.zero = append(m.zero, s)
	default:
		m.running[s.key] = s.content
	}
}

func (m *model) take() (Event, bool) {
	if len(m.queue) > 0 {
		e := m.queue[0]
		m.queue = m.queue[1:]
		return e, true
	}
	if len(m.zero) > 0 {
		s := m.zero[0]
		m.zero = m.zero[1:]
		return Event{Kind: s.key.kind, Name: s.key.name, Content: s.content}, true
	}
	return Event{}, false
}

// drawTransition draws what a handler in state asks for.
func drawTransition(t *rapid.T, state int) *transition[int] {
	var asked transition[int]
	asked.begin(state)
	asked.next = rapid.SampledFrom([]int{state, state, 0, 1, 2}).Draw(t, "next")
	asked.postpone = rapid.Bool().Draw(t, "postpone")
	asked.hibernate = rapid.Bool().Draw(t, "hibernate")
	for range rapid.SampledFrom([]int{0, 0, 0, 1, 2}).Draw(t, "inserted") {
		asked.inserted = append(asked.inserted, Event{Kind: Internal, Content: rapid.Int().Draw(t, "content")})
	}
	for range rapid.SampledFrom([]int{0, 0, 1, 2, 4}).Draw(t, "settings") {
		asked.settings = append(asked.settings, setting{
			key:     drawKey(t),
			after:   rapid.SampledFrom([]time.Duration{0, time.Second, Infinity}).Draw(t, "after"),
			update:  rapid.Bool().Draw(t, "update"),
			content: rapid.Int().Draw(t, "content"),
		})
	}
	return &asked
}

func drawKey(t *rapid.T) timerKey {
	return rapid.SampledFrom([]timerKey{
		{kind: StateTimeout}, {kind: EventTimeout}, {kind: Timeout, name: "a"}, {kind: Timeout, name: "b"},
	}).Draw(t, "timer")
}

// Whatever handlers ask for, the core hands out events in the order of the
// model, and the timers that its effects leave running are the model's.
func TestCoreFollowsTheModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, m := core[int]{}, model{running: make(map[timerKey]any)}
		real := make(map[timerKey]bool)
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			e, ok := c.take()
			if expected, is := m.take(); ok != is || e != expected {
				t.Fatalf("core takes %v %v, model %v %v", e, ok, expected, is)
			}
			if !ok { // something comes from outside
				e = Event{Kind: Cast, Content: rapid.Int().Draw(t, "cast")}
				if key := drawKey(t); real[key] && rapid.Bool().Draw(t, "fires") {
					delete(real, key)
					e = Event{Kind: key.kind, Name: key.name, Content: m.running[key]}
					delete(m.running, key)
					if fired, ok := c.expire(key); !ok || fired != e {
						t.Fatalf("core's timer %v ends as %v %v, model's as %v", key, fired, ok, e)
					}
				}
			}
			asked := drawTransition(t, c.state)
			m.commit(e, asked)
			for _, effect := range c.commit(e, asked) {
				if delete(real, effect.key); effect.start {
					real[effect.key] = true
				}
			}
			if err := c.valid(); err != nil {
				t.Fatal(err)
			}
			compare(t, &c, &m, real)
		}
	})
}

func compare(t *rapid.T, c *core[int], m *model, real map[timerKey]bool) {
	if c.state != m.state || fmt.Sprint(c.postponed) != fmt.Sprint(m.postponed) {
		t.Fatalf("core is in %v with %v postponed, model in %v with %v", c.state, c.postponed, m.state, m.postponed)
	}
	if c.waiting() != (len(m.queue)+len(m.zero) > 0) {
		t.Fatalf("core waits: %v, model has %v and %v", !c.waiting(), m.queue, m.zero)
	}
	if len(real) != len(m.running) {
		t.Fatalf("timers that run: %v, model's %v", real, m.running)
	}
	for key, content := range m.running {
		if at := c.timer(key); !real[key] || !at.set || at.zero || at.content != content {
			t.Fatalf("timer %v: core %+v, runs: %v; model %v", key, at, real[key], content)
		}
	}
}

// A timer whose message was on its way when it was replaced says nothing.
func TestTimerThatIsNotSetExpiresWithoutAnEvent(t *testing.T) {
	var c core[int]
	if e, ok := c.expire(timerKey{kind: StateTimeout}); ok {
		t.Errorf("it is %v", e)
	}
}

func TestHibernatingCoreKeepsNoSpareMemory(t *testing.T) {
	var c core[int]
	var asked transition[int]
	asked.begin(0)
	for i := range 1000 {
		asked.insert(Event{Kind: Internal, Content: i})
	}
	c.commit(Event{}, &asked)
	for range 1000 {
		c.take()
	}
	asked.begin(0)
	asked.hibernate = true
	c.commit(Event{}, &asked)
	if cap(c.queue) != 0 {
		t.Errorf("a queue of %d is kept", cap(c.queue))
	}
}
