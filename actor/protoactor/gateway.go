package protoactor

import (
	"strconv"
	"strings"

	proto "github.com/asynkron/protoactor-go/actor"

	"github.com/topos-go/topos/actor"
)

// gateway is the bridge's own process. It takes frames from other nodes, and
// has the monitors of those who have no process of ours themselves.
//
// Nothing that comes from another node ends it.
type gateway struct {
	b *Bridge
	// local are the watchers, not hosted, of processes of ours.
	local map[actor.MonitorRef]watchFor
	// abroad are the watchers here of actors of theirs on other nodes.
	abroad map[actor.NodeID]*nodeWatch
	// stands are the stand-ins, by the ids of their actors.
	stands map[string]actor.PID
	ofs    map[actor.MonitorRef]string
}

// nodeWatch is who is to be told when a node is lost.
type nodeWatch struct {
	ref   actor.MonitorRef
	pairs map[watchPair]*watchAbroad
}

type watchPair struct{ watcher, who string }

type (
	watchAbroad struct {
		watcher, who *proto.PID
		node         actor.NodeID
	}
	unwatchAbroad struct{ watcher, who *proto.PID }
	standInFor    struct{ of *proto.PID }
)

// Init makes the tables.
func (g *gateway) Init(*actor.Self) error {
	g.local = make(map[actor.MonitorRef]watchFor)
	g.abroad = make(map[actor.NodeID]*nodeWatch)
	g.stands = make(map[string]actor.PID)
	g.ofs = make(map[actor.MonitorRef]string)
	return nil
}

// Receive handles one message.
func (g *gateway) Receive(self *actor.Self, msg any) error {
	switch m := msg.(type) {
	case []byte:
		g.frame(self, m)
	case *tell:
		g.b.processOf(m.watcher).SendSystemMessage(m.watcher, m.message)
	case *watchFor:
		g.watch(self, m)
	case *watchAbroad:
		g.watchNode(self, m)
	case *unwatchAbroad:
		g.forget(m.watcher, m.who)
	case *unhandled:
		g.b.actors.DeadLetter.SendUserMessage(nil, m.env)
	case *standInFor:
		return g.standIn(self, m.of)
	case actor.Down:
		g.down(m)
	case actor.NodeDown:
		g.nodeDown(m)
	default:
		if self.IsCall() {
			return self.ReplyError(errWrongMail)
		}
	}
	return nil
}

// Terminate ends the bridge with its process.
func (g *gateway) Terminate(*actor.Self, error) { g.b.release() }

// frame carries out what another node asks for. Some processes of theirs panic
// at what they are sent; that is none of this process's business.
func (g *gateway) frame(self *actor.Self, data []byte) {
	defer func() {
		if v := recover(); v != nil {
			self.Logger().Warn("mail of another node's actors made its receiver panic", "reason", v)
		}
	}()
	f, err := g.b.decode(data)
	if err == nil {
		switch f.Kind {
		case frameResolve:
			g.answer(self, f)
			return
		case frameTerminated:
			g.forget(f.to(), f.sender())
		}
		err = g.b.deliver(f)
	}
	if err != nil {
		self.Logger().Warn("mail of another node's actors is dropped", "reason", err)
	}
}

// answer says which process stands for an actor here.
func (g *gateway) answer(self *actor.Self, f *frame) {
	pid := f.to()
	if f.Node != g.b.address {
		_ = self.ReplyError(actor.ErrNoProc)
		return
	}
	if box, ok := g.b.hosted(pid); ok {
		_ = self.Reply(box.pid)
		return
	}
	if _, ok := g.b.actors.ProcessRegistry.GetLocal(pid.Id); !ok {
		_ = self.ReplyError(actor.ErrNoProc)
		return
	}
	_ = g.standIn(self, pid)
}

// standIn answers with the stand-in for an actor that is not hosted.
func (g *gateway) standIn(self *actor.Self, of *proto.PID) error {
	if pid, ok := g.stands[of.Id]; ok {
		return self.Reply(pid)
	}
	pid, ref, err := self.SpawnMonitor(&standIn{b: g.b, of: of}, actor.Label(of.Id))
	if err != nil {
		return self.ReplyError(err)
	}
	g.stands[of.Id], g.ofs[ref] = pid, of.Id
	return self.Reply(pid)
}

func (g *gateway) watch(self *actor.Self, w *watchFor) {
	switch r := w.request.(type) {
	case *watchRequest:
		g.local[self.Monitor(r.to)] = *w
	case *unwatchRequest:
		for ref, other := range g.local {
			if other.watcher.Equal(w.watcher) && other.request.(*watchRequest).who.Equal(r.who) {
				self.DemonitorFlush(ref)
				delete(g.local, ref)
			}
		}
	}
}

func (g *gateway) down(m actor.Down) {
	if id, ok := g.ofs[m.Ref]; ok {
		delete(g.ofs, m.Ref)
		delete(g.stands, id)
		return
	}
	w, ok := g.local[m.Ref]
	if !ok {
		return
	}
	delete(g.local, m.Ref)
	g.b.processOf(w.watcher).SendSystemMessage(w.watcher, terminated(w.request.(*watchRequest).who, m.Reason))
}

func pairOf(watcher, who *proto.PID) watchPair {
	return watchPair{watcher.Id, who.Address + "/" + who.Id}
}

func (g *gateway) watchNode(self *actor.Self, w *watchAbroad) {
	n := g.abroad[w.node]
	if n == nil {
		n = &nodeWatch{ref: self.MonitorNode(w.node), pairs: make(map[watchPair]*watchAbroad)}
		g.abroad[w.node] = n
	}
	n.pairs[pairOf(w.watcher, w.who)] = w
}

// forget drops what is known of who being watched by watcher.
func (g *gateway) forget(watcher, who *proto.PID) {
	if watcher == nil || who == nil {
		return
	}
	if node, err := actor.ParseNodeID(who.Address); err == nil && g.abroad[node] != nil {
		delete(g.abroad[node].pairs, pairOf(watcher, who))
	}
}

// nodeDown tells everybody here who watches an actor there.
func (g *gateway) nodeDown(m actor.NodeDown) {
	for node, n := range g.abroad {
		if n.ref != m.Ref {
			continue
		}
		delete(g.abroad, node)
		for _, w := range n.pairs {
			g.b.processOf(w.watcher).SendSystemMessage(w.watcher,
				&proto.Terminated{Who: w.who, Why: proto.TerminatedReason_AddressTerminated})
		}
	}
}

// cutReply returns the number of a call that waits at address.
func cutReply(id, address string) (uint64, bool) {
	rest, ok := strings.CutPrefix(id, idReply+address+"/")
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(rest, 36, 64)
	return n, err == nil
}
