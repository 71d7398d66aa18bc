package clustertest_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/topos-go/topos"
	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/clustertest"
	"github.com/topos-go/topos/remote"
)

// talk is the label of these tests.
var talk = actor.Causal("talk")

// relay passes on, with the same label, what it is told: its own text.
type relay struct {
	to   actor.PID
	text string
}

func (r *relay) Receive(self *actor.Self, msg any) error {
	if _, ok := msg.(Say); ok {
		return self.Send(r.to, Say{r.text}, talk)
	}
	return nil
}

// spawnRelay starts a relay on a node.
func spawnRelay(t testing.TB, node *topos.Node, to actor.PID, text string) actor.PID {
	t.Helper()
	pid, err := node.Spawn(context.Background(), &relay{to, text})
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// n0 asks n2 and then tells n1, which answers n2: however the messages travel,
// n2 hears the question before the answer.
func TestCausalOrderIsKeptWhateverOrderMessagesArriveIn(t *testing.T) {
	run(t, 3, func(t *testing.T, c *clustertest.Cluster) {
		two, ear := listen(t, c.Node(2))
		one := spawnRelay(t, c.Node(1), two, "answer")
		held := c.PauseDelivery()
		say(t, c.Node(0), two, "question", talk)
		say(t, c.Node(0), one, "go on", talk)
		question := held.Await(says("question"))
		held.Await(says("go on")).Deliver()
		held.Await(says("answer")).Deliver()
		expect(t, c, ear, "") // the answer waits for the question
		question.Deliver()
		expect(t, c, ear, "question answer")
		c.ResumeDelivery()
	})
}

// Without the label the answer is first.
func TestWithoutALabelTheAnswerMayBeHeardBeforeTheQuestion(t *testing.T) {
	run(t, 3, func(t *testing.T, c *clustertest.Cluster) {
		two, ear := listen(t, c.Node(2))
		one, err := c.Node(1).Spawn(context.Background(), actor.Func(func(self *actor.Self, _ any) error {
			return self.Send(two, Say{"answer"})
		}))
		if err != nil {
			t.Fatal(err)
		}
		held := c.PauseDelivery()
		say(t, c.Node(0), two, "question")
		say(t, c.Node(0), one, "go on")
		question := held.Await(says("question"))
		held.Await(says("go on")).Deliver()
		held.Await(says("answer")).Deliver()
		expect(t, c, ear, "answer")
		question.Deliver()
		expect(t, c, ear, "answer question")
		c.ResumeDelivery()
	})
}

// What is waited for never comes: its sender has been restarted and knows
// nothing of it, or is away for good.
func TestWhatWaitsForTheDeadIsReleasedAndReported(t *testing.T) {
	const age = 20 * time.Second
	for name, c := range map[string]struct {
		restart bool
		within  time.Duration
	}{
		"restarted": {true, 10 * time.Second},
		"gone":      {false, age * 3 / 2},
	} {
		t.Run(name, func(t *testing.T) {
			restart, within := c.restart, c.within
			run(t, 3, func(t *testing.T, c *clustertest.Cluster) {
				var mu sync.Mutex
				var gaps []remote.CausalGap
				cancel := c.Node(2).ObserveRemote(func(ev remote.Event) {
					if gap, ok := ev.(remote.CausalGap); ok {
						mu.Lock()
						defer mu.Unlock()
						gaps = append(gaps, gap)
					}
				})
				defer cancel()
				two, ear := listen(t, c.Node(2))
				one := spawnRelay(t, c.Node(1), two, "answer")
				lost := c.Drop(says("question"))
				say(t, c.Node(0), two, "question", talk)
				say(t, c.Node(0), one, "go on", talk)
				c.Settle()
				expect(t, c, ear, "")
				dead := c.Node(0).Node()
				c.Kill(0)
				if restart {
					c.Restart(0)
				}
				c.Eventually(within, func() bool { return ear.heard() == "answer" })
				lost.Stop()
				mu.Lock()
				defer mu.Unlock()
				if len(gaps) != 1 || gaps[0].From != dead || gaps[0].Waiting != 1 || gaps[0].Label != "talk" {
					t.Errorf("reported: %+v", gaps)
				}
			}, clustertest.WithConfig(func(_ *clustertest.Cluster, _ int, cfg *topos.Config) { cfg.AckAge = age }))
		})
	}
}

// A partition that is shorter than the age of acknowledged messages delays and
// reorders nothing.
func TestCausalOrderOutlivesAPartition(t *testing.T) {
	run(t, 3, func(t *testing.T, c *clustertest.Cluster) {
		two, ear := listen(t, c.Node(2))
		one := spawnRelay(t, c.Node(1), two, "answer")
		c.Partition([]int{0, 1}, []int{2})
		say(t, c.Node(0), two, "question", talk)
		say(t, c.Node(0), one, "go on", talk)
		c.Never(20*time.Second, func() bool { return ear.heard() != "" }) // the sides have given each other up
		c.Heal()
		c.Eventually(30*time.Second, func() bool { return ear.heard() == "question answer" })
	})
}

// Note is a message of the gossip below: its own name, and all that happened
// before it.
type Note struct {
	Name   string
	Before map[string]int // messages' names, and which node they are for
}

// gossip tells others of all it knows, at random, and checks that it never hears
// of a message for itself that it has not had.
type gossip struct {
	t      *testing.T
	index  int
	others []actor.PID
	rand   *rand.Rand
	known  map[string]int
	had    map[string]bool
	left   int // messages it may still send
	sent   int
}

func (g *gossip) Receive(self *actor.Self, msg any) error {
	if note, ok := msg.(Note); ok {
		for name, to := range note.Before {
			if to == g.index && !g.had[name] {
				g.t.Errorf("n%d: %s is here before %s", g.index, note.Name, name)
			}
		}
		maps.Copy(g.known, note.Before)
		g.known[note.Name], g.had[note.Name] = g.index, true
	}
	turns := 1 + g.rand.IntN(2)
	if _, begin := msg.(Say); begin {
		turns = 6 // enough that talk does not die out
	}
	for range turns {
		if g.left == 0 {
			return nil
		}
		g.left--
		g.sent++
		to := g.rand.IntN(len(g.others))
		if to == g.index {
			continue
		}
		name := fmt.Sprintf("n%d/%d", g.index, g.sent)
		if err := self.Send(g.others[to], Note{name, maps.Clone(g.known)}, talk); err != nil {
			g.t.Errorf("%s: %v", name, err)
		}
		g.known[name] = to
	}
	return nil
}

// Messages are shuffled and delayed, connections cut, and nobody ever hears of
// what they have not been told.
func TestCausalOrderHoldsInGossipUnderFaults(t *testing.T) {
	const nodes, each = 5, 40
	run(t, nodes, func(t *testing.T, c *clustertest.Cluster) {
		talkers := make([]*gossip, nodes)
		pids := make([]actor.PID, nodes)
		for i := range nodes {
			talkers[i] = &gossip{
				t: t, index: i, rand: rand.New(rand.NewPCG(c.Seed(), uint64(i))), left: each,
				known: make(map[string]int), had: make(map[string]bool),
			}
			pid, err := c.Node(i).Spawn(context.Background(), talkers[i])
			if err != nil {
				t.Fatal(err)
			}
			pids[i] = pid
		}
		for _, g := range talkers {
			g.others = pids
		}
		held := c.PauseDelivery().Overtake()
		for _, pid := range pids {
			if err := c.Node(0).Send(pid, Say{"begin"}); err != nil {
				t.Fatal(err)
			}
		}
		for round := range 400 {
			c.Settle()
			if list := held.List(); len(list) > 0 {
				list[c.Rand().IntN(len(list))].Deliver()
			}
			if round%50 == 49 {
				a, b := c.Rand().IntN(nodes), c.Rand().IntN(nodes)
				if a != b {
					c.Cut(a, b)
				}
			}
		}
		c.ResumeDelivery()
		c.Settle()
		all := make(map[string]int)
		for _, g := range talkers {
			maps.Copy(all, g.known)
		}
		missing := func() (names []string) {
			for name, to := range all {
				if !talkers[to].had[name] {
					names = append(names, fmt.Sprintf("%s for n%d", name, to))
				}
			}
			return names
		}
		// The last connections that were cut come back after a moment.
		defer func() {
			if names := missing(); len(names) > 0 {
				t.Errorf("never had: %v", names)
			}
		}()
		c.Eventually(5*time.Second, func() bool { return len(missing()) == 0 })
		if len(all) < nodes*each/2 {
			t.Errorf("only %d messages", len(all))
		}
		for i, node := range c.Nodes() {
			if s := node.RemoteStats(); s.Held > 0 || s.Released > 0 || s.CausalDead > 0 {
				t.Errorf("n%d: %d held, %d released, %d dead", i, s.Held, s.Released, s.CausalDead)
			}
		}
	}, clustertest.Types(Note{}))
}
