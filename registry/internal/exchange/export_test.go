package exchange

// Waiting is how many updates are of nodes that are not known to be up.
func (x *Exchange[V]) Waiting() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return len(x.early)
}
