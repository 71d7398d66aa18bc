package clientserver

import "github.com/topos-go/topos/overlay"

// Claim says what a node is. The node itself says so, or the most senior server,
// which appoints it. Of two claims about one node, that with the higher Number
// counts; a newer incarnation's counts more than any of an older one.
type Claim struct {
	Node overlay.Node
	// Number is greater than all that its author had seen. Of two servers, the one
	// with the lesser number is the senior.
	Number   uint64
	Standing Standing
}

// Standing is what a node is.
type Standing uint8

// Standings.
const (
	// Idle is a client that may be selected.
	Idle Standing = iota
	// Serving is a server.
	Serving
	// Never is a client that its configuration says is one.
	Never
)

// Messages between two nodes that are linked. A relation is of one link: it ends, for
// both, with the link, so that messages need no numbers.
type (
	// Ask asks to keep the link. A server agrees, a client refuses.
	Ask struct{ Claims []Claim }

	// Agree says that the sender, a server, takes the receiver for its neighbor.
	Agree struct{ Claims []Claim }

	// Refuse says that the sender is no server, or that it has too many clients;
	// Claims name others.
	Refuse struct {
		Busy   bool
		Claims []Claim
	}

	// News tells what has changed, or, as a sign of life, everything.
	News struct{ Claims []Claim }

	// Part says that the sender needs the link no more.
	Part struct{}

	// Leave says that the sender leaves the cluster, for good.
	Leave struct{}
)
