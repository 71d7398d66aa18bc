//go:build !race

package supervisor_test

// scaleChildren is how many children the tests of scale start.
const scaleChildren = 100_000
