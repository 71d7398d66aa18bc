//go:build race

package supervisor_test

// scaleChildren is less than without the race detector, which multiplies time
// and would make it a test of patience.
const scaleChildren = 10_000
