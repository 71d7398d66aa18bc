package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// usage is what a process has of the machine.
type usage struct {
	Processor              time.Duration `json:",omitempty"` // since its start
	Resident, ResidentPeak int           `json:",omitempty"` // bytes
	Heap, Stacks           int           `json:",omitempty"` // bytes
	Goroutines             int           `json:",omitempty"`
	Files, FilesPeak       int           `json:",omitempty"`
}

// meter measures this process. Its methods may be called by any goroutine.
type meter struct {
	mu   sync.Mutex
	peak int // of files
}

// watch counts files until ctx ends.
func (m *meter) watch(ctx context.Context) {
	again := time.NewTicker(seeFiles)
	defer again.Stop()
	for {
		select {
		case <-again.C:
			_, _, _ = m.files() // usage tells the error
		case <-ctx.Done():
			return
		}
	}
}

// files returns how many are open, and how many have been seen at most.
func (m *meter) files() (now, peak int, err error) {
	dir, err := os.Open("/proc/self/fd")
	if err != nil {
		return 0, 0, err
	}
	names, err := dir.Readdirnames(-1)
	dir.Close()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.peak = max(m.peak, len(names))
	return len(names), m.peak, err
}

// usage measures, memory after a collection if collected: that takes seconds of processor
// time where there are hundreds of nodes.
func (m *meter) usage(collected bool) (u usage, err error) {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return usage{}, err
	}
	u.Processor = time.Duration(used.Utime.Nano() + used.Stime.Nano())
	if u.Files, u.FilesPeak, err = m.files(); err != nil {
		return usage{}, err
	}
	if u.Resident, u.ResidentPeak, err = resident(); err != nil {
		return usage{}, err
	}
	if collected {
		runtime.GC()
	}
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	u.Heap, u.Stacks, u.Goroutines = int(mem.HeapAlloc), int(mem.StackInuse), runtime.NumGoroutine()
	return u, nil
}

// resident returns how many bytes of memory this process has, and had at most.
func resident() (now, peak int, err error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, 0, err
	}
	for name, bytesOf := range map[string]*int{"VmRSS:": &now, "VmHWM:": &peak} {
		_, line, _ := bytes.Cut(status, []byte(name))
		fields := bytes.Fields(line)
		if len(fields) == 0 {
			return 0, 0, fmt.Errorf("no %s in %s", name, status)
		}
		kilobytes, err := strconv.Atoi(string(fields[0]))
		if err != nil {
			return 0, 0, err
		}
		*bytesOf = kilobytes << 10
	}
	return now, peak, nil
}
