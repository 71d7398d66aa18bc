package clustertest_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/topos-go/topos/clustertest"
)

// Two messages arrive in the order that the test wants, though they are of the
// same sender and receiver. The test is made up, as in the package's example.
func ExampleCluster_Hold() {
	pretend(new(fakeTB), func(t testing.TB) {
		c := clustertest.New(t, 2, clustertest.Types(Say{}))
		pid, ear := listen(t, c.Node(1))

		var held *clustertest.Held = c.Hold(clustertest.PayloadOf[Say](), clustertest.To(1)).Overtake()
		say(t, c.Node(0), pid, "one")
		say(t, c.Node(0), pid, "two")
		var one, two *clustertest.Message = held.Await(says("one")), held.Await(says("two"))
		two.Deliver()
		one.Duplicate()
		one.Deliver()

		c.Eventually(10*time.Second, func() bool { return ear.heard() == "two one one" })
		fmt.Println(ear.heard())
	})
	// Output: two one one
}

// Rules act by themselves, until they are stopped.
func ExampleCluster_Drop() {
	pretend(new(fakeTB), func(t testing.TB) {
		c := clustertest.New(t, 2, clustertest.Types(Say{}))
		pid, ear := listen(t, c.Node(1))

		var rule *clustertest.Rule = c.Drop(clustertest.Receiver(pid), says("no"))
		for _, text := range []string{"no", "yes", "no", "yes"} {
			say(t, c.Node(0), pid, text)
		}
		c.Eventually(10*time.Second, func() bool { return ear.heard() == "yes yes" })
		rule.Stop()
		say(t, c.Node(0), pid, "no")

		c.Eventually(10*time.Second, func() bool { return ear.heard() == "yes yes no" })
		fmt.Println(ear.heard(), "and", rule.Count(), "dropped")
	})
	// Output: yes yes no and 2 dropped
}
