package clustertest_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
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

// Three nodes talk under one label: n0 tells n2 and n1, and n1 answers n2. What
// has been sent before the answer, by whomever, is heard before it, whenever it
// comes; what is sent after it is not waited for.
func ExampleCluster_PauseDelivery() {
	for _, first := range []string{"question first", "answer first"} {
		pretend(new(fakeTB), func(t testing.TB) {
			c := clustertest.New(t, 3, clustertest.Types(Say{}))
			two, ear := listen(t, c.Node(2))
			one := spawnRelay(t, c.Node(1), two, "answer")

			held := c.PauseDelivery()
			if first == "question first" {
				say(t, c.Node(0), two, "question", actor.Causal("talk"))
			}
			say(t, c.Node(0), one, "go on", actor.Causal("talk"))
			held.Await(says("go on")).Deliver()
			answer := held.Await(says("answer"))
			if first == "answer first" {
				say(t, c.Node(0), two, "question", actor.Causal("talk"))
			}
			question := held.Await(says("question"))

			answer.Deliver()
			if first == "answer first" {
				c.Eventually(10*time.Second, func() bool { return ear.heard() == "answer" })
			}
			question.Deliver()
			c.Eventually(10*time.Second, func() bool { return len(ear.heard()) > len("question") })
			fmt.Printf("%s: heard %q\n", first, ear.heard())
			c.ResumeDelivery()
		})
	}
	// Output:
	// question first: heard "question answer"
	// answer first: heard "answer question"
}
