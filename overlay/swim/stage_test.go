package swim

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/topos-go/topos/overlay"
)

// called returns what a transcript calls a node of a world: a, b and so on, with
// .2 for the second one at the same site.
func called(n overlay.Node) string {
	if n.IsZero() {
		return "nobody"
	}
	var i int
	name := n.Name
	if _, err := fmt.Sscanf(n.Name, "node-%d@", &i); err == nil {
		name = string(rune('a' + i))
	}
	if n.Boot > 1 {
		name += fmt.Sprintf(".%d", n.Boot)
	}
	return name
}

func describeFact(f Fact) string {
	text := fmt.Sprintf("%s %v %d", called(f.Node), f.State, f.Incarnation)
	if f.By != f.Node {
		text += " by " + called(f.By)
	}
	if f.Refused {
		text += " refused"
	}
	return text
}

func describeMessage(m Message) string {
	text := "gossip"
	switch b := m.Body.(type) {
	case Ping:
		text = fmt.Sprintf("ping %d", b.Seq)
	case Ack:
		text = fmt.Sprintf("ack %d", b.Seq)
	case PingReq:
		text = fmt.Sprintf("ping-req %d %s", b.Seq, called(b.Target))
		if b.Reset {
			text += " reset"
		}
	case Nack:
		text = fmt.Sprintf("nack %d", b.Seq)
		if b.Refused {
			text += " refused"
		}
	}
	var facts []string
	for _, f := range m.Facts {
		facts = append(facts, describeFact(f))
	}
	if len(facts) > 0 {
		text += " {" + strings.Join(facts, ", ") + "}"
	}
	return text
}

func describe(at overlay.Node, e Effect) string {
	switch e := e.(type) {
	case Send:
		return fmt.Sprintf("%s>%s %s", called(at), called(e.To), describeMessage(e.Message))
	case Spread:
		return fmt.Sprintf("%s: spread %s", called(at), describeFact(e.Fact))
	case Suspected:
		return fmt.Sprintf("%s: SUSPECTED %s, by %s", called(at), called(e.Node), called(e.By))
	case Trusted:
		return fmt.Sprintf("%s: TRUSTED %s %d", called(at), called(e.Node), e.Incarnation)
	case Failed:
		return fmt.Sprintf("%s: FAILED %s, by %s: %v", called(at), called(e.Node), called(e.By), e.Reason)
	case Returned:
		return fmt.Sprintf("%s: RETURNED %s %d", called(at), called(e.Node), e.Incarnation)
	case Refuted:
		return fmt.Sprintf("%s: refuted, now %d, by %s", called(at), e.Incarnation, called(e.By))
	case Full:
		return fmt.Sprintf("%s: full, no place for %s", called(at), called(e.Node))
	}
	return fmt.Sprintf("%T", e)
}

// inspect says what a core thinks.
func inspect(c *Core) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: health %d, incarnation %d", called(c.cfg.Self), c.health, c.incarnation)
	open := slices.SortedFunc(slices.Values(c.suspicions), func(s, t *suspicion) int { return cmp.Compare(s.member, t.member) })
	for _, s := range open {
		var by []string
		for _, n := range s.accusers {
			by = append(by, called(n))
		}
		fmt.Fprintf(&b, "; suspects %s with %s until %.3f", called(c.members.node(s.member)), strings.Join(by, " "), s.expires.Sub(epoch).Seconds())
	}
	var failed []overlay.Node
	for _, i := range c.members.failed {
		failed = append(failed, c.members.node(i))
	}
	slices.SortFunc(failed, overlay.Node.Compare)
	for _, n := range failed {
		fmt.Fprintf(&b, "; %s has failed", called(n))
	}
	return b.String()
}
