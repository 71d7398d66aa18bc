package remote

import (
	"fmt"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote/wire"
)

// arrival is a signal that has come and is on its way to its process.
type arrival struct {
	sig actor.Signal
}

// arrived lets a signal through that came on l, in its turn.
func (n *Node) arrived(l *lane, a arrival, shard uint32) error {
	n.deliver(l.stream, a)
	return nil
}

// deliver hands a signal to its process.
func (n *Node) deliver(s *stream, a arrival) {
	if n.sys.Deliver(a.sig) {
		n.overflowing(s, a.sig)
	}
}

func (n *Node) receiveAfter(l *lane, f wire.Frame) error   { return fmt.Errorf("unimplemented") }
func (n *Node) receiveReceipt(p *peer, f wire.Frame) error { return fmt.Errorf("unimplemented") }

func shardOf(sig actor.Signal) uint32 { return 0 }
