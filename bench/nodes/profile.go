package main

import (
	"log"
	"os"
	"runtime/pprof"
	"syscall"
	"time"
)

// profiles are written to files that are called prefix.phase; none without a prefix.
type profiles struct {
	prefix string
	file   *os.File // of the phase's CPU profile
}

// begin ends the phase, if there is one, and begins another.
func (p *profiles) begin(phase string) {
	p.end()
	if p.prefix == "" {
		return
	}
	f, err := os.Create(p.prefix + "." + phase)
	if err != nil {
		log.Fatal(err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		log.Fatal(err)
	}
	p.file = f
}

func (p *profiles) end() {
	if p.file != nil {
		pprof.StopCPUProfile()
		p.file.Close()
		p.file = nil
	}
}

// dump writes what there is now.
func (p *profiles) dump(names ...string) {
	if p.prefix == "" {
		return
	}
	for _, name := range names {
		f, err := os.Create(p.prefix + "." + name)
		if err != nil {
			log.Fatal(err)
		}
		if err := pprof.Lookup(name).WriteTo(f, 0); err != nil {
			log.Print(err)
		}
		f.Close()
	}
}

// processorTime returns how much of it this process has had.
func processorTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		log.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
