package clientserver

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/topos-go/topos/internal/sim/topology"
	"github.com/topos-go/topos/overlay"
)

func someNodes(n int) []overlay.Node {
	var nodes []overlay.Node
	for i := range n {
		nodes = append(nodes, overlay.Node{Name: fmt.Sprintf("n%03d@n:%d", i, i), Boot: 1})
	}
	return nodes
}

// told returns a core that was told of all nodes, in some order.
func told(t *testing.T, self overlay.Node, nodes []overlay.Node, claims []Claim, rng *rand.Rand) *Core {
	c, err := New(Config{Self: self, Rand: rng})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range rng.Perm(len(nodes)) {
		c.Step(epoch, overlay.Met{Node: nodes[i]})
	}
	for _, i := range rng.Perm(len(claims)) {
		c.hearOf(claims[i])
	}
	return c
}

func TestEveryNodeSelectsTheSameOfTheSameMembers(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	nodes := someNodes(50)
	for _, claims := range [][]Claim{nil, {{nodes[40], 2, Serving}}, {{nodes[1], 5, Serving}, {nodes[30], 3, Serving}, {nodes[0], 1, Idle}}} {
		want := ""
		for _, self := range nodes {
			if slices.ContainsFunc(claims, func(cl Claim) bool { return cl.Node == self }) {
				continue // it would know better
			}
			c := told(t, self, nodes, claims, rng)
			got := fmt.Sprintf("%s then %s", topology.Names(c.Servers()), topology.Names(c.candidates(3)))
			if want == "" {
				want = got
			}
			if got != want {
				t.Errorf("%v selects %s, others %s", self, got, want)
			}
			// Who is lost is not selected, and nothing else changes.
			lost := c.candidates(3)[0]
			next := c.candidates(4)[1:]
			if lost == self {
				continue
			}
			c.Step(epoch, overlay.Lost{Node: lost})
			if after := c.candidates(3); !slices.Equal(after, next) {
				t.Errorf("%v selects %v without %v, want %v", self, after, lost, next)
			}
		}
	}
}

// When a server goes, its clients, and nobody else, have another; so they do when one
// comes.
func TestOnlyClientsOfOneServerMoveWhenItGoes(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	nodes := someNodes(400)
	var claims []Claim
	for i := range 5 {
		claims = append(claims, Claim{nodes[i], uint64(i + 1), Serving})
	}
	moved, load := 0, make(map[overlay.Node]int)
	for _, self := range nodes[5:] {
		all := told(t, self, nodes[:5], claims, rng).choose(epoch)
		fewer := told(t, self, nodes[1:5], claims[1:], rng).choose(epoch)
		for _, n := range all {
			load[n]++
		}
		kept := slices.DeleteFunc(slices.Clone(all), func(n overlay.Node) bool { return n == nodes[0] })
		for _, n := range kept {
			if !slices.Contains(fewer, n) {
				t.Errorf("%v leaves %v because of another", self, n)
			}
		}
		moved += len(all) - len(kept)
	}
	fair := float64(2*395) / 5
	for n, clients := range load {
		if float64(clients) > 1.2*fair || float64(clients) < 0.8*fair {
			t.Errorf("%v has %d clients, the fair share is %.0f", n, clients, fair)
		}
	}
	if moved != load[nodes[0]] {
		t.Errorf("%d moved, %d were clients", moved, load[nodes[0]])
	}
}
