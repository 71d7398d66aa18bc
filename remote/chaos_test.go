package remote_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote"
)

// witness checks what one node is told against what is promised.
type witness struct {
	self string

	mu    sync.Mutex
	up    map[actor.NodeID]bool
	last  map[actor.NodeID]uint64 // the last payload of each node
	fresh map[actor.NodeID]bool   // nothing has come since it was up
	gaps  int
	wrong []string
}

func newWitness(self string) *witness {
	return &witness{self: self, up: make(map[actor.NodeID]bool), last: make(map[actor.NodeID]uint64), fresh: make(map[actor.NodeID]bool)}
}

func (w *witness) complain(format string, args ...any) {
	w.wrong = append(w.wrong, w.self+": "+fmt.Sprintf(format, args...))
}

func (w *witness) watch(n *remote.Node) {
	n.Subscribe(func(ev remote.MemberEvent) {
		w.mu.Lock()
		defer w.mu.Unlock()
		isUp := ev.Kind == remote.MemberUp
		if w.up[ev.Node] == isUp {
			w.complain("%v %v twice", ev.Node, ev.Kind)
		}
		for other := range w.up {
			if isUp && other.Name == ev.Node.Name && other != ev.Node {
				w.complain("%v up beside %v", ev.Node, other)
			}
		}
		if isUp {
			w.up[ev.Node], w.fresh[ev.Node] = true, true
		} else {
			delete(w.up, ev.Node)
		}
	})
	n.HandleControl("count", func(from actor.NodeID, payload []byte) {
		w.mu.Lock()
		defer w.mu.Unlock()
		count := binary.BigEndian.Uint64(payload)
		switch last := w.last[from]; {
		case !w.up[from]:
			w.complain("payload %d of %v, which is not up", count, from)
		case count <= last:
			w.complain("payload %d of %v after %d", count, from, last)
		case count != last+1 && !w.fresh[from]:
			w.complain("payload %d of %v after %d, and it was up in between", count, from, last)
		case count != last+1:
			w.gaps++
		}
		w.last[from], w.fresh[from] = count, false
	})
}

// talker sends numbers to all members.
type talker struct {
	*host
	sent map[actor.NodeID]uint64
}

func (h *talker) talk() {
	for _, m := range h.Members() {
		if m.Self {
			continue
		}
		payload := make([]byte, 8, 8+len(h.sent))
		binary.BigEndian.PutUint64(payload, h.sent[m.Node]+1)
		if h.SendControl(m.Node, "count", payload) == nil {
			h.sent[m.Node]++
		}
	}
}

// Whatever happens to nodes and network: what each node is told keeps the
// promises, and in the end all have met again.
func TestPromisesAreKeptInChaos(t *testing.T) {
	for seed := range uint64(30) {
		bubble(t, func(t *testing.T, w *world) { chaos(t, w, seed) })
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func chaos(t *testing.T, w *world, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 1))
	names := []string{"a", "b", "c"}
	hosts := make(map[string]*talker)
	var witnesses []*witness
	boot := func(name string) {
		cfg := w.config(name)
		cfg.Join, cfg.Seed = []string{"a:1", "b:1", "c:1"}, rng.Uint64()
		wit := newWitness(name)
		witnesses = append(witnesses, wit)
		hosts[name] = &talker{start(t, cfg, wit.watch), make(map[actor.NodeID]uint64)}
	}
	for _, name := range names {
		boot(name)
	}
	w.net.SetLatency(time.Duration(rng.IntN(20)) * time.Millisecond)
	pick := func() string { return names[rng.IntN(len(names))] }
	for range 60 {
		a, b := pick(), pick()
		switch rng.IntN(8) {
		case 0, 1:
			w.net.Cut(a, b)
		case 2:
			if a != b {
				w.net.Partition(a, b)
			}
		case 3, 4:
			w.net.Heal(a, b)
		case 5:
			if rng.IntN(3) == 0 {
				w.net.Kill(a)
				hosts[a].stop(t)
				w.pass(time.Millisecond)
				boot(a)
			}
		}
		for range 1 + rng.IntN(5) {
			for _, name := range names {
				hosts[name].talk()
			}
			w.pass(time.Duration(rng.IntN(700)) * time.Millisecond)
		}
	}
	for _, a := range names {
		for _, b := range names {
			w.net.Heal(a, b)
		}
	}
	w.pass(20 * time.Second)
	for _, name := range names {
		h := hosts[name]
		h.talk()
		if len(h.Members()) != len(names) {
			t.Errorf("%s sees %v", name, h.Members())
		}
		pid := h.spawn(t, &counter{n: 1})
		for _, other := range names {
			if n, err := actor.Call[int](t.Context(), hosts[other].sys, pid, Get{}); n != 1 || err != nil {
				t.Errorf("%s calls %s: %v", other, name, err)
			}
		}
	}
	w.pass(time.Second)
	for _, wit := range witnesses {
		wit.mu.Lock()
		for _, line := range wit.wrong {
			t.Error(line)
		}
		wit.mu.Unlock()
	}
	// The last numbers have arrived everywhere.
	for _, name := range names {
		for to, n := range hosts[name].sent {
			i := slices.IndexFunc(witnesses, func(wit *witness) bool {
				wit.mu.Lock()
				defer wit.mu.Unlock()
				return wit.self+"@"+wit.self+":1" == to.Name && wit.last[hosts[name].ID()] == n
			})
			if i < 0 && len(hosts[name].Members()) == len(names) && slices.ContainsFunc(hosts[name].Members(), func(m remote.Member) bool { return m.Node == to }) {
				t.Errorf("%s: the last payload to %v, %d, has not arrived", name, to, n)
			}
		}
	}
}
