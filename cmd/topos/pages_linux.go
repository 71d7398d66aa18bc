package main

import (
	"math"
	"runtime"
	"syscall"
)

// preferLargePages has the next bytes that the heap grows by backed by pages of two
// megabytes, if the system lets programs ask for that. Cores of thousands of nodes are read at
// random, and with pages of four kilobytes it takes longer to find where these are than
// to read them. Go does not ask; so memory is taken that nobody touches, asked for, and
// left to the heap, which maps no new memory as long as it has some. It reports whether
// the system has agreed.
func preferLargePages(bytes uint64) bool {
	var machine syscall.Sysinfo_t
	if syscall.Sysinfo(&machine) != nil {
		return false
	}
	bytes = min(bytes, uint64(machine.Totalram)*uint64(machine.Unit)/2, math.MaxInt/4)
	if bytes < leastLarge || !mayHave(bytes) {
		return false
	}
	err := syscall.Madvise(make([]byte, bytes), syscall.MADV_HUGEPAGE)
	runtime.GC()
	return err == nil
}

// mayHave reports whether the system would let the program have that much memory: a
// heap that is refused some ends the program.
func mayHave(bytes uint64) bool {
	b, err := syscall.Mmap(-1, 0, int(bytes), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	return err == nil && syscall.Munmap(b) == nil
}
