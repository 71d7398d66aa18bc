package main

import (
	"fmt"
	"slices"

	"github.com/topos-go/topos/actor"
	"github.com/topos-go/topos/behaviours/server"
)

// lobbyName is the local name of each node's lobby.
const lobbyName = actor.Name("lobby")

// What users ask of the lobby of their node.
type (
	// join takes a user in, who is present as long as the process lives.
	join struct {
		nick string
		user actor.PID
	}
	// say is told to everybody on every node.
	say struct{ nick, text string }
	// who is answered with the nicks of all who are present, sorted.
	who struct{}
)

// What lobbies tell each other. The types are registered: they travel.
type (
	// Present is everybody who is present on a node: its lobby says so whenever
	// that changes, and to each node that it meets, of which it asks the same.
	// Version grows with every change.
	Present struct {
		Node    string
		Boot    uint64 // of the node's incarnation
		Version uint64
		Nicks   []string
		Asks    bool
	}
	// Said is a line for the users of the node that it is sent to.
	Said struct{ Nick, Text string }
)

// nodeUp is a node that the lobby should know of.
type nodeUp struct{ node actor.NodeID }

// lobby is the chat server of one node. There is none in the middle: each knows
// its own users, and hears from the others of theirs. What it knows of a node
// goes with the node. When a lobby crashes its successor asks the others again;
// its own users are to join again, as they would see from a monitor.
type lobby struct {
	self    actor.NodeID
	version uint64
	users   map[string]actor.PID // nick -> process, of this node
	watched map[actor.MonitorRef]string
	others  map[actor.NodeID]*other
	downs   map[actor.MonitorRef]actor.NodeID
}

// other is what is known of another node. present is the last that its lobby
// has said.
type other struct{ present Present }

func newLobby() server.Server {
	return &lobby{
		users: make(map[string]actor.PID), watched: make(map[actor.MonitorRef]string),
		others: make(map[actor.NodeID]*other), downs: make(map[actor.MonitorRef]actor.NodeID),
	}
}

// startLobby returns the start function of a node's lobby. watch is the node's:
// it reports the nodes that are up, and those that come.
func startLobby(watch func(func(node actor.NodeID, up bool)) (cancel func())) actor.StartFunc {
	return func(parent *actor.Self, _ ...any) (actor.PID, error) {
		pid, err := parent.SpawnLink(server.New(newLobby()), lobbyName)
		if err != nil {
			return pid, err
		}
		sys := parent.System()
		cancel := watch(func(node actor.NodeID, up bool) {
			if up {
				_ = sys.Send(pid, nodeUp{node}) // a lobby that has ended need not know
			}
		})
		_, err = parent.SpawnLink(&canceller{pid, cancel})
		return pid, err
	}
}

// canceller ends the watch when the lobby ends.
type canceller struct {
	of     actor.PID
	cancel func()
}

func (c *canceller) Init(self *actor.Self) error {
	self.Monitor(c.of)
	return nil
}

func (c *canceller) Receive(*actor.Self, any) error { return actor.ErrNormal }

func (c *canceller) Terminate(*actor.Self, error) { c.cancel() }

func (l *lobby) Init(self *actor.Self) (server.Next, error) {
	l.self = self.PID().Node()
	return server.Next{}, nil
}

func (l *lobby) HandleCall(self *actor.Self, req any) (server.Next, error) {
	switch m := req.(type) {
	case join:
		if slices.Contains(l.present(), m.nick) {
			return server.Next{}, self.ReplyError(fmt.Errorf("chat: %s is here already", m.nick))
		}
		l.users[m.nick] = m.user
		l.watched[self.Monitor(m.user)] = m.nick
		l.changed(self)
		return server.Next{}, self.Reply("welcome " + m.nick)
	case who:
		return server.Next{}, self.Reply(l.present())
	}
	return server.Next{}, self.ReplyError(fmt.Errorf("chat: no request %T", req))
}

func (l *lobby) HandleCast(self *actor.Self, msg any) (server.Next, error) {
	switch m := msg.(type) {
	case say:
		l.tell(self, Said{m.nick, m.text})
		for node := range l.others {
			l.send(self, node, Said{m.nick, m.text})
		}
	case Said:
		l.tell(self, m)
	case Present:
		l.hear(m)
		if m.Asks {
			l.send(self, actor.NodeID{Name: m.Node}, l.mine())
		}
	case nodeUp:
		l.meet(self, m.node)
	}
	return server.Next{}, nil
}

// meet begins to know a node, and tells it who is here.
func (l *lobby) meet(self *actor.Self, node actor.NodeID) {
	if l.others[node] != nil || node == l.self {
		return
	}
	l.others[node] = new(other)
	l.downs[self.MonitorNode(node)] = node
	p := l.mine()
	p.Asks = true // the other may have met this node first, and said so too early
	l.send(self, node, p)
}

// hear notes what another lobby says of its node, unless it has said something
// later already.
func (l *lobby) hear(m Present) {
	for node, o := range l.others {
		if node.Name == m.Node && node.Incarnation.Boot == m.Boot && m.Version >= o.present.Version {
			o.present = m
		}
	}
}

// HandleInfo hears of users and nodes that are gone.
func (l *lobby) HandleInfo(self *actor.Self, msg any) (server.Next, error) {
	switch m := msg.(type) {
	case actor.Down:
		if nick, ok := l.watched[m.Ref]; ok {
			delete(l.watched, m.Ref)
			delete(l.users, nick)
			l.changed(self)
		}
	case actor.NodeDown:
		delete(l.others, l.downs[m.Ref])
		delete(l.downs, m.Ref)
	}
	return server.Next{}, nil
}

// changed tells every other lobby who is here now.
func (l *lobby) changed(self *actor.Self) {
	l.version++
	for node := range l.others {
		l.send(self, node, l.mine())
	}
}

func (l *lobby) mine() Present {
	p := Present{Node: l.self.Name, Boot: l.self.Incarnation.Boot, Version: l.version}
	for nick := range l.users {
		p.Nicks = append(p.Nicks, nick)
	}
	slices.Sort(p.Nicks)
	return p
}

// send tells the lobby of a node. Chat is at most once: a lobby that is lost
// now will say and hear everything again when it is back.
func (l *lobby) send(self *actor.Self, node actor.NodeID, msg any) {
	if err := self.Send(actor.NameAt{Node: node.Name, Name: lobbyName}, msg); err != nil {
		self.Logger().Info("a lobby does not hear", "node", node, "reason", err)
	}
}

// tell gives a line to the users of this node.
func (l *lobby) tell(self *actor.Self, m Said) {
	for _, user := range l.users {
		_ = self.Send(user, m) // who has left is about to be noticed
	}
}

// present returns the nicks of all who are present anywhere.
func (l *lobby) present() []string {
	nicks := l.mine().Nicks
	for _, o := range l.others {
		nicks = append(nicks, o.present.Nicks...)
	}
	slices.Sort(nicks)
	return slices.Compact(nicks)
}
