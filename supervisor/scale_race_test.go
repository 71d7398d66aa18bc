//go:build race

package supervisor_test

// With the race detector there are fewer children, which would make it a test
// of patience, and more attempts, since little time is measured.
const (
	scaleChildren = 3_000
	scaleAttempts = 3
)
