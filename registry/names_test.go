package registry

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/registry/internal/hub"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// place is a node with a system and names.
type place struct {
	id    actor.NodeID
	sys   *actor.System
	names *Names
	end   *hub.End
}

// newHub returns a hub that ends with the test.
func newHub(t *testing.T) *hub.Hub {
	t.Helper()
	h := hub.New(1)
	t.Cleanup(h.Close)
	return h
}

// join adds a node to a hub.
func join(t *testing.T, h *hub.Hub, i int) *place {
	t.Helper()
	return joinWith(t, h, NamesConfig{Node: testNode(i)})
}

func joinWith(t *testing.T, h *hub.Hub, cfg NamesConfig) *place {
	t.Helper()
	p := &place{id: cfg.Node, end: h.Join(cfg.Node)}
	p.names = NewNames(cfg)
	sys, err := actor.NewSystem(actor.Config{Node: p.id, Names: p.names})
	if err != nil {
		t.Fatal(err)
	}
	p.sys = sys
	p.names.Start(p.end, sys.Exit)
	p.end.Open()
	t.Cleanup(func() {
		sys.Close(context.Background())
		p.names.Close()
	})
	return p
}

// isolate parts one node from the others.
func isolate(h *hub.Hub, id actor.NodeID) {
	h.Split(func(n actor.NodeID) int {
		if n == id {
			return 1
		}
		return 0
	})
}

// holder spawns a process that holds name.
func (p *place) holder(t *testing.T, name string) actor.PID {
	t.Helper()
	pid, err := p.sys.Spawn(t.Context(), actor.Func(func(*actor.Self, any) error { return nil }), actor.ClusterName(name))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func TestANameIsKnownOnEveryNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t)
		a, b := join(t, h, 1), join(t, h, 2)
		pid := a.holder(t, "x")
		synctest.Wait()
		c := join(t, h, 3) // comes later
		synctest.Wait()
		for _, p := range []*place{a, b, c} {
			if got, ok := p.names.Whereis("x"); !ok || got != pid {
				t.Errorf("on %s: %v, %v", p.id.Name, got, ok)
			}
		}
		if _, err := b.sys.Spawn(t.Context(), actor.Func(nil), actor.ClusterName("x")); !errors.Is(err, actor.ErrNameTaken) {
			t.Errorf("a second holder: %v, want ErrNameTaken", err)
		}
	})
}

func TestANameGoesWithItsProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t)
		a, b := join(t, h, 1), join(t, h, 2)
		pid := a.holder(t, "x")
		synctest.Wait()
		a.sys.Kill(pid)
		synctest.Wait()
		if got, ok := b.names.Whereis("x"); ok {
			t.Errorf("still held by %v", got)
		}
		if again := b.holder(t, "x"); again == pid {
			t.Error("the same process")
		}
	})
}

func TestNamesOfALostNodeVanishAndReturnWithIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t)
		a, b := join(t, h, 1), join(t, h, 2)
		pid := a.holder(t, "x")
		synctest.Wait()
		isolate(h, a.id)
		synctest.Wait()
		if _, ok := b.names.Whereis("x"); ok {
			t.Error("a name beyond a partition is still there")
		}
		h.Split(nil)
		synctest.Wait()
		if got, _ := b.names.Whereis("x"); got != pid {
			t.Errorf("after healing: %v", got)
		}
	})
}

func TestAfterAPartitionTheOlderHolderKeepsTheName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t)
		a, b := join(t, h, 1), join(t, h, 2)
		synctest.Wait()
		isolate(h, a.id)
		older := b.holder(t, "x")
		time.Sleep(time.Second)
		ends := make(chan error, 1)
		cancel := a.sys.Observe(func(e actor.Event) {
			if exit, ok := e.(actor.ProcessExited); ok {
				ends <- exit.Reason
			}
		})
		defer cancel()
		a.holder(t, "x")
		h.Split(nil)
		reason := <-ends
		var conflict *ConflictError
		if !errors.As(reason, &conflict) || conflict.Winner != older || conflict.Name != "x" {
			t.Errorf("the younger holder ended with %v", reason)
		}
		if !errors.Is(reason, ErrConflict) || !errors.Is(reason, actor.ErrNameTaken) {
			t.Errorf("%v is not ErrConflict", reason)
		}
		synctest.Wait()
		for _, p := range []*place{a, b} {
			if got, _ := p.names.Whereis("x"); got != older {
				t.Errorf("on %s the holder is %v, want %v", p.id.Name, got, older)
			}
		}
	})
}

func TestAwaitReturnsWhenTheNameIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t)
		a, b := join(t, h, 1), join(t, h, 2)
		got := make(chan actor.PID, 1)
		go func() {
			pid, err := b.names.Await(t.Context(), "x")
			if err != nil {
				t.Error(err)
			}
			got <- pid
		}()
		synctest.Wait()
		if pid := a.holder(t, "x"); <-got != pid {
			t.Error("Await returned somebody else")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := b.names.Await(ctx, "never"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Await = %v", err)
		}
		if len(b.names.waiters) != 0 {
			t.Error("a waiter that gave up is still there")
		}
	})
}

func TestALostUpdateIsMadeUpForByAntiEntropy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t)
		a, b := join(t, h, 1), join(t, h, 2)
		synctest.Wait()
		h.Lose(func(actor.NodeID, actor.NodeID, string) bool { return true })
		pid := a.holder(t, "x")
		synctest.Wait()
		h.Lose(nil)
		time.Sleep(DefaultAntiEntropy + time.Second)
		if got, _ := b.names.Whereis("x"); got != pid {
			t.Errorf("after anti-entropy: %v, want %v", got, pid)
		}
	})
}

func TestGarbageAboutNamesIsIgnored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t)
		a, b := join(t, h, 1), join(t, h, 2)
		pid := a.holder(t, "x")
		synctest.Wait()
		for _, garbage := range [][]byte{nil, {0xff}, []byte("not cbor at all"), {0xa1, 0x01, 0xf6}} {
			_ = b.end.SendControl(a.id, namesTopic, garbage)
		}
		synctest.Wait()
		if got, _ := a.names.Whereis("x"); got != pid {
			t.Errorf("holder = %v", got)
		}
	})
}

// scribe notes events of names.
type scribe struct {
	mu    sync.Mutex
	lines []string
}

func (s *scribe) hear(e NameEvent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	line := e.Name + " " + e.Kind.String()
	if zone := e.Metadata["zone"]; zone != "" {
		line += " in " + zone
	}
	s.lines = append(s.lines, line)
}

func (s *scribe) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.lines, "; ")
}

func TestWhatHappensToNamesIsToldInOrderOnEveryNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t)
		a, b := join(t, h, 1), join(t, h, 2)
		synctest.Wait()
		var atA, atB scribe
		cancel := a.names.Subscribe(atA.hear)
		defer b.names.Subscribe(atB.hear)()
		pid := a.holder(t, "x")
		if err := a.names.Describe("x", pid, map[string]string{"zone": "eu"}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if c, ok := b.names.Lookup("x"); !ok || c.PID != pid || c.Metadata["zone"] != "eu" || time.Since(c.Registered) > time.Second {
			t.Errorf("Lookup = %+v, %v", c, ok)
		}
		_ = a.sys.Kill(pid)
		synctest.Wait()
		const want = "x registered; x described in eu; x unregistered in eu"
		if atA.String() != want || atB.String() != want {
			t.Errorf("told on a: %v\non b: %v\nwant %v", &atA, &atB, want)
		}
		cancel()
		a.holder(t, "y")
		synctest.Wait()
		if atA.String() != want {
			t.Errorf("after cancel: %v", &atA)
		}
	})
}

func TestConflictIsToldOnTheNodeOfTheLoser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t)
		a, b := join(t, h, 1), join(t, h, 2)
		synctest.Wait()
		isolate(h, a.id)
		b.holder(t, "x")
		time.Sleep(time.Second)
		a.holder(t, "x")
		var atA, atB scribe
		defer a.names.Subscribe(atA.hear)()
		defer b.names.Subscribe(atB.hear)()
		h.Split(nil)
		synctest.Wait()
		if got := atA.String(); got != "x conflict; x unregistered; x registered" {
			t.Errorf("on the loser's node: %q", got)
		}
		if got := atB.String(); got != "" {
			t.Errorf("on the winner's node, where nothing has changed: %q", got)
		}
	})
}

func TestOnlyTheHolderOfANameDescribesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t)
		a, b := join(t, h, 1), join(t, h, 2)
		pid := a.holder(t, "x")
		synctest.Wait()
		other := a.holder(t, "y")
		for _, err := range []error{
			b.names.Describe("x", pid, nil), a.names.Describe("x", other, nil), a.names.Describe("z", pid, nil),
		} {
			if !errors.Is(err, ErrNotHolder) {
				t.Errorf("Describe = %v, want ErrNotHolder", err)
			}
		}
		if err := a.names.Describe("x", pid, map[string]string{"k": strings.Repeat("v", MaxMetadata)}); !errors.Is(err, ErrMetadata) {
			t.Errorf("Describe with too much = %v", err)
		}
		if err := a.names.Register(strings.Repeat("n", MaxName+1), pid); !errors.Is(err, actor.ErrInvalidName) {
			t.Errorf("Register of a long name = %v", err)
		}
	})
}

func TestMetadataDecidesAConflictIfTheRuleSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t)
		cfg := func(i int) NamesConfig { return NamesConfig{Node: testNode(i), Rule: ByMetadata("orders")} }
		a, b := joinWith(t, h, cfg(1)), joinWith(t, h, cfg(2))
		synctest.Wait()
		isolate(h, a.id)
		older := b.holder(t, "x")
		time.Sleep(time.Second)
		younger := a.holder(t, "x")
		_ = a.names.Describe("x", younger, map[string]string{"orders": "20"})
		_ = b.names.Describe("x", older, map[string]string{"orders": "3"})
		h.Split(nil)
		synctest.Wait()
		for _, p := range []*place{a, b} {
			if got, _ := p.names.Whereis("x"); got != younger {
				t.Errorf("on %s the holder is %v, want the one with more orders", p.id.Name, got)
			}
		}
		if b.sys.Alive(older) {
			t.Error("the loser lives on")
		}
	})
}

func TestNameThatWasGivenUpDuringAPartitionHurtsNobodyAfterwards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t)
		a, b := join(t, h, 1), join(t, h, 2)
		older := a.holder(t, "x")
		synctest.Wait()
		isolate(h, a.id)
		_ = a.sys.Kill(older)
		time.Sleep(time.Second)
		younger := b.holder(t, "x")
		h.Split(nil)
		synctest.Wait()
		if got, _ := a.names.Whereis("x"); got != younger || !b.sys.Alive(younger) {
			t.Errorf("the holder is %v, want the living %v", got, younger)
		}
	})
}

func TestRestartedNodeLeavesNoNamesOfItsFormerLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t)
		a, b := join(t, h, 1), join(t, h, 2)
		a.holder(t, "x")
		a.holder(t, "y")
		synctest.Wait()
		h.Kill(a.id)
		again := testNode(1)
		again.Incarnation.Boot++
		c := joinWith(t, h, NamesConfig{Node: again})
		pid := c.holder(t, "x")
		synctest.Wait()
		if all := b.names.All(); len(all) != 1 || all["x"] != pid || b.names.Len() != 1 {
			t.Errorf("names are %v", all)
		}
	})
}
