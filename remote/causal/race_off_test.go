//go:build !race

package causal

// runs is how many schedules a property is tried on.
const runs = 3000
