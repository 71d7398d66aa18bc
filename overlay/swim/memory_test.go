package swim

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/topos-go/topos/overlay"
)

// inUse returns how many bytes are reachable.
func inUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestTenThousandMembersTakeAMegabyte(t *testing.T) {
	nodes := make([]overlay.Node, 10_000)
	for i := range nodes {
		nodes[i] = overlay.Node{Name: fmt.Sprintf("node-%05d@10.0.%d.%d:4000", i, i/250, i%250), Boot: 1, Unique: "abcdefgh"}
	}
	rng := rand.New(rand.NewPCG(1, 1))
	before := inUse()
	c, err := New(Config{Self: overlay.Node{Name: "self@x"}, Rand: rng})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range rng.Perm(len(nodes)) {
		c.Step(epoch, Watch{nodes[i]})
	}
	idle := inUse() - before
	now := epoch
	for i := range 6_000 { // more than half of them fail
		now = now.Add(time.Millisecond)
		c.Step(now, Heard{Fact{State: Suspect, Node: nodes[i], By: nodes[i+1]}})
	}
	worst := inUse() - before
	t.Logf("%d bytes, %d with 6,000 suspicions and %d rumors", idle, worst, c.Stats().Rumors)
	if idle > 2<<20 || worst > 5<<20 {
		t.Errorf("%d bytes, %d with 6,000 suspicions", idle, worst)
	}
	if err := c.valid(); err != nil {
		t.Error(err)
	}
	runtime.KeepAlive(c)
}

// Each of a thousand nodes watches all others.
func TestAThousandNodesFitInOneProcess(t *testing.T) {
	before := inUse()
	w := newWorld(1, 1000, Config{})
	perMember := float64(inUse()-before) / 1e6
	w.run(300 * time.Millisecond)
	at := w.now
	w.kill(7, false)
	w.run(6 * time.Second)
	after, missing := w.verdicts(7, at)
	if missing > 0 {
		t.Fatalf("%d have not noticed", missing)
	}
	t.Logf("%.0f bytes a member; first %v, all %v", perMember, after[0], after[len(after)-1])
	if perMember > 200 {
		t.Errorf("%.0f bytes a member", perMember)
	}
	w.live(t)
}
