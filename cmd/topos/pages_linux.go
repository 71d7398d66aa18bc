package main

import (
	"math"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
)

// preferLargePages has the next bytes that the heap grows by backed by pages of two
// megabytes, if the system lets programs ask for that. Cores of thousands of nodes are read at
// random, and with pages of four kilobytes it takes longer to find where these are than
// to read them. Go does not ask; so memory is taken that nobody touches, asked for, and
// left to the heap, which maps no new memory as long as it has some. It reports whether
// the system has agreed.
//
// The price is what the system does to find such pages, and that it may give back to the
// program what the heap has released to it.
func preferLargePages(bytes uint64) bool {
	bytes = min(bytes, memory()/2)
	if bytes < leastLarge || !mayHave(bytes+spare) {
		return false
	}
	err := syscall.Madvise(make([]byte, bytes), syscall.MADV_HUGEPAGE)
	runtime.GC()
	return err == nil
}

// spare is what Go takes besides what it is asked for, and some.
const spare = 512 << 20

// memory is how much there is for this program, as far as it can see: that of the
// machine, or of its control group.
func memory() uint64 {
	var machine syscall.Sysinfo_t
	if syscall.Sysinfo(&machine) != nil {
		return 0
	}
	all := uint64(machine.Totalram) * uint64(machine.Unit)
	if text, err := os.ReadFile("/sys/fs/cgroup/memory.max"); err == nil {
		if limit, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64); err == nil { // not "max"
			all = min(all, limit)
		}
	}
	return all
}

// mayHave reports whether the system would let the program have that much memory: a
// heap that is refused some ends the program.
func mayHave(bytes uint64) bool {
	if bytes > math.MaxInt {
		return false
	}
	b, err := syscall.Mmap(-1, 0, int(bytes), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	return err == nil && syscall.Munmap(b) == nil
}
