package protoactor

import (
	proto "github.com/asynkron/protoactor-go/actor"

	"github.com/topos-go/topos/actor"
)

// standIn is the process that stands for an actor which runs by itself: mail
// passes through it, and it ends when the actor does. One with props owns its
// actor: it spawns it, and stops it when it ends itself.
type standIn struct {
	b     *Bridge
	props *proto.Props
	id    string
	of    *proto.PID
	as    *proto.PID // this process, as the actor's watcher
	asked asked
}

// Init watches the actor.
func (s *standIn) Init(self *actor.Self) error {
	if s.props != nil {
		id := s.id
		if id == "" {
			id = s.b.childID(self.PID())
		}
		var err error
		if s.of, err = s.b.plain.SpawnNamed(s.props, id); err != nil {
			return err
		}
	}
	s.as = proto.NewPID(toposAddress, self.PID().String())
	s.b.processOf(s.of).SendSystemMessage(s.of, &proto.Watch{Watcher: s.as})
	return nil
}

// Receive passes msg on.
func (s *standIn) Receive(self *actor.Self, msg any) error {
	if gone, ok := msg.(*proto.Terminated); ok && gone.Who.Id == s.of.Id {
		s.of = nil
		return actor.ErrNormal
	}
	if self.IsCall() {
		sender, number := s.b.sender(self.From())
		s.asked.add(s.b, number)
		msg = &proto.MessageEnvelope{Message: msg, Sender: sender}
	}
	s.b.processOf(s.of).SendUserMessage(s.of, msg)
	return nil
}

// Terminate stops the actor, if it is the process's own, and waits for its end.
func (s *standIn) Terminate(*actor.Self, error) {
	s.asked.forget(s.b)
	if s.of == nil {
		return
	}
	if s.props == nil {
		s.b.processOf(s.of).SendSystemMessage(s.of, &proto.Unwatch{Watcher: s.as})
		return
	}
	_ = s.b.plain.StopFuture(s.of).Wait() // at most their ten seconds, then it is on its own
}
