package topos

import (
	"slices"

	"github.com/topos-go/topos/behaviours/adaptive"
	"github.com/topos-go/topos/behaviours/event"
	"github.com/topos-go/topos/behaviours/mesh"
	"github.com/topos-go/topos/behaviours/partition"
	"github.com/topos-go/topos/behaviours/pool"
	"github.com/topos-go/topos/behaviours/rpc"
	"github.com/topos-go/topos/behaviours/server"
	"github.com/topos-go/topos/behaviours/statem"
	"github.com/topos-go/topos/crdtactor"
	"github.com/topos-go/topos/overlay"
	"github.com/topos-go/topos/registry"
	"github.com/topos-go/topos/registry/strong"
	"github.com/topos-go/topos/remote/codec"
	"github.com/topos-go/topos/supervisor"
)

// wireTypes are the messages that the behaviours of this module send to other nodes.
func wireTypes() []codec.Type {
	return codec.Types(slices.Concat(
		crdtactor.WireTypes(), server.Messages(), statem.Messages(), event.Messages(), pool.Messages(),
		rpc.WireTypes(), partition.WireTypes(), adaptive.WireTypes(),
	)...)
}

// wireErrors are what errors.Is recognises when it comes from another node.
func wireErrors() []error {
	return slices.Concat(rpc.WireErrors(), mesh.WireErrors(), []error{
		registry.ErrConflict, registry.ErrNotRunning, registry.ErrLeaseLost, supervisor.ErrIntensity, supervisor.ErrAutoShutdown, crdtactor.ErrNoCopies, crdtactor.ErrOutdated,
		overlay.ErrUnreachable, overlay.ErrSilent, overlay.ErrRestarted, overlay.ErrLeft, overlay.ErrForgotten,
		strong.ErrClosed, strong.ErrHeld, strong.ErrLost, strong.ErrConflict, strong.ErrFenced,
		partition.ErrReadOnly, partition.ErrLogFull, partition.ErrUnmerged,
		pool.ErrFull, pool.ErrNoneGood, pool.ErrNoWorkers,
	})
}
