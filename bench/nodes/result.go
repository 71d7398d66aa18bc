package main

import (
	"errors"
	"fmt"
	"time"
)

// result is the last line. Memory is what the processes have of the machine's, without
// what its kernel has of their connections.
type result struct {
	Nodes      int     `json:"nodes"`
	Processes  int     `json:"processes"`
	Directory  float64 `json:"directory_s"`  // from the last start until each node knows all
	Broadcast  float64 `json:"broadcast_s"`  // the slowest of some, until all have it
	Obituaries float64 `json:"obituaries_s"` // from the first kill until all know of all
	Memory     int     `json:"memory_mb"`    // of all processes, when all know each other
	MemoryPeak int     `json:"memory_peak_mb"`
	Heap       int     `json:"heap_mb"`
	Stacks     int     `json:"stacks_mb"`
	Goroutines int     `json:"goroutines"`
	Files      int     `json:"files"`      // of all processes, when all know each other
	FilesPeak  int     `json:"files_peak"` // of the process with most
	Rest       float64 `json:"rest_ms"`    // processor time a node and second while nothing happens
	Start      float64 `json:"start_cpu_s"`
	Doubts     doubted `json:"doubts"`      // until all know each other
	DoubtsKill doubted `json:"doubts_kill"` // and until all know of all who were killed
}

// bars are what results must not be worse than.
type bars struct {
	directory, broadcast, obituaries time.Duration
	memory                           int
}

var errMissed = errors.New("bar missed")

// missed says which bars r is worse than.
func (b bars) missed(r result) error {
	var errs []error
	for _, m := range []struct {
		what     string
		got, bar float64
	}{
		{"directory_s", r.Directory, b.directory.Seconds()},
		{"broadcast_s", r.Broadcast, b.broadcast.Seconds()},
		{"obituaries_s", r.Obituaries, b.obituaries.Seconds()},
		{"memory_peak_mb", float64(r.MemoryPeak), float64(b.memory)},
	} {
		if m.got > m.bar {
			errs = append(errs, fmt.Errorf("%w: %s is %.4g, more than %.4g", errMissed, m.what, m.got, m.bar))
		}
	}
	return errors.Join(errs...)
}
