package strong

import "time"

// machine is the state that all replicas have in common: a pure function of the
// commands carried out.
//
// Invariants:
//  1. No two tokens that it gives out are the same, and each is above all
//     before it: count grows with every command and epoch never falls.
//  2. A command of a session is carried out at most once: its result is kept
//     until the session says that it has it, and what is below that is refused.
//  3. A lease ends only by opRelease or opExpire with its token.
type machine struct {
	epoch    uint64 // zero before opFound
	count    uint64 // commands carried out
	settling bool   // after NewEpoch, until all leases of before are over
	names    map[string]holding
	leases   map[string]lease
	sessions map[uint64]*session
}

// holding is who holds a registered name.
type holding struct {
	value string
	token Token
}

// lease is who holds a lease.
type lease struct {
	value   string
	token   Token
	ttl     time.Duration
	renewed uint64 // how often
}

// session is what is known about one user of the registry.
type session struct {
	node    string
	settled uint64            // all below have been answered
	results map[uint64]result // of those not settled
}

func newMachine() *machine {
	return &machine{
		names:    make(map[string]holding),
		leases:   make(map[string]lease),
		sessions: make(map[uint64]*session),
	}
}

// apply carries out a command. changed is the name of a lease that was acquired,
// renewed or ended, if one was.
func (m *machine) apply(encoded []byte) (out result, changed string) {
	c, err := decodeCommand(encoded)
	if err != nil {
		return result{code: codeMalformed}, ""
	}
	if m.epoch == 0 && c.op != opFound {
		return result{code: codeSettling}, ""
	}
	m.count++
	if c.session == 0 {
		return m.carryOut(&c)
	}
	s := m.sessions[c.session]
	if s == nil || c.seq < s.settled {
		return result{code: codeSession}, ""
	}
	if s.settle(c.settled); c.seq < s.settled {
		return result{code: codeSession}, ""
	}
	if kept, again := s.results[c.seq]; again {
		return kept, ""
	}
	out, changed = m.carryOut(&c)
	s.results[c.seq] = out
	return out, changed
}

// settle forgets the results below seq.
func (s *session) settle(seq uint64) {
	if seq <= s.settled {
		return
	}
	if seq-s.settled <= uint64(len(s.results)) {
		for old := s.settled; old < seq; old++ {
			delete(s.results, old)
		}
	} else { // there are fewer results than numbers
		for old := range s.results {
			if old < seq {
				delete(s.results, old)
			}
		}
	}
	s.settled = seq
}

func (m *machine) carryOut(c *command) (out result, changed string) {
	own := c.session == 0 // of the leader
	switch {
	case c.op == opFound && own:
		if m.epoch == 0 {
			m.epoch = c.token.Epoch
		}
		return result{token: m.here()}, ""
	case c.op == opSettle && own:
		m.settling = false
		return result{}, ""
	case c.op == opOpen && own:
		m.sessions[m.count] = &session{node: c.value, results: make(map[uint64]result)}
		return result{token: m.here()}, ""
	case c.op == opClose && own:
		delete(m.sessions, c.token.Index)
		return result{}, ""
	case c.op == opExpire && own:
		if l, ok := m.leases[c.name]; !ok || l.token != c.token || l.renewed != c.renewed {
			return result{code: codeLost}, ""
		}
		delete(m.leases, c.name)
		return result{}, c.name
	case c.op == opRegister && !own:
		return m.register(c), ""
	case c.op == opUnregister && !own:
		return m.unregister(c), ""
	case c.op == opAcquire && !own:
		return m.acquire(c)
	case (c.op == opRenew || c.op == opRelease) && !own:
		return m.renewOrRelease(c)
	}
	return result{code: codeMalformed}, ""
}

// here is the token of the command in hand.
func (m *machine) here() Token { return Token{Epoch: m.epoch, Index: m.count} }

// meets returns what name has, and whether that meets a condition.
func (m *machine) meets(name string, cond condition) (holding, bool) {
	h, held := m.names[name]
	switch cond.kind {
	case condValue:
		return h, held && h.value == cond.value
	case condToken:
		return h, held && h.token == cond.token
	}
	return h, !held
}

func (m *machine) register(c *command) result {
	h, ok := m.meets(c.name, c.cond)
	if !ok {
		return result{code: codeConflict, value: h.value, token: h.token}
	}
	h = holding{value: c.value, token: m.here()}
	m.names[c.name] = h
	return result{value: h.value, token: h.token}
}

func (m *machine) unregister(c *command) result {
	h, ok := m.meets(c.name, c.cond)
	if !ok {
		return result{code: codeConflict, value: h.value, token: h.token}
	}
	delete(m.names, c.name)
	return result{}
}

func (m *machine) acquire(c *command) (out result, changed string) {
	if l, held := m.leases[c.name]; held {
		return result{code: codeHeld, value: l.value, token: l.token}, ""
	}
	if m.settling {
		return result{code: codeSettling}, ""
	}
	l := lease{value: c.value, token: m.here(), ttl: c.ttl}
	m.leases[c.name] = l
	return result{value: l.value, token: l.token}, c.name
}

func (m *machine) renewOrRelease(c *command) (out result, changed string) {
	l, held := m.leases[c.name]
	if !held || l.token != c.token || c.op == opRenew && l.token.Epoch != m.epoch {
		return result{code: codeLost, value: l.value, token: l.token}, ""
	}
	if c.op == opRelease {
		delete(m.leases, c.name)
		return result{}, c.name
	}
	l.renewed++
	m.leases[c.name] = l
	return result{value: l.value, token: l.token}, c.name
}

// lookup reads who holds a registered name.
func (m *machine) lookup(name string) result {
	h, ok := m.names[name]
	if !ok {
		return result{code: codeAbsent}
	}
	return result{value: h.value, token: h.token}
}

// owner reads who holds a lease.
func (m *machine) owner(name string) result {
	l, ok := m.leases[name]
	if !ok {
		return result{code: codeAbsent}
	}
	return result{value: l.value, token: l.token}
}

// begin makes the state that of a new epoch, for NewEpoch.
func (m *machine) begin(epoch uint64) {
	m.epoch = epoch
	m.settling = true
}
