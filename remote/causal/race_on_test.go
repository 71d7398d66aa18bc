//go:build race

package causal

// runs is fewer with the race detector, which makes everything slow and looks
// for what a package without goroutines cannot have.
const runs = 300
