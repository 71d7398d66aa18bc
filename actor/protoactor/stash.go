package protoactor

import (
	proto "github.com/asynkron/protoactor-go/actor"
)

// Stash returns the option that repairs an actor's stash. Theirs is a stack: a
// restarted actor handles the latest stashed message first, and does not learn
// who sent it. With the option the longest stashed comes first, each with its
// sender and header, after Started and before anything else. What is stashed
// when the actor stops becomes a dead letter.
//
// It costs an allocation a message, as every context decorator of theirs does.
func Stash() proto.PropsOption {
	return proto.WithContextDecorator(func(next proto.ContextDecoratorFunc) proto.ContextDecoratorFunc {
		return func(ctx proto.Context) proto.Context {
			return next(&stashing{Context: ctx})
		}
	})
}

// stashing is an actor's context whose stash is a queue. It is used on the
// actor's goroutine only.
type stashing struct {
	proto.Context
	kept []*proto.MessageEnvelope
}

// Stash puts the message in hand aside until the actor is restarted.
func (s *stashing) Stash() {
	env := &proto.MessageEnvelope{Message: s.Message(), Sender: s.Sender()}
	if header := s.MessageHeader(); header != nil {
		for _, key := range header.Keys() {
			env.SetHeader(key, header.Get(key))
		}
	}
	s.kept = append(s.kept, env)
}

// Receive lets the actor handle env and, if that has started it again, what is
// stashed. A message is taken out before it is handled: one that fails again is
// not kept for ever.
func (s *stashing) Receive(env *proto.MessageEnvelope) {
	s.Context.Receive(env)
	switch env.Message.(type) {
	case *proto.Started:
		for again := len(s.kept); again > 0; again-- {
			first := s.kept[0]
			s.kept[0] = nil
			s.kept = s.kept[1:]
			s.Context.Receive(first)
		}
	case *proto.Stopped:
		for _, env := range s.kept {
			s.ActorSystem().DeadLetter.SendUserMessage(s.Self(), env)
		}
		s.kept = nil
	}
}
