package remote_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote"
)

// diary notes what a layer above sees of other nodes.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) note(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, fmt.Sprintf(format, args...))
}

func (d *diary) read() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.lines)
}

// keep notes members and payloads of topic "t", and greets each member.
func (d *diary) keep(n *remote.Node) {
	n.Subscribe(func(ev remote.MemberEvent) {
		d.note("%v %v", ev.Kind, ev.Node.Name)
		if ev.Kind == remote.MemberUp {
			if err := n.SendControl(ev.Node, "t", []byte("hello from "+n.ID().Name)); err != nil {
				d.note("error %v", err)
			}
		}
	})
	n.HandleControl("t", func(from actor.NodeID, payload []byte) { d.note("%v: %s", from.Name, payload) })
}

func TestControlPayloadsComeBetweenUpAndDown(t *testing.T) {
	for range 20 {
		bubble(t, func(t *testing.T, w *world) {
			var d diary
			a := start(t, w.config("a"), d.keep)
			b := start(t, w.config("b", a), new(diary).keep)
			meet(t, a, b)
			synctest.Wait()
			for i := range 100 {
				if err := b.SendControl(a.ID(), "t", fmt.Append(nil, i)); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(10 * time.Millisecond)
			w.net.Kill("b")
			time.Sleep(time.Second)
			synctest.Wait()
			lines := d.read()
			if len(lines) != 103 || lines[0] != "up b@b:1" || lines[1] != "b@b:1: hello from b@b:1" || lines[102] != "down b@b:1" {
				t.Fatalf("got %d lines: %v", len(lines), lines)
			}
			for i := range 100 {
				if lines[i+2] != fmt.Sprintf("b@b:1: %d", i) {
					t.Fatalf("line %d is %q", i+2, lines[i+2])
				}
			}
		})
	}
}

func TestControlPayloadsSurviveCutConnections(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.net.SetLatency(time.Millisecond)
		var d diary
		a := start(t, w.config("a"), d.keep)
		b := start(t, w.config("b", a))
		meet(t, a, b)
		payload := strings.Repeat("x", 20000) // each in memory of its own
		for i := range 500 {
			if err := b.SendControl(a.ID(), "t", fmt.Append(nil, i, " ", payload)); err != nil {
				t.Fatal(err)
			}
			if i%50 == 0 {
				time.Sleep(300 * time.Millisecond)
				w.net.Cut("a", "b")
			}
		}
		time.Sleep(10 * time.Second)
		lines := d.read()
		if len(lines) != 501 {
			t.Fatalf("%d lines", len(lines))
		}
		for i, line := range lines[1:] {
			if want := fmt.Sprintf("b@b:1: %d %s", i, payload); line != want {
				t.Fatalf("line %d is %.40q", i, line)
			}
		}
	})
}

func TestPayloadWithoutHandlerIsCounted(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		h := w.cluster("a", "b")
		if err := h[0].SendControl(h[1].ID(), "nobody", nil); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if n := h[1].Stats().Unhandled; n != 1 {
			t.Errorf("%d counted", n)
		}
	})
}

func TestControlRefusesWhatItCannotSend(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		h := w.cluster("a", "b")
		stranger := actor.NodeID{Name: "x@x:1", Incarnation: actor.Incarnation{Boot: 1, Unique: "u"}}
		for _, node := range []actor.NodeID{{}, stranger, h[0].ID()} {
			if err := h[0].SendControl(node, "t", nil); !errors.Is(err, actor.ErrNoConnection) {
				t.Errorf("%v: got %v", node, err)
			}
		}
		if err := h[0].SendControl(h[1].ID(), "", nil); err == nil {
			t.Error("a topic without a name was taken")
		}
		big := make([]byte, remote.DefaultMaxMessage+1)
		if err := h[0].SendControl(h[1].ID(), "t", big); !errors.Is(err, remote.ErrTooLarge) {
			t.Errorf("got %v", err)
		}
	})
}
