package clustertest_test

import (
	"testing"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/clustertest"
)

// says matches a Say with that text.
func says(text string) clustertest.Match {
	return clustertest.Payload(func(payload any) bool { return payload == Say{text} })
}

func TestHeldMessageArrivesWhenTheTestDeliversIt(t *testing.T) {
	run(t, 2, func(t *testing.T, c *clustertest.Cluster) {
		pid, ear := listen(t, c.Node(1))
		held := c.Hold(says("held"), clustertest.To(1), clustertest.Receiver(pid))
		say(t, c.Node(0), pid, "first")
		say(t, c.Node(0), pid, "held")
		say(t, c.Node(0), pid, "behind")
		m := held.Await()
		expect(t, c, ear, "first")
		if m.From != 0 || m.To != 1 || m.Kind != actor.SignalMessage || m.Channel != "default" {
			t.Errorf("held is %+v", m)
		}
		m.Deliver()
		expect(t, c, ear, "first held behind")
	})
}

func TestDroppedMessageNeverArrives(t *testing.T) {
	run(t, 2, func(t *testing.T, c *clustertest.Cluster) {
		pid, ear := listen(t, c.Node(1))
		rule := c.Drop(says("lost"))
		for _, text := range []string{"a", "lost", "b"} {
			say(t, c.Node(0), pid, text)
		}
		expect(t, c, ear, "a b")
		c.Never(time.Minute, func() bool { return ear.heard() != "a b" })
		if n := rule.Count(); n != 1 {
			t.Errorf("%d were dropped", n)
		}
	})
}

func TestMessageIsDelayedAndAnotherDuplicated(t *testing.T) {
	run(t, 2, func(t *testing.T, c *clustertest.Cluster) {
		pid, ear := listen(t, c.Node(1))
		c.Delay(time.Second, says("late")).Overtake()
		c.Duplicate(2, says("again"))
		for _, text := range []string{"late", "again", "once"} {
			say(t, c.Node(0), pid, text)
		}
		expect(t, c, ear, "again again again once")
		c.Pass(time.Second)
		expect(t, c, ear, "again again again once late")
	})
}

func TestCallWaitsWhileItsReplyIsHeld(t *testing.T) {
	run(t, 2, func(t *testing.T, c *clustertest.Cluster) {
		pid, _ := listen(t, c.Node(1))
		held := c.Hold(clustertest.OfKind(actor.SignalReply), clustertest.From(1))
		answered := make(chan error, 1)
		go func() { answered <- echo(c.Node(0), pid, time.Minute) }()
		held.Await()
		select {
		case err := <-answered:
			t.Fatalf("it is answered: %v", err)
		default:
		}
		held.Release()
		if err := <-answered; err != nil {
			t.Error(err)
		}
	})
}

func TestMonitorOfAProcessCanBeHeldBack(t *testing.T) {
	run(t, 2, func(t *testing.T, c *clustertest.Cluster) {
		pid, _ := listen(t, c.Node(1))
		downs := watch(t, c.Node(0), pid)
		c.Settle()
		held := c.Hold(clustertest.OfKind(actor.SignalDown))
		if err := c.Node(1).Exit(pid, actor.ErrKilled); err != nil {
			t.Fatal(err)
		}
		c.Never(time.Minute, func() bool { return len(downs) > 0 })
		held.Release()
		<-downs
	})
}

func TestMessagesHeldForAKilledNodeDoNotReachTheNextOne(t *testing.T) {
	run(t, 2, func(t *testing.T, c *clustertest.Cluster) {
		pid, _ := listen(t, c.Node(1))
		held := c.Hold(says("x"))
		say(t, c.Node(0), pid, "x")
		held.Await()
		c.Restart(1)
		if n := held.Len(); n != 0 {
			t.Errorf("%d are held", n)
		}
		held.Release()
		c.WaitMembers(2)
	})
}
