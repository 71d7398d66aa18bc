package event

import "github.com/topos-go/topos/actor"

// What handlers do is called here, and what they do wrong contained: none of it
// ends the manager.

// caught, deferred, turns a panic of a handler into an error.
func caught(self *actor.Self, err *error) {
	if v := recover(); v != nil {
		panicked := actor.NewPanicError(v)
		self.Logger().Error("event handler panicked", "panic", v, "stack", panicked.Stack())
		*err = panicked
	}
}

func handled(self *actor.Self, h Handler, event any) (next Next, err error) {
	defer caught(self, &err)
	return h.HandleEvent(self, event)
}

func informed(self *actor.Self, h Handler, msg any) (next Next, err error) {
	if i, ok := h.(InfoHandler); ok {
		defer caught(self, &err)
		return i.HandleInfo(self, msg)
	}
	return Next{}, nil
}

func called(self *actor.Self, h CallHandler, req any) (next Next, err error) {
	defer caught(self, &err)
	return h.HandleCall(self, req)
}

func initialised(self *actor.Self, h Handler) (err error) {
	if i, ok := h.(Initializer); ok {
		defer caught(self, &err)
		return i.Init(self)
	}
	return nil
}

func inherited(self *actor.Self, h Handler, state any) (err error) {
	s, ok := h.(Successor)
	if !ok {
		return initialised(self, h)
	}
	defer caught(self, &err)
	return s.Inherit(self, state)
}

func terminated(self *actor.Self, h Handler, end End) (value any) {
	if t, ok := h.(Terminator); ok {
		var err error
		defer caught(self, &err) // which changes nothing
		return t.Terminate(self, end)
	}
	return nil
}
