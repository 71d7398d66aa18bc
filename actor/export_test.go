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
