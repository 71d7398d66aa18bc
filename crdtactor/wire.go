package crdtactor

import "github.com/topos-go/topos/crdtactor/crdt/replica"

// WireTypes returns a value of every type that replicas send to other nodes,
// to be registered with the cluster's codec.
func WireTypes() []any { return replica.Messages() }
