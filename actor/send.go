package actor

// Sender is what messages can be sent from: a [*Self] or a [*System].
type Sender interface {
	Send(to Address, msg any, opts ...SendOption) error
}

// send is the way of every message. The address must not escape, so that a PID
// is not copied to the heap for every message.
func (s *System) send(from *process, to Address, msg any, opts []SendOption) error {
	if msg == nil {
		return ErrNilMessage
	}
	pid, ok := to.(PID)
	if !ok || len(opts) > 0 {
		return s.sendSlowly(from, to, msg, opts)
	}
	err := ErrNoProc
	if pid.node == s.node {
		if p := s.procs.find(pid.id); p != nil {
			err = p.deliver(msg, from, false)
		}
	} else if s.carrier == nil || pid.IsZero() {
		return s.sendSlowly(from, to, msg, opts)
	} else {
		err = s.carry(from, pid, msg)
	}
	if err != nil {
		return s.undeliverable(from, pid, msg, err)
	}
	return nil
}

// carry sends a message to another node.
func (s *System) carry(from *process, to PID, msg any) error {
	var sender PID
	if from != nil {
		sender = from.pid()
	}
	return s.carrier.Carry(sender, to, msg)
}

// fencedSend is the send of a process that was killed.
func (s *System) fencedSend(from *process, to Address, msg any) error {
	if msg == nil {
		return ErrNilMessage
	}
	return s.undeliverable(from, copyAddress(to), msg, ErrKilled)
}

// sendSlowly is send for names, other nodes and messages with options.
func (s *System) sendSlowly(from *process, to Address, msg any, opts []SendOption) error {
	o := gather(opts)
	t, err := s.resolve(to)
	switch {
	case err != nil:
	case t.remote(s):
		sig := Signal{Kind: SignalMessage, To: t.pid, Name: t.at, Msg: msg, Trace: o.trace, Via: o.via}
		if from != nil {
			sig.From = from.pid()
		}
		err = s.route(sig)
	default:
		err = ErrNoProc
		if p := s.procs.find(t.pid.id); p != nil {
			var mail = msg
			if o.trace != nil {
				mail = &letter{kind: letterEnvelope, msg: msg, trace: o.trace}
			}
			err = p.deliver(mail, from, false)
		}
	}
	if err == nil {
		return nil
	}
	return s.undeliverable(from, copyAddress(to), msg, err)
}

// undeliverable reports a message that was not sent, and returns why.
func (s *System) undeliverable(from *process, to Address, msg any, err error) error {
	var sender PID
	if from != nil {
		sender = from.pid()
	}
	s.deadLetter(DeadLetter{To: to, From: sender, Message: msg, Reason: err})
	return err
}

// copyAddress returns an address equal to a that may be kept.
func copyAddress(a Address) Address {
	switch a := a.(type) {
	case PID:
		return a
	case Name:
		return a
	case NameAt:
		return a
	case ClusterName:
		return a
	}
	return PID{}
}
