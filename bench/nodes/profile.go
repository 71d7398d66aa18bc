package main

import (
	"errors"
	"os"
	"runtime/pprof"
)

// profiles are written to files that are called prefix.phase; none without a prefix.
type profiles struct {
	prefix string
	file   *os.File // of the phase's CPU profile
}

// begin ends the phase, if there is one, and begins another, if it has a name.
func (p *profiles) begin(phase string) error {
	err := p.end()
	if p.prefix == "" || phase == "" || err != nil {
		return err
	}
	f, err := os.Create(p.prefix + "." + phase)
	if err != nil {
		return err
	}
	p.file = f
	return pprof.StartCPUProfile(f)
}

func (p *profiles) end() error {
	if p.file == nil {
		return nil
	}
	pprof.StopCPUProfile()
	err := p.file.Close()
	p.file = nil
	return err
}

// dump writes what there is now.
func (p *profiles) dump(names ...string) error {
	if p.prefix == "" {
		return nil
	}
	var errs []error
	for _, name := range names {
		f, err := os.Create(p.prefix + "." + name)
		if err != nil {
			return err
		}
		errs = append(errs, pprof.Lookup(name).WriteTo(f, 0), f.Close())
	}
	return errors.Join(errs...)
}
