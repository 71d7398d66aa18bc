package topos

import (
	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote"
)

// cluster is the remote layer as the registry wants it.
type cluster struct{ remote *remote.Node }

func (c cluster) Self() actor.NodeID { return c.remote.ID() }
