package actor

import (
	"testing"

	"pgregory.net/rapid"
)

// boxed is a process of which only the mail is used.
func boxed() *process {
	sys := &System{}
	sys.chunks.New = func() any { return new(chunk) }
	return &process{sys: sys}
}

// TestMailboxGivesOutWhatASliceWould runs random interleavings of senders and the receiver on a
// mailbox, a hand and a stash, and on slices.
func TestMailboxGivesOutWhatASliceWould(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := boxed()
		var queue, hand, stash []int
		sent := 0
		next := func(t *rapid.T) (int, bool) {
			msg, ok := p.hand.next(p.sys)
			if !ok {
				if len(hand) > 0 {
					t.Fatalf("the hand is empty, %d expected", len(hand))
				}
				return 0, false
			}
			if len(hand) == 0 || msg != hand[0] {
				t.Fatalf("got %v, want %v", msg, hand[:min(1, len(hand))])
			}
			hand = hand[1:]
			return msg.(int), true
		}
		t.Repeat(map[string]func(*rapid.T){
			"push": func(t *rapid.T) {
				for range rapid.SampledFrom([]int{1, 2, 3, 61, 62, 63, 64, 500, 1100}).Draw(t, "n") {
					p.mailbox.push(sent, p.sys)
					queue = append(queue, sent)
					sent++
				}
			},
			"take": func(t *rapid.T) {
				if len(hand) > 0 {
					t.Skip()
				}
				before := p.mailbox.count
				if took := p.mailbox.take(&p.hand); took != (len(queue) > 0) {
					t.Fatalf("take = %v of %d", took, len(queue))
				}
				n := int(before - p.mailbox.count)
				if n > inlineMessages+takeChunks*chunkMessages {
					t.Fatalf("took %d at once", n)
				}
				hand, queue = queue[:n:n], queue[n:]
			},
			"next": func(t *rapid.T) {
				for range rapid.IntRange(1, 130).Draw(t, "n") {
					if _, ok := next(t); !ok {
						break
					}
				}
			},
			"stash": func(t *rapid.T) {
				for range rapid.IntRange(1, 130).Draw(t, "n") {
					msg, ok := next(t)
					if !ok {
						break
					}
					if err := p.stashMessage(msg); err != nil {
						t.Fatal(err)
					}
					stash = append(stash, msg)
				}
			},
			"unstash": func(t *rapid.T) {
				if n := p.unstashAll(); n != len(stash) {
					t.Fatalf("unstashed %d of %d", n, len(stash))
				}
				hand = append(stash, hand...)
				stash = nil
			},
			"": func(t *rapid.T) {
				if int(p.mailbox.count) != len(queue) {
					t.Fatalf("count = %d, want %d", p.mailbox.count, len(queue))
				}
			},
		})
	})
}

func TestMailboxKeepsNothingAfterABurst(t *testing.T) {
	p := boxed()
	for i := range 10_000 {
		p.mailbox.push(i, p.sys)
	}
	for p.mailbox.take(&p.hand) {
		for {
			if _, ok := p.hand.next(p.sys); !ok {
				break
			}
		}
	}
	if p.mailbox != (mailbox{}) {
		t.Errorf("left in the mailbox: %+v", p.mailbox)
	}
	if h := p.hand; h.chunk != nil || h.first != [inlineMessages]any{} {
		t.Errorf("left in the hand: %+v", h)
	}
	c := p.sys.newChunk()
	if c.next != nil || c.n != 0 || c.msgs != [chunkMessages]any{} {
		t.Error("a chunk in the pool holds on to messages")
	}
}

func TestBoundKeepsNothingAfterABurst(t *testing.T) {
	b := &bound{Mailbox: Mailbox{Capacity: 1000}}
	for i := range 1000 {
		b.users++
		b.push(i, false)
	}
	for {
		if _, ok := b.pop(); !ok {
			break
		}
	}
	if b.queue != nil || b.users != 0 || b.n != 0 {
		t.Errorf("left: %d entries, %d users", len(b.queue), b.users)
	}
}

// TestBoundGivesOutWhatASliceWould: users in order and at most as many as fit, signals always.
func TestBoundGivesOutWhatASliceWould(t *testing.T) {
	type entry struct {
		msg    int
		exempt bool
	}
	rapid.Check(t, func(t *rapid.T) {
		b := &bound{Mailbox: Mailbox{Capacity: rapid.IntRange(1, 10).Draw(t, "capacity")}}
		var model []entry
		var waiting []*waiter
		sent := 0
		t.Repeat(map[string]func(*rapid.T){
			"signal": func(*rapid.T) {
				b.push(sent, true)
				model = append(model, entry{sent, true})
				sent++
			},
			"message": func(t *rapid.T) {
				switch {
				case b.users < b.Capacity:
					b.users++
					b.push(sent, false)
					model = append(model, entry{sent, false})
				case rapid.Bool().Draw(t, "drop") && len(waiting) == 0:
					i := 0
					for model[i].exempt {
						i++
					}
					if got := b.replaceOldest(sent); got != model[i].msg {
						t.Fatalf("dropped %v, want %v", got, model[i].msg)
					}
					model = append(append(model[:i:i], model[i+1:]...), entry{sent, false})
				default:
					w := &waiter{msg: sent, done: make(chan struct{})}
					b.waiting = append(b.waiting, w)
					waiting = append(waiting, w)
				}
				sent++
			},
			"give up": func(t *rapid.T) {
				if len(waiting) == 0 {
					t.Skip()
				}
				i := rapid.IntRange(0, len(waiting)-1).Draw(t, "i")
				b.giveUp(waiting[i])
				waiting = append(waiting[:i:i], waiting[i+1:]...)
			},
			"pop": func(t *rapid.T) {
				msg, ok := b.pop()
				if ok != (len(model) > 0) {
					t.Fatalf("pop = %v", ok)
				}
				if !ok {
					return
				}
				if msg != model[0].msg {
					t.Fatalf("pop = %v, want %v", msg, model[0].msg)
				}
				user := !model[0].exempt
				if model = model[1:]; user && len(waiting) > 0 {
					if !waiting[0].taken {
						t.Fatal("the longest waiter was not let in")
					}
					model = append(model, entry{waiting[0].msg.(int), false})
					waiting = waiting[1:]
				}
			},
			"": func(t *rapid.T) {
				users := 0
				for _, e := range model {
					if !e.exempt {
						users++
					}
				}
				if b.users != users || users > b.Capacity || b.n != len(model) || len(waiting) > 0 && users != b.Capacity {
					t.Fatalf("users %d, want %d; n %d, want %d", b.users, users, b.n, len(model))
				}
			},
		})
	})
}
