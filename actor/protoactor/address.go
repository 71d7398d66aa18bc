package protoactor

import (
	"strconv"
	"strings"

	proto "github.com/asynkron/protoactor-go/actor"

	"github.com/topos-go/topos/actor"
)

// toposAddress is the address of PIDs of theirs that mean a process of ours.
// They mean the same on every node that has a bridge.
const toposAddress = "topos"

// nowhere is the address of an actor system that has none.
const nowhere = "nonhost"

// What the ids of such PIDs begin with. A PID of ours begins with "<".
const (
	idName    = "name/"
	idAt      = "at/" // at/node|name
	idCluster = "cluster/"
	idReply   = "reply/" // reply/node/number: where a call of ours waits
)

// ProtoPID returns the PID by which actors of theirs reach the process at to.
// That of a hosted actor is the actor's own. One of a name means whoever holds
// the name when a message is sent; one of a PID means that process for ever.
// It may be put into messages to other nodes; a local name then means the
// receiver's.
func (b *Bridge) ProtoPID(to actor.Address) *proto.PID {
	id := ""
	switch a := to.(type) {
	case actor.PID:
		if box, ok := b.byPID.Load(a); ok {
			if self := box.(*mailbox).actorPID(); self != nil {
				return self
			}
		}
		id = a.String()
	case actor.Name:
		id = idName + string(a)
	case actor.NameAt:
		id = idAt + a.Node + "|" + string(a.Name)
	case actor.ClusterName:
		id = idCluster + string(a)
	}
	return proto.NewPID(toposAddress, id)
}

// parse returns what the id of a PID at toposAddress means.
func parse(id string) (actor.Address, bool) {
	if strings.HasPrefix(id, "<") {
		pid, err := actor.ParsePID(id)
		return pid, err == nil && !pid.IsZero()
	}
	if name, ok := strings.CutPrefix(id, idCluster); ok {
		return actor.ClusterName(name), name != ""
	}
	if name, ok := strings.CutPrefix(id, idName); ok {
		return actor.Name(name), name != ""
	}
	if at, ok := strings.CutPrefix(id, idAt); ok {
		node, name, found := strings.Cut(at, "|")
		return actor.NameAt{Node: node, Name: actor.Name(name)}, found && name != ""
	}
	return nil, false
}

// resolve is the AddressResolver of the actor system: it says what stands
// behind a PID that is not of this actor system.
func (b *Bridge) resolve(pid *proto.PID) (proto.Process, bool) {
	if b.ctx.Err() != nil {
		return nil, false // closed: another bridge may have followed
	}
	if pid.Address != toposAddress {
		node, err := actor.ParseNodeID(pid.Address)
		if err != nil || pid.Address == b.address {
			return nil, false
		}
		return &abroad{b: b, node: node}, true
	}
	if rest, ok := strings.CutPrefix(pid.Id, idReply); ok {
		return b.resolveReply(rest)
	}
	to, ok := parse(pid.Id)
	if !ok {
		return nil, false
	}
	return &process{b: b, to: to}, true
}

// resolveReply finds where a reply goes: to a call that waits here, or on
// another node.
func (b *Bridge) resolveReply(rest string) (proto.Process, bool) {
	slash := strings.LastIndexByte(rest, '/')
	if slash < 0 {
		return nil, false
	}
	n, err := strconv.ParseUint(rest[slash+1:], 36, 64)
	if err != nil {
		return nil, false
	}
	if rest[:slash] == b.address {
		return &reply{b: b, number: n}, true
	}
	node, err := actor.ParseNodeID(rest[:slash])
	if err != nil {
		return nil, false
	}
	return &abroad{b: b, node: node}, true
}

// local reports whether pid belongs to this actor system.
func (b *Bridge) local(pid *proto.PID) bool {
	return pid.Address == b.address || pid.Address == nowhere
}

// processOf returns what stands behind pid: the dead letter process if nothing
// does.
func (b *Bridge) processOf(pid *proto.PID) proto.Process {
	p, _ := b.actors.ProcessRegistry.Get(pid)
	return p
}

// hosted returns the mailbox of a local actor that is hosted.
func (b *Bridge) hosted(pid *proto.PID) (*mailbox, bool) {
	if pid == nil || !b.local(pid) {
		return nil, false
	}
	box, ok := b.boxes.Load(pid.Id)
	if !ok {
		return nil, false
	}
	return box.(*mailbox), true
}
