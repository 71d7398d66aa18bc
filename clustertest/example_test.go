package clustertest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/topos-go/topos"
	"github.com/topos-go/topos/clustertest"
)

// Example is the body of a test. Here t is made up, so that it can run as an
// example, and time is real.
func Example() {
	pretend(new(fakeTB), func(t testing.TB) {
		c := clustertest.New(t, 3, clustertest.Types(Say{}, Echo{}))
		pid, _ := listen(t, c.Node(2))

		c.Partition([]int{0, 1}, []int{2})
		err := echo(c.Node(0), pid, 50*time.Millisecond)
		fmt.Println("parted:", errors.Is(err, context.DeadlineExceeded))

		c.Heal()
		fmt.Println("healed:", echo(c.Node(0), pid, 10*time.Second))

		c.Restart(2)
		c.WaitMembers(3)
		fmt.Println("restarted:", lost(echo(c.Node(0), pid, 10*time.Second)))
	})
	// Output:
	// parted: true
	// healed: <nil>
	// restarted: true
}

// Nodes may differ in their configuration.
func ExampleWithConfig() {
	patient := clustertest.WithConfig(func(c *clustertest.Cluster, i int, cfg *topos.Config) {
		cfg.Misses = 10 + i
	})
	pretend(new(fakeTB), func(t testing.TB) {
		c := clustertest.New(t, 2, patient, clustertest.Seed(1))
		fmt.Println(len(c.Nodes()), "nodes, seed", c.Seed())
	})
	// Output: 2 nodes, seed 1
}
