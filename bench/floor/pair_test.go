package floor

import (
	"bytes"
	"net"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/topos-go/topos/bench/pair"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEveryWorkBetweenProcessesLosesNothing(t *testing.T) {
	for _, work := range Pair().Only {
		t.Run(work, func(t *testing.T) {
			r, err := pair.Alone(Pair(), work, 20*time.Millisecond)
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Figures) == 0 || r.Arrived != r.Sent || r.Misordered+r.Mangled > 0 {
				t.Errorf("result: %+v", r)
			}
		})
	}
}

func TestAReceiverOwnsABulkMessageAndIsLentALentOne(t *testing.T) {
	for name, c := range map[string]struct {
		room func(int) []byte
		owns bool
	}{"bulk": {fresh, true}, "lent": {reused(), false}} {
		wire := bytes.NewReader(frame{payload: []byte("one")}.appendTo(frame{payload: []byte("two")}.appendTo(nil)))
		header := make([]byte, headerSize)
		a, err := readFrame(wire, header, c.room)
		if err != nil {
			t.Fatal(err)
		}
		b, err := readFrame(wire, header, c.room)
		if err != nil {
			t.Fatal(err)
		}
		if string(b.payload) != "one" || (string(a.payload) == "two") != c.owns {
			t.Errorf("%s: the first is %q after the second, %q, has come", name, a.payload, b.payload)
		}
	}
}

func TestARequestFailsWhenTheServerIsGone(t *testing.T) {
	s, err := servePair("127.0.0.1:0", pair.Receivers{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := dialPair("", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got, err := c.Request([]byte("hello"), time.Minute); err != nil || string(got) != "hello" {
		t.Fatalf("reply %q, %v", got, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Request([]byte("hello"), time.Minute); err == nil {
		t.Error("a request to nobody was answered")
	}
}

func TestAnOutboxKeepsFramesInOrderAndLetsSendersWait(t *testing.T) {
	here, there := net.Pipe()
	o := newOutbox(here)
	ended := make(chan struct{})
	go func() { o.write(); close(ended) }()
	const n = 100
	big := make([]byte, full/10)
	go func() {
		for i := range n {
			if o.put(frame{sink: i, payload: big}) != nil {
				return
			}
		}
	}()
	var sinks []int
	header, room := make([]byte, headerSize), reused()
	for range n {
		f, err := readFrame(there, header, room)
		if err != nil {
			t.Fatal(err)
		}
		sinks = append(sinks, f.sink)
		o.mu.Lock()
		if len(o.waiting) > full+2*len(big) {
			t.Errorf("%d bytes wait", len(o.waiting))
		}
		o.mu.Unlock()
	}
	if !slices.IsSorted(sinks) {
		t.Errorf("order: %v", sinks)
	}
	o.close()
	<-ended
	if err := o.put(frame{}); err == nil {
		t.Error("a closed outbox took a frame")
	}
}
