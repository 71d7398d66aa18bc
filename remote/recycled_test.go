package remote_test

import (
	"bytes"
	"runtime"
	"testing"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote"
)

// hoarder checks messages that are of one byte over and over, and keeps the latter
// half of every 27th.
type hoarder struct {
	t    *testing.T
	kept [][]byte
	n    int
}

func (h *hoarder) Receive(self *actor.Self, msg any) error {
	switch m := msg.(type) {
	case Get:
		return self.Reply(h.n)
	case []byte:
		if bytes.Count(m, []byte{byte(h.n)}) != len(m) || len(m) != largeSize(h.n) {
			h.t.Errorf("message %d is not what was sent: %d bytes", h.n, len(m))
		}
		if h.n%27 == 0 {
			h.kept = append(h.kept, m[len(m)/2:])
		}
		h.n++
	}
	return nil
}

func largeSize(n int) int { return []int{64 << 10, 512 << 10, 1<<20 + 1}[n%3] }

func TestLargeMessagesAreTheirReceiversOwn(t *testing.T) {
	cfg := config("a")
	cfg.Channels = []remote.Channel{{Name: "bulk"}}
	a := start(t, cfg)
	cfg = config("b", a.Addr())
	cfg.Channels = []remote.Channel{{Name: "bulk"}}
	b := start(t, cfg)
	a.await(t, remote.MemberUp, b.sys.Node())
	h := &hoarder{t: t}
	pid := a.spawn(t, h)
	const n = 300
	for i := range n {
		if err := b.sys.Send(pid, bytes.Repeat([]byte{byte(i)}, largeSize(i)), actor.Channel("bulk")); err != nil {
			t.Fatal(err)
		}
		if i%20 == 0 {
			if got, err := actor.Call[int](t.Context(), b.sys, pid, Get{}, actor.Channel("bulk")); got != i+1 || err != nil {
				t.Fatal(got, err)
			}
			runtime.GC()
		}
	}
	if got, err := actor.Call[int](t.Context(), b.sys, pid, Get{}, actor.Channel("bulk")); got != n || err != nil {
		t.Fatal(got, err)
	}
	for i, part := range h.kept {
		if bytes.Count(part, []byte{byte(27 * i)}) != len(part) {
			t.Errorf("message %d has changed after it was received", 27*i)
		}
	}
	// How often depends on the collector; at least sometimes.
	if again := a.Stats().Recycled; again < n/10 {
		t.Errorf("memory was used again %d times in %d messages", again, n)
	}
}
