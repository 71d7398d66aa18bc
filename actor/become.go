package actor

// Become lets a handle the messages from the next one on, until
// [Self.Unbecome]. Init and Terminate remain those of the original actor.
func (s *Self) Become(a Actor) error {
	if a == nil {
		return errNilActor
	}
	s.proc().become(a)
	return nil
}

// Unbecome goes back to the actor before the last [Self.Become]. It reports
// false if there is none.
func (s *Self) Unbecome() bool { return s.proc().unbecome() }

// become and unbecome change p.actor. The lock is for those who look at p.
func (p *process) become(a Actor) {
	x := p.ensureAnnex()
	p.mu.Lock()
	x.behaviours = append(x.behaviours, p.actor)
	p.actor = a
	p.mu.Unlock()
}

func (p *process) unbecome() bool {
	x := p.annex.Load()
	if x == nil || len(x.behaviours) == 0 {
		return false
	}
	last := len(x.behaviours) - 1
	p.mu.Lock()
	p.actor = x.behaviours[last]
	x.behaviours[last] = nil
	x.behaviours = x.behaviours[:last]
	p.mu.Unlock()
	return true
}

// original returns the actor p was spawned with. Any goroutine may ask.
func (p *process) original() Actor {
	p.mu.Lock()
	defer p.mu.Unlock()
	if x := p.annex.Load(); x != nil && len(x.behaviours) > 0 {
		return x.behaviours[0]
	}
	return p.actor
}
