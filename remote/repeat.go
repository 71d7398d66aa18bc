package remote

import (
	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote/wire"
)

// repeat is what plain messages have in common: those with nothing but a
// sender, a receiver and a payload. All but the first of them is, on a lane,
// little more than its payload.
type repeat struct {
	from, to uint64
	encoding uint32
	shard    uint32
	typ      string // the name of the payload's type
}

// isPlain reports whether sig is a plain message.
func isPlain(n *Node, sig *actor.Signal) bool {
	via := sig.Via
	via.Channel = ""
	return sig.Kind == actor.SignalMessage && via == (actor.Delivery{}) && sig.Trace == nil &&
		sig.To != (actor.PID{}) && (sig.From == (actor.PID{}) || sig.From.NodeHandle() == n.handle)
}

// repeats are the plain messages that the other side of a lane remembers. What
// is said of them here is in the order of the lane's small frames, in which they
// are sent, and sent again after a reconnection: so at each of them the other
// side knows what was said before it. The stream's lock guards it.
type repeats struct{ known *[wire.MaxRemembered]repeat }

// remember returns r's number, and whether the other side knows it.
func (rs *repeats) remember(r *repeat) (number wire.Again, known bool) {
	if rs.known == nil {
		rs.known = new([wire.MaxRemembered]repeat)
	}
	h := r.from*0x9e3779b97f4a7c15 ^ r.to*0xc2b2ae3d27d4eb4f ^ uint64(len(r.typ))<<60
	number = wire.Again(h >> 32 % wire.MaxRemembered)
	if known = rs.known[number] == *r; !known {
		rs.known[number] = *r
	}
	return number, known
}

// pushPlain queues a plain message. The stream's lock is held.
func (l *lane) pushPlain(e *encoder) {
	q := &l.out.queue
	if !q.straight(e.shard, len(e.payload)) || len(e.plain.typ) > maxWord {
		q.push(e.shard, e.spell(l.peer, 0), e.payload)
		return
	}
	if number, known := l.repeats.remember(&e.plain); known {
		q.pushAgain(number, e.payload)
	} else {
		q.push(e.shard, e.spell(l.peer, uint32(number)+1), e.payload)
	}
}
