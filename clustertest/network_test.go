package clustertest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/clustertest"
)

// sees reports whether node i sees node j.
func sees(c *clustertest.Cluster, i, j int) bool {
	return slices.ContainsFunc(c.Node(i).Members(), func(id actor.NodeID) bool { return id == c.Node(j).Node() })
}

func TestPartitionHoldsMessagesUntilItHeals(t *testing.T) {
	run(t, 2, func(t *testing.T, c *clustertest.Cluster) {
		pid, ear := listen(t, c.Node(1))
		say(t, c.Node(0), pid, "before")
		expect(t, c, ear, "before")
		c.Partition([]int{0}, []int{1})
		say(t, c.Node(0), pid, "late")
		c.Pass(time.Second) // too short for anybody to be given up
		expect(t, c, ear, "before")
		c.Heal()
		c.Pass(time.Second)
		expect(t, c, ear, "before late")
	})
}

func TestSidesOfALongPartitionLoseEachOtherAndMeetAgain(t *testing.T) {
	run(t, 4, func(t *testing.T, c *clustertest.Cluster) {
		before := c.Node(3).Node()
		c.Partition([]int{0}, []int{1, 2}) // and 3 is left over
		c.WaitMembers(1, 0, 3)
		c.WaitMembers(2, 1, 2)
		if !sees(c, 1, 2) {
			t.Error("the two in one group have lost each other")
		}
		c.Heal()
		c.WaitMembers(4)
		if c.Node(3).Node() != before || !sees(c, 0, 3) {
			t.Error("another incarnation has come back")
		}
	})
}

func TestPartitionReplacesTheOneBefore(t *testing.T) {
	run(t, 3, func(t *testing.T, c *clustertest.Cluster) {
		c.Partition([]int{0, 1}, []int{2})
		c.WaitMembers(1, 2)
		c.Partition([]int{0}, []int{1, 2})
		c.WaitMembers(1, 0)
		c.WaitMembers(2, 1, 2)
	})
}

func TestPartedPairReachesTheOthers(t *testing.T) {
	run(t, 5, func(t *testing.T, c *clustertest.Cluster) {
		pid, _ := listen(t, c.Node(3))
		c.Part(1, 3)
		c.Pass(30 * time.Second)
		// Others reach both, so neither is dead, and others lead from one to the
		// other.
		c.WaitMembers(5)
		for _, i := range []int{0, 1, 2, 4} {
			if err := echo(c.Node(i), pid, time.Second); err != nil {
				t.Errorf("call from n%d: %v", i, err)
			}
		}
		c.HealLink(1, 3)
		c.Pass(30 * time.Second)
		c.WaitMembers(5)
	})
}

func TestBlockedDirectionLetsTheOtherPass(t *testing.T) {
	run(t, 2, func(t *testing.T, c *clustertest.Cluster) {
		zero, atZero := listen(t, c.Node(0))
		one, atOne := listen(t, c.Node(1))
		// There has to be a connection: none can be made later.
		say(t, c.Node(0), one, "hello")
		say(t, c.Node(1), zero, "hello")
		c.Settle()
		c.Block(0, 1)
		say(t, c.Node(0), one, "blocked")
		say(t, c.Node(1), zero, "passes")
		expect(t, c, atZero, "hello passes")
		expect(t, c, atOne, "hello")
		// n1 hears nothing of n0, which is told so by nobody.
		c.Eventually(10*time.Second, func() bool { return !sees(c, 1, 0) })
		c.Heal()
		c.WaitMembers(2)
	})
}

func TestIsolatedNodeIsAloneUntilHealed(t *testing.T) {
	run(t, 3, func(t *testing.T, c *clustertest.Cluster) {
		c.Isolate(1)
		c.WaitMembers(1, 1)
		c.WaitMembers(2, 0, 2)
		c.Heal()
		c.WaitMembers(3)
	})
}

func TestNodesOutliveConnectionsThatAreCut(t *testing.T) {
	run(t, 2, func(t *testing.T, c *clustertest.Cluster) {
		pid, ear := listen(t, c.Node(1))
		say(t, c.Node(0), pid, "a")
		c.Settle()
		if n := c.Cut(0, 1); n < 2 { // of membership and of messages
			t.Errorf("%d connections were cut", n)
		}
		say(t, c.Node(0), pid, "b")
		c.Never(10*time.Second, func() bool { return !sees(c, 0, 1) || !sees(c, 1, 0) })
		expect(t, c, ear, "a b")
	})
}

func TestLatencyAndBandwidthDelayMessages(t *testing.T) {
	run(t, 3, func(t *testing.T, c *clustertest.Cluster) {
		pid, _ := listen(t, c.Node(1))
		took := func(from int) time.Duration {
			begun := time.Now()
			if err := echo(c.Node(from), pid, time.Minute); err != nil {
				t.Fatal(err)
			}
			return time.Since(begun)
		}
		took(0) // to connect
		c.Latency(0, 1, 100*time.Millisecond, 0)
		if d := took(0); d != 200*time.Millisecond {
			t.Errorf("there and back took %v", d)
		}
		if d := took(2); d != 0 {
			t.Errorf("over another link it took %v", d)
		}
		c.Latency(0, 1, 100*time.Millisecond, 100*time.Millisecond)
		if d := took(0); d < 200*time.Millisecond || d > 400*time.Millisecond {
			t.Errorf("there and back with jitter took %v", d)
		}
		c.Latency(0, 1, 0, 0)
		c.Slow(0, 1, 1000)
		if d := took(0); d < 20*time.Millisecond {
			t.Errorf("at 1000 bytes a second it took %v", d)
		}
	})
}

func TestLossBreaksConnectionsAndNoMessageIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failures, logs := pretend(&fakeTB{TB: t}, func(t testing.TB) {
			c := clustertest.New(t, 2, clustertest.Seed(1), clustertest.Types(Say{}))
			pid, ear := listen(t, c.Node(1))
			c.Loss(0, 1, 0.05)
			var want string
			for i := range 100 {
				say(t, c.Node(0), pid, fmt.Sprint(i))
				want += fmt.Sprint(" ", i)
				c.Pass(100 * time.Millisecond)
			}
			c.Eventually(time.Minute, func() bool { return " "+ear.heard() == want })
			t.Errorf("the schedule, please")
		})
		if len(failures) != 1 || len(logs) != 1 {
			t.Fatal(failures)
		}
		if n := strings.Count(logs[0], "a connection broke"); n < 5 {
			t.Errorf("%d connections broke", n)
		}
	})
}
