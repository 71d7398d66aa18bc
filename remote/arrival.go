package remote

import (
	"fmt"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote/wire"
)

// arrival is a signal that has come and is on its way to its process.
type arrival struct {
	sig    actor.Signal
	stream *stream
	key    streamKey // of its session, if it has a number there
	seq    uint64
	oldest uint64
}

// arrived lets a signal through that came on l, in its turn.
func (n *Node) arrived(l *lane, a arrival, shard uint32) error {
	return n.admitted(a)
}

// admitted lets a signal through whose turn it is, by way of its session if it
// is an acknowledged message.
func (n *Node) admitted(a arrival) error {
	if a.seq == 0 {
		n.deliver(a)
		return nil
	}
	return n.sessionsOf(a.stream.peer).receive(a)
}

// deliver hands a signal to its process.
func (n *Node) deliver(a arrival) {
	if n.sys.Deliver(a.sig) {
		n.overflowing(a.stream, a.sig)
	}
}

func (n *Node) receiveAfter(l *lane, f wire.Frame) error { return fmt.Errorf("unimplemented") }

func shardOf(sig actor.Signal) uint32 { return 0 }
