package topology

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/topos-go/topos/overlay"
)

// Node reads "a2": incarnation 2 of the node called a. It returns the zero Node for
// what is none.
func Node(s string) overlay.Node {
	i := strings.IndexFunc(s, func(r rune) bool { return r >= '0' && r <= '9' })
	if i < 0 {
		return overlay.Node{}
	}
	boot, err := strconv.ParseUint(s[i:], 10, 64)
	if err != nil {
		return overlay.Node{}
	}
	return overlay.Node{Name: s[:i] + "@" + s[:i], Boot: boot}
}

// Name is the inverse of [Node].
func Name(n overlay.Node) string { return n.Addr() + strconv.FormatUint(n.Boot, 10) }

// Names returns the names of nodes, with spaces between them.
func Names(nodes []overlay.Node) string {
	var list []string
	for _, n := range nodes {
		list = append(list, Name(n))
	}
	return strings.Join(list, " ")
}

// Describe formats an effect for a transcript; say formats messages.
func Describe(e overlay.Effect, say func(overlay.Message) string) string {
	switch e := e.(type) {
	case overlay.Dial:
		return "dial " + Name(e.Node)
	case overlay.Probe:
		return "probe " + e.Addr
	case overlay.Send:
		return "send " + Name(e.To) + " " + say(e.Message)
	case overlay.Disconnect:
		return "disconnect " + Name(e.Node)
	case overlay.NeighborUp:
		return "NEIGHBOR " + Name(e.Node)
	case overlay.NeighborDown:
		return "NO NEIGHBOR " + Name(e.Node)
	}
	return fmt.Sprintf("%T", e)
}

// event reads what happened from a transcript's line; hear reads messages.
func event(line string, hear func([]string) (overlay.Message, error)) (overlay.Event, error) {
	f := append(strings.Fields(line), "", "") // so that there are enough
	node := Node(f[1])
	var ev overlay.Event
	switch f[0] {
	case "up":
		ev = overlay.LinkUp{Node: node}
	case "accepted":
		ev = overlay.LinkUp{Node: node, Accepted: true}
	case "down":
		ev = overlay.LinkDown{Node: node}
	case "refused":
		ev = overlay.DialFailed{Node: node, Refused: true}
	case "failed":
		ev = overlay.DialFailed{Node: node}
	case "duplicate":
		ev = overlay.DialFailed{Node: node, Alive: true}
	case "met":
		ev = overlay.Met{Node: node}
	case "lost":
		ev = overlay.Lost{Node: node, Err: overlay.ErrForgotten}
	case "from":
		if len(f) < 5 {
			return nil, fmt.Errorf("topology: no message in %q", line)
		}
		m, err := hear(f[2 : len(f)-2])
		if err != nil {
			return nil, err
		}
		ev = overlay.Received{From: node, Message: m}
	case "found":
		node = Node(f[2])
		ev = overlay.Found{Addr: f[1], Node: node}
	case "not-found":
		return overlay.ProbeFailed{Addr: f[1]}, nil
	case "join":
		return overlay.Join{Addrs: f[1 : len(f)-2]}, nil
	case "leave":
		return overlay.LeaveRequested{}, nil
	default:
		return nil, fmt.Errorf("topology: unknown event %q", line)
	}
	if node.IsZero() {
		return nil, fmt.Errorf("topology: no node in %q", line)
	}
	return ev, nil
}
