package strong

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
)

// fill registers n names with values of size bytes.
func fill(ctx context.Context, t *testing.T, r *Registry, n, size int) {
	t.Helper()
	for i := range n {
		c := command{op: opRegister, name: fmt.Sprint("name ", i), value: strings.Repeat("v", size)}
		if res, err := r.client.change(ctx, c); err != nil || res.code != codeOK {
			t.Fatal(res, err)
		}
	}
}

// count returns how many names a node's copy has.
func count(r *Registry) (n int) {
	r.replica.fsm.view(func(m *machine) { n = len(m.names) })
	return n
}

// entries copies one of a transport's tables.
func entries[K comparable, V any](t *transport, table map[K]V) map[K]V {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(table)
}

func TestASnapshotComesInBoundedChunks(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 60, 4, 3, Config{SnapshotEvery: 50, Standbys: 1})
		defer w.close()
		for i := range 3 {
			w.start(i)
		}
		ctx := wait(t)
		fill(ctx, t, w.regs[0], 1000, 4000) // twice what may be on its way
		pass(5 * time.Second)
		var chunks, largest, flying, most int
		w.net.mu.Lock()
		w.net.drop = func(_, _ actor.NodeID, f frame) bool {
			switch f.kind {
			case kindChunk:
				chunks, flying = chunks+1, flying+1
				largest, most = max(largest, len(f.body)), max(most, flying)
			case kindTaken:
				flying--
			}
			return false
		}
		w.net.mu.Unlock()
		w.start(3)
		w.eventually("the new node has everything", func() bool { return count(w.regs[3]) == 1000 })
		if chunks <= window || largest > chunkSize+16 || most > window {
			t.Errorf("%d chunks of up to %d bytes, %d at once", chunks, largest, most)
		}
		w.eventually("nothing is left of it", func() bool {
			to, from := w.regs[3].replica.transport, w.regs[w.leader()].replica.transport
			return len(entries(to, to.streams)) == 0 && len(entries(from, from.senders)) == 0
		})
	})
}

func TestASnapshotThatBreaksOffIsSentAgain(t *testing.T) {
	for _, disk := range []bool{false, true} {
		bubble(t, func(t *testing.T) {
			w := newWorld(t, 61, 4, 3, Config{SnapshotEvery: 50, Standbys: 1})
			defer w.close()
			if disk {
				w.onDisk()
			}
			for i := range 3 {
				w.start(i)
			}
			ctx := wait(t)
			fill(ctx, t, w.regs[0], 400, 4000)
			pass(5 * time.Second)
			lost := 0
			w.net.mu.Lock()
			w.net.drop = func(_, _ actor.NodeID, f frame) bool {
				if f.kind == kindChunk && lost < 3 { // one in the middle, the others then do not fit
					lost++
					return lost == 2
				}
				return false
			}
			w.net.mu.Unlock()
			w.start(3)
			w.eventually("the new node has everything", func() bool { return count(w.regs[3]) == 400 })
			w.net.mu.Lock()
			defer w.net.mu.Unlock()
			if lost != 3 {
				t.Errorf("the test lost nothing")
			}
			w.regs[3].replica.fsm.view(func(m *machine) {
				if n := len(m.names["name 7"].value); n != 4000 {
					t.Errorf("it has %d bytes", n)
				}
			})
		})
	}
}

func TestASnapshotSurvivesARestartFromTheFolder(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, 62, 1, 1, Config{SnapshotEvery: 20}).onDisk().startAll()
		defer w.close()
		fill(wait(t), t, w.regs[0], 150, 100)
		pass(5 * time.Second)
		first, err := w.regs[0].replica.disk.FirstIndex()
		if err != nil || first < 20 {
			t.Errorf("the log still begins with %d, %v", first, err)
		}
		w.kill(0)
		w.start(0)
		w.leader()
		if n := count(w.regs[0]); n != 150 {
			t.Errorf("%d names", n)
		}
	})
}
