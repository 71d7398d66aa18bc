// Package measure takes the figures of one piece of work: wall-clock and CPU
// time, allocations and live memory, each per operation. [Times] is how those
// of many operations are distributed.
package measure

import (
	"runtime"
	"slices"
	"syscall"
	"time"
)

// Result are the figures of one work. Wall and CPU are nanoseconds per
// operation; CPU is user and system time over all cores, so that work done on a
// second core is not hidden. Bytes is only set where live memory was measured.
type Result struct {
	Work   string  `json:"work"`
	Wall   float64 `json:"ns"`
	CPU    float64 `json:"cpu_ns"`
	Allocs float64 `json:"allocs"`
	Bytes  float64 `json:"bytes,omitempty"`
}

// Of runs f, which does n operations, and measures it.
func Of(n int, f func()) Result {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	cpu := cpuTime()
	began := time.Now()
	f()
	wall := time.Since(began)
	cpu = cpuTime() - cpu
	runtime.ReadMemStats(&after)
	return Result{
		Wall:   float64(wall.Nanoseconds()) / float64(n),
		CPU:    float64(cpu.Nanoseconds()) / float64(n),
		Allocs: float64(after.Mallocs-before.Mallocs) / float64(n),
	}
}

// Median runs f n times, each of which returns the time one operation took,
// and returns the median of those as Wall.
func Median(n int, f func() time.Duration) Result {
	took := make([]time.Duration, n)
	r := Of(n, func() {
		for i := range took {
			took[i] = f()
		}
	})
	slices.Sort(took)
	r.Wall = float64(took[n/2].Nanoseconds())
	return r
}

// Live returns the bytes of live heap and of stacks.
func Live() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	// The error is always nil for the calling process.
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
