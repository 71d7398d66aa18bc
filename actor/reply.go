package actor

import "errors"

// Reply answers the call in hand. It always returns nil, so that a handler can
// end with it. If the message is not a call, has been answered, its caller has
// given up, or this process has been killed, nothing happens.
func (s *Self) Reply(value any) error {
	if p := s.proc(); !p.fenced() {
		p.current.complete(value, nil, true)
	}
	return nil
}

// ReplyError answers the call in hand with an error, which [Call] returns
// wrapped in a [CallError]. A nil err is replied as a nil value.
func (s *Self) ReplyError(err error) error {
	if p := s.proc(); !p.fenced() {
		p.current.complete(nil, calleesOwn(err), true)
	}
	return nil
}

// IsCall reports whether the message in hand is a call that waits for a reply.
func (s *Self) IsCall() bool { return s.proc().current.waiting() }

// From keeps the call in hand to be answered later, from anywhere. The call
// fails when this process ends before it was answered. The From of a message
// that is not a call answers nobody.
func (s *Self) From() From {
	p := s.proc()
	if p.current.c == nil {
		return From{}
	}
	p.keepCall()
	return From{callRef{p.current.c, p.current.word &^ refKept}}
}

// From is who waits for the reply to a call. It is safe for concurrent use; the
// first reply counts. The zero From is nobody.
type From struct{ ref callRef }

// Reply answers the call. It reports whether the caller was still waiting.
func (f From) Reply(value any) bool { return f.ref.complete(value, nil, true) }

// ReplyError answers the call with an error; see [Self.ReplyError].
func (f From) ReplyError(err error) bool { return f.ref.complete(nil, calleesOwn(err), true) }

// Waiting reports whether the caller still waits.
func (f From) Waiting() bool { return f.ref.waiting() }

// Encoded is a reply that came from another node and whose type only the
// caller knows. A [Router] may hand one to [System.Deliver]; Call decodes it.
type Encoded interface {
	// DecodeInto stores the value in *target.
	DecodeInto(target any) error
}

func replyAs[R any](to Address, value any) (R, error) {
	if e, ok := value.(Encoded); ok {
		return decodeReply[R](to, e)
	}
	r, ok := value.(R)
	if !ok && value != nil { // nil is R's zero value
		return r, &CallError{To: copyAddress(to), Err: ErrReplyType}
	}
	return r, nil
}

// decodeReply is by itself because its R is allocated.
func decodeReply[R any](to Address, e Encoded) (R, error) {
	var r R
	if err := e.DecodeInto(&r); err != nil {
		return r, &CallError{To: copyAddress(to), Err: errors.Join(ErrReplyType, err)}
	}
	return r, nil
}
