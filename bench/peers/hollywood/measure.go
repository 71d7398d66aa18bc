package main

import (
	"runtime"
	"slices"
	"syscall"
	"time"
)

// result are the figures of one work, per operation.
type result struct {
	Work   string  `json:"work"`
	Wall   float64 `json:"ns"`
	CPU    float64 `json:"cpu_ns"`
	Allocs float64 `json:"allocs"`
	Bytes  float64 `json:"bytes,omitempty"`
}

func measure(n int, f func()) result {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	cpu := cpuTime()
	began := time.Now()
	f()
	wall := time.Since(began)
	cpu = cpuTime() - cpu
	runtime.ReadMemStats(&after)
	return result{
		Wall:   float64(wall.Nanoseconds()) / float64(n),
		CPU:    float64(cpu.Nanoseconds()) / float64(n),
		Allocs: float64(after.Mallocs-before.Mallocs) / float64(n),
	}
}

func median(n int, f func() time.Duration) result {
	took := make([]time.Duration, n)
	r := measure(n, func() {
		for i := range took {
			took[i] = f()
		}
	})
	slices.Sort(took)
	r.Wall = float64(took[n/2].Nanoseconds())
	return r
}

func live() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // never fails for oneself
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
