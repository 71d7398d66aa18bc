package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/topos-go/topos/internal/sim"
)

// inLargePages is how many bytes of this program are.
func inLargePages(t *testing.T) (bytes uint64) {
	t.Helper()
	file, err := os.Open("/proc/self/smaps_rollup")
	if err != nil {
		t.Skipf("this kernel does not tell: %v", err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var kilobytes uint64
		if n, _ := fmt.Sscanf(lines.Text(), "AnonHugePages: %d kB", &kilobytes); n == 1 {
			return kilobytes << 10
		}
	}
	return 0
}

func TestHeapGrowsIntoLargePages(t *testing.T) {
	setting, err := os.ReadFile("/sys/kernel/mm/transparent_hugepage/enabled")
	if err != nil || !strings.Contains(string(setting), "[madvise]") {
		t.Skipf("programs need not ask here, or in vain: %s %v", setting, err)
	}
	if !preferLargePages(leastLarge) {
		t.Fatal("the system does not agree")
	}
	before := inLargePages(t)
	var heap [][]byte
	for range leastLarge / 2 >> 16 {
		b := make([]byte, 1<<16)
		for at := 0; at < len(b); at += 1 << 12 {
			b[at] = 1
		}
		heap = append(heap, b)
	}
	if more := inLargePages(t) - before; more < leastLarge/4 {
		t.Errorf("of %d bytes, %d are in large pages", leastLarge/2, more)
	}
	runtime.KeepAlive(heap)
}

func TestLittleMemoryIsNotWorthLargePages(t *testing.T) {
	if preferLargePages(leastLarge - 1) {
		t.Error("large pages for a small run")
	}
}

func TestMemoryThatThereIsNotIsNotAskedFor(t *testing.T) {
	if mayHave(1 << 50) {
		t.Error("a petabyte could be had")
	}
}

func TestLargeRunsAreExpectedToTakeMuch(t *testing.T) {
	for _, c := range []struct {
		cfg         sim.Config
		least, most uint64
	}{
		{sim.Config{Nodes: 10_000, Directory: true}, 8 << 30, 16 << 30},
		{sim.Config{Nodes: 100_000}, 2 << 30, 5 << 30},
		{sim.Config{Nodes: 500, Directory: true}, 0, leastLarge},
		{sim.Config{Nodes: -1}, 0, 0},
	} {
		if got := expected(c.cfg); got < c.least || got > c.most {
			t.Errorf("%d nodes, directory %v: %d bytes", c.cfg.Nodes, c.cfg.Directory, got)
		}
	}
}
