package actor

// PeerCounts is how many processes the system's peerTable has for other nodes
// and how many calls to them it waits for.
func (s *System) PeerCounts() (processes, calls int) {
	s.peers.mu.Lock()
	defer s.peers.mu.Unlock()
	for _, ids := range s.peers.byNode {
		processes += len(ids)
	}
	for _, ids := range s.peers.byName {
		processes += len(ids)
	}
	return processes, len(s.peers.calls)
}

// Errands is how many spawns for other nodes the system is about.
func (s *System) Errands() (n int) {
	s.peers.mu.Lock()
	defer s.peers.mu.Unlock()
	for _, es := range s.peers.errands {
		n += len(es)
	}
	return n
}

// Indexed is how many requests that pid has accepted are found by their numbers.
func (s *System) Indexed(pid PID) int {
	p := s.procs.find(pid.id)
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.annex.Load().calls.index)
}
