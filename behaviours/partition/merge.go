package partition

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/remote/codec"
)

// Operation is a write as it is applied on every node.
type Operation struct {
	// Origin and Seq say whose operation it is, and which.
	Origin Origin
	Seq    uint64
	// Local is set on the node that has taken it in.
	Local bool
	// Message is what was sent to the guard.
	Message any
}

// Merger is an actor whose writes can be merged. Its callbacks run on the
// process's goroutine. Writes do not come to Receive, only reads.
//
// Operations of one origin are applied in the order in which it took them in,
// but those of different origins in any order, which differs from node to
// node: they must commute, or the states differ.
type Merger interface {
	actor.Actor
	// Apply carries an operation out. The reply is that of a call, where it was
	// taken in. An error refuses the operation there: it must have changed
	// nothing, and nobody else hears of it. On other nodes an error is only
	// logged, since it counts as applied there.
	Apply(self *actor.Self, op Operation) (reply any, err error)
	// Snapshot returns the whole state, for a node that is new.
	Snapshot() ([]byte, error)
	// Restore replaces the state by one that Snapshot returned on another node.
	// Operations may be applied again after that, which are not in it. An error
	// ends the process.
	Restore(data []byte) error
}

// merge is what a guard does with MergeOnReconnect.
type merge struct {
	cfg   *Config
	inner Merger
	log   *oplog
	codec *codec.Codec
}

func newMerge(self *actor.Self, cfg *Config, inner Merger) (*merge, error) {
	c, err := codec.New(codec.Config{Types: cfg.Types})
	if err != nil {
		return nil, err
	}
	node := self.System().Node()
	origin := Origin{
		Node: node.Name, Boot: node.Incarnation.Boot, Unique: node.Incarnation.Unique,
		Process: self.PID().ID(), Started: time.Now().UnixNano(),
	}
	return &merge{cfg: cfg, inner: inner, log: newOplog(origin, cfg.limits()), codec: c}, nil
}

// write applies and logs a write of this node. Missing is not nil if there is
// no room, and names the nodes that keep it.
func (m *merge) write(self *actor.Self, msg any) (missing []string, err error) {
	refuse := func(err error) error {
		if self.IsCall() {
			return self.ReplyError(err)
		}
		self.System().DeadLetter(actor.DeadLetter{To: self.PID(), Message: msg, Reason: err})
		return nil
	}
	// Encoded first: what cannot be sent must not be applied, and what is
	// applied may change the message.
	op, err := m.encode(msg)
	if err != nil {
		return nil, refuse(err)
	}
	if missing, ok := m.log.room(len(op)); !ok {
		return append([]string{}, missing...), nil
	}
	call := self.IsCall()
	reply, err := m.inner.Apply(self, Operation{Origin: m.log.self, Seq: m.log.next(), Local: true, Message: msg})
	if err != nil {
		return nil, refuse(err)
	}
	_, effects := m.log.append(op)
	if call {
		_ = self.Reply(reply)
	}
	return nil, m.do(self, effects)
}

// receive takes in what another guard sent.
func (m *merge) receive(self *actor.Self, msg any) error {
	switch msg := msg.(type) {
	case Digest:
		return m.do(self, m.log.gotDigest(msg))
	case Entries:
		return m.do(self, m.log.gotEntries(msg))
	case State:
		return m.do(self, m.log.gotState(msg))
	}
	return nil
}

// do carries effects out, in order. An error ends the process.
func (m *merge) do(self *actor.Self, effects []effect) error {
	var merged Merged
	for _, e := range effects {
		switch e := e.(type) {
		case post:
			m.send(self, e.to, e.msg)
		case apply:
			merged.Operations++
			m.apply(self, e)
		case restore:
			merged.State = true
			if err := m.inner.Restore(e.data); err != nil {
				return fmt.Errorf("partition: restoring the state of another node: %w", err)
			}
		case lend:
			data, err := m.inner.Snapshot()
			if err != nil {
				self.Logger().Error("no snapshot for a node that needs one", "node", e.to, "error", err)
				continue
			}
			m.send(self, e.to, State{From: m.log.self, Have: m.log.have(), Data: data})
		case diverge:
			self.Logger().Error("states cannot be merged: start one of the guards anew", "node", e.node, "error", ErrUnmerged)
			m.observe(Diverged{e.node})
		}
	}
	if merged != (Merged{}) {
		m.observe(merged)
	}
	return nil
}

func (m *merge) observe(ev Event) {
	if m.cfg.Observe != nil {
		m.cfg.Observe(ev)
	}
}

// send sends to the guard on another node. What is lost is sent again.
func (m *merge) send(self *actor.Self, node string, msg any) {
	_ = self.Send(actor.NameAt{Name: m.cfg.Name, Node: node}, msg)
}

// apply applies another node's operation.
func (m *merge) apply(self *actor.Self, e apply) {
	msg, err := m.decode(e.op)
	if err == nil {
		_, err = m.inner.Apply(self, Operation{Origin: e.origin, Seq: e.seq, Local: e.origin == m.log.self, Message: msg})
	}
	if err != nil {
		self.Logger().Warn("an operation of another node failed here", "origin", e.origin.Node, "seq", e.seq, "error", err)
	}
}

var errOperation = errors.New("partition: malformed operation")

// encode puts encoding, type and data of a message in a row.
func (m *merge) encode(msg any) ([]byte, error) {
	v, err := m.codec.Encode(msg)
	if err != nil {
		return nil, err
	}
	b := binary.AppendUvarint(nil, uint64(v.Encoding))
	b = binary.AppendUvarint(b, uint64(len(v.Type)))
	b = append(b, v.Type...)
	return append(b, v.Data...), nil
}

// decode is the inverse of encode.
func (m *merge) decode(b []byte) (any, error) {
	encoding, n := binary.Uvarint(b)
	if n <= 0 || encoding > 1<<32-1 {
		return nil, errOperation
	}
	b = b[n:]
	size, n := binary.Uvarint(b)
	if n <= 0 || size > uint64(len(b)-n) {
		return nil, errOperation
	}
	b = b[n:]
	return m.codec.Decode(codec.Value{Encoding: codec.Encoding(encoding), Type: string(b[:size]), Data: b[size:]})
}
