package clustertest_test

import (
	"testing"
	"time"

	"github.com/topos-go/topos/clustertest"
)

// Whatever happens to ten nodes in a minute: in the end all have met again.
func TestTenNodesMeetAgainAfterAMinuteOfChurn(t *testing.T) {
	const nodes = 10
	run(t, nodes, func(t *testing.T, c *clustertest.Cluster) {
		rng := c.Rand()
		for i := range nodes {
			c.Latency(i, (i+1)%nodes, 5*time.Millisecond, 5*time.Millisecond)
		}
		down := make(map[int]bool)
		for begun := time.Now(); time.Since(begun) < time.Minute; {
			i := rng.IntN(nodes)
			j := (i + 1 + rng.IntN(nodes-1)) % nodes
			switch rng.IntN(8) {
			case 0:
				c.Restart(i)
				down[i] = false
			case 1:
				if !down[i] {
					c.Kill(i)
					down[i] = true
				}
			case 2:
				c.Partition([]int{i, j})
			case 3:
				c.Heal()
			case 4:
				if !down[i] {
					c.Pause(i)
				}
			case 5:
				c.Resume(i)
			case 6:
				c.Block(i, j)
			case 7:
				c.Cut(i, j)
			}
			c.Pass(time.Duration(rng.IntN(2000)) * time.Millisecond)
		}
		c.Heal()
		for i := range nodes {
			c.Resume(i)
			if down[i] {
				c.Restart(i)
			}
		}
		c.WaitMembers(nodes)
		pid, _ := listen(t, c.Node(0))
		for i := range nodes {
			if err := echo(c.Node(i), pid, time.Second); err != nil {
				t.Errorf("call from n%d: %v", i, err)
			}
		}
	})
}
