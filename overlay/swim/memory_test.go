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

// manyNodes returns nodes as a cluster has them.
func manyNodes(n int) []overlay.Node {
	nodes := make([]overlay.Node, n)
	for i := range nodes {
		nodes[i] = overlay.Node{Name: fmt.Sprintf("node-%05d@10.0.%d.%d:4000", i, i/250, i%250), Boot: 1, Unique: "abcdefgh"}
	}
	return nodes
}

// watching returns cores that watch nodes, each in an order of its own.
func watching(tb testing.TB, cores int, nodes []overlay.Node, pool *overlay.NodePool) []*Core {
	tb.Helper()
	all := make([]*Core, cores)
	for i := range all {
		rng := rand.New(rand.NewPCG(uint64(i), 1))
		c, err := New(Config{Self: overlay.Node{Name: "self@x"}, Rand: rng, Pool: pool})
		if err != nil {
			tb.Fatal(err)
		}
		for _, j := range rng.Perm(len(nodes)) {
			c.Step(epoch, Watch{nodes[j]})
		}
		all[i] = c
	}
	return all
}

// The nodes themselves are in a pool once, for all cores that watch them.
func TestTenThousandMembersTakeThirtyTwoBytesEach(t *testing.T) {
	nodes := manyNodes(10_000)
	before := inUse()
	var pool overlay.NodePool
	first := watching(t, 1, nodes, &pool)
	shared := inUse()
	c := watching(t, 1, nodes, &pool)[0]
	idle := inUse() - shared
	now := epoch
	for i := range 6_000 { // more than half of them fail
		now = now.Add(time.Millisecond)
		c.Step(now, Heard{Fact{State: Suspect, Node: nodes[i], By: nodes[i+1]}})
	}
	worst := inUse() - shared
	t.Logf("%d bytes, %d with 6,000 suspicions and %d rumors; %d with the nodes", idle, worst, c.Stats().Rumors, shared-before)
	if idle > 32*10_000 || worst > 2<<20 || shared-before > 5<<20 {
		t.Errorf("%d bytes, %d with 6,000 suspicions; %d with the nodes", idle, worst, shared-before)
	}
	if err := c.valid(); err != nil {
		t.Error(err)
	}
	runtime.KeepAlive(first)
	runtime.KeepAlive(c)
}

// Each of a thousand nodes watches all others.
func TestAThousandNodesFitInOneProcess(t *testing.T) {
	before := inUse()
	w := newWorld(1, 1000, Config{Pool: new(overlay.NodePool)})
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
	if perMember > 48 {
		t.Errorf("%.0f bytes a member", perMember)
	}
	w.live(t)
}

func BenchmarkReceivedAmongMany(b *testing.B) {
	for _, cores := range []int{1, 100} {
		b.Run(fmt.Sprintf("%d cores", cores), func(b *testing.B) {
			nodes := manyNodes(10_000)
			all := watching(b, cores, nodes, new(overlay.NodePool))
			rng := rand.New(rand.NewPCG(1, 2))
			for b.Loop() {
				all[rng.IntN(cores)].Step(epoch, Received{nodes[rng.IntN(len(nodes))], Message{Body: Gossip{}}})
			}
		})
	}
}

func BenchmarkWatchTenThousand(b *testing.B) {
	nodes := manyNodes(10_000)
	var pool overlay.NodePool
	first := watching(b, 1, nodes, &pool)
	b.ReportAllocs()
	for b.Loop() {
		watching(b, 1, nodes, &pool)
	}
	runtime.KeepAlive(first)
}
