//go:build !race

package supervisor_test

// The tests of scale start this many children, and measure once.
const (
	scaleChildren = 100_000
	scaleAttempts = 1
)
