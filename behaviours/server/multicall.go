package server

import (
	"context"

	"github.com/topos-go/topos/actor"
)

// NodeReply is the reply of the server on one node.
type NodeReply[R any] struct {
	Node  string
	Value R
}

// NodeError says why there is no reply from one node.
type NodeError struct {
	Node string
	Err  error
}

func (e NodeError) Error() string { return e.Node + ": " + e.Err.Error() }

// Unwrap returns e.Err.
func (e NodeError) Unwrap() error { return e.Err }

// MultiCall calls the servers that are registered as name on nodes, all at the
// same time, and waits for their replies, no longer than ctx or else
// actor.DefaultCallTimeout. bad are the nodes without one: the server there has
// ended or never was, or the node is lost, or the time was over; a reply that
// comes later is dropped. Both lists are in the order of nodes. It is
// gen_server's multi_call.
//
// A node is named as in actor.NodeID, such as "a@10.0.0.1:7000"; one that is
// named twice is called twice.
func MultiCall[R any](ctx context.Context, from actor.Caller, nodes []string, name actor.Name, req any, opts ...actor.SendOption) (replies []NodeReply[R], bad []NodeError) {
	requests := make([]*actor.Request[R], len(nodes))
	for i, node := range nodes {
		requests[i] = actor.SendRequest[R](ctx, from, actor.NameAt{Name: name, Node: node}, req, opts...)
	}
	for i, r := range requests {
		<-r.Done() // bounded by ctx, the default timeout and the life of the caller
		if value, err, _ := r.Check(); err != nil {
			bad = append(bad, NodeError{nodes[i], err})
		} else {
			replies = append(replies, NodeReply[R]{nodes[i], value})
		}
	}
	return replies, bad
}

// Abcast casts msg to the servers that are registered as name on nodes. Like a
// cast it waits for nothing, and says nothing about nodes and servers that are
// not there; to those that are, msg goes in order with what from has sent
// before.
func Abcast(from actor.Sender, nodes []string, name actor.Name, msg any, opts ...actor.SendOption) {
	for _, node := range nodes {
		_ = from.Send(actor.NameAt{Name: name, Node: node}, msg, opts...)
	}
}
