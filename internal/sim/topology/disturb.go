package topology

// Disturb does something to a random place, which it returns: it crashes, perhaps
// starts again, loses a link or leaves; or nothing happens.
func (w *World[C]) Disturb() int {
	i, j := w.Rng.IntN(len(w.Places)), w.Rng.IntN(len(w.Places))
	switch w.Rng.IntN(5) {
	case 0:
		w.Crash(i)
	case 1, 2:
		w.Crash(i)
		w.Boot(i)
	case 3:
		if i != j {
			w.Sever(i, j)
		}
	case 4:
		w.Leave(i)
	}
	return i
}
