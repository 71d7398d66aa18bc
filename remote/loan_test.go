package remote_test

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote"
)

// lending starts two nodes, of which the first lends what comes on "bulk".
func (w *world) lending() (a, b *host) {
	cfg := w.config("a")
	cfg.Channels = []remote.Channel{{Name: "bulk", Lend: true}}
	a = start(w.T, cfg)
	cfg = w.config("b", a)
	cfg.Channels = []remote.Channel{{Name: "bulk"}}
	b = start(w.T, cfg)
	meet(w.T, a, b)
	return a, b
}

// checker checks messages that are of one byte over and over, and retains every
// tenth.
type checker struct {
	t     *testing.T
	where map[*byte]int
	kept  [][]byte
	n     int
}

func (k *checker) Receive(self *actor.Self, msg any) error {
	switch m := msg.(type) {
	case Get:
		return self.Reply(k.n)
	case []byte:
		k.where[unsafe.SliceData(m)]++
		k.check(m, k.n)
		if k.n%10 == 0 {
			self.Retain()
			k.kept = append(k.kept, m)
		}
		if _ = append(m, 1); cap(m) != len(m) {
			k.t.Errorf("message %d has room for %d bytes more", k.n, cap(m)-len(m))
		}
		k.n++
	}
	return nil
}

func (k *checker) check(m []byte, n int) {
	if want := bytes.Repeat([]byte{byte(n)}, sizeOf(n)); !bytes.Equal(m, want) {
		k.t.Errorf("message %d is not what was sent: %d bytes", n, len(m))
	}
}

func sizeOf(n int) int { return []int{9 << 10, 64 << 10, 1<<20 + 1}[n%3] }

func TestLentMemoryIsUsedAgainUnlessRetained(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		a, b := w.lending()
		k := &checker{t: t, where: make(map[*byte]int)}
		pid := a.spawn(t, k)
		const n = 300
		for i := range n {
			if err := b.sys.Send(pid, bytes.Repeat([]byte{byte(i)}, sizeOf(i)), actor.Channel("bulk")); err != nil {
				t.Fatal(err)
			}
			if i%20 == 0 {
				w.net.Cut("a", "b")
			}
		}
		if got, err := actor.Call[int](t.Context(), b.sys, pid, Get{}, actor.Channel("bulk")); got != n || err != nil {
			t.Fatal(got, err)
		}
		for i, m := range k.kept {
			k.check(m, 10*i)
		}
		again := 0
		for _, times := range k.where {
			again += times - 1
		}
		// How often depends on the garbage collector; at least sometimes.
		if t.Logf("%d of %d in memory that was used before", again, n); again == 0 {
			t.Error("no memory was used again")
		}
		for _, m := range k.kept {
			if k.where[unsafe.SliceData(m)] > 1 && usedAfter(k, m) {
				t.Error("retained memory was used again")
			}
		}
	})
}

// usedAfter reports whether two retained messages lie in the same memory.
func usedAfter(k *checker, m []byte) bool {
	same := 0
	for _, other := range k.kept {
		if unsafe.SliceData(other) == unsafe.SliceData(m) {
			same++
		}
	}
	return same > 1
}

func TestRequestsAndOtherChannelsAreNotLent(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		a, b := w.lending()
		var kept [][]byte
		pid := a.spawn(t, actor.Func(func(self *actor.Self, msg any) error {
			kept = append(kept, msg.([]byte))
			return self.Reply(true)
		}))
		const n = 100
		for i := range n {
			m := bytes.Repeat([]byte{byte(i)}, 64<<10)
			if _, err := actor.Call[bool](t.Context(), b.sys, pid, m, actor.Channel("bulk")); err != nil {
				t.Fatal(err)
			}
			if err := b.sys.Send(pid, m); err != nil {
				t.Fatal(err)
			}
		}
		w.pass(time.Second)
		synctest.Wait()
		if len(kept) != 2*n {
			t.Fatalf("%d came", len(kept))
		}
		count := make(map[byte]int)
		for _, m := range kept {
			if !bytes.Equal(m, bytes.Repeat(m[:1], 64<<10)) {
				t.Fatal("overwritten")
			}
			count[m[0]]++
		}
		for i := range n {
			if count[byte(i)] != 2 {
				t.Errorf("message %d is there %d times", i, count[byte(i)])
			}
		}
	})
}

// holder looks at its message again before it lets it go.
type holder struct {
	t    *testing.T
	let  chan struct{}
	end  error // what it returns
	seen chan struct{}
}

func (h *holder) Receive(_ *actor.Self, msg any) error {
	m := msg.([]byte)
	first := m[0]
	h.seen <- struct{}{}
	<-h.let
	if !bytes.Equal(m, bytes.Repeat([]byte{first}, len(m))) || first < 200 {
		h.t.Errorf("message %d has become %d … %d while it was in hand", first, m[0], m[len(m)-1])
	}
	h.seen <- struct{}{}
	return h.end
}

// Some receivers keep what is lent in hand for long, and are killed, exit or go on
// meanwhile. Nobody else gets that memory, and nothing that comes after it waits.
func TestLentMemoryInHandIsNobodyElsesAndKeepsNobodyWaiting(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		a, b := w.lending()
		k := &checker{t: t, where: make(map[*byte]int)}
		other := a.spawn(t, k)
		const hands, n = 3, 150
		let, seen := make(chan struct{}), make(chan struct{}, 2*hands)
		var holders []actor.PID
		for i := range hands {
			h := &holder{t: t, let: let, seen: seen}
			if i == 2 {
				h.end = errBroken
			}
			holders = append(holders, a.spawn(t, h))
			for more := range 2 { // one of them lies in the mailbox
				msg := bytes.Repeat([]byte{byte(200 + 10*i + more)}, sizeOf(i))
				if err := b.sys.Send(holders[i], msg, actor.Channel("bulk")); err != nil {
					t.Fatal(err)
				}
			}
		}
		for range hands {
			<-seen
		}
		if err := a.sys.Kill(holders[0]); err != nil {
			t.Fatal(err)
		}
		for i := range n {
			if i%40 == 20 {
				w.net.Cut("a", "b")
			}
			if err := b.sys.Send(other, bytes.Repeat([]byte{byte(i)}, sizeOf(i)), actor.Channel("bulk")); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := actor.Call[int](t.Context(), b.sys, other, Get{}, actor.Channel("bulk")); got != n || err != nil {
			t.Fatal(got, err)
		}
		close(let)
		for range hands + 2 { // the second message of the one that goes on, too
			<-seen
		}
		for i := range n {
			if err := b.sys.Send(other, bytes.Repeat([]byte{byte(n + i)}, sizeOf(n+i)), actor.Channel("bulk")); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := actor.Call[int](t.Context(), b.sys, other, Get{}, actor.Channel("bulk")); got != 2*n || err != nil {
			t.Fatal(got, err)
		}
		for i, m := range k.kept {
			k.check(m, 10*i)
		}
	})
}
