package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"

	"github.com/topos-go/topos/internal/sim"
)

// inLargePages is how many bytes of this program are; -1 if the kernel does not tell.
func inLargePages() int {
	file, err := os.Open("/proc/self/smaps_rollup")
	if err != nil {
		return -1
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var kilobytes int
		if n, _ := fmt.Sscanf(lines.Text(), "AnonHugePages: %d kB", &kilobytes); n == 1 {
			return kilobytes << 10
		}
	}
	return -1
}

// canBeHad reports whether memory that is asked for in the simplest way is in large pages.
func canBeHad() bool {
	before := inLargePages()
	b, err := syscall.Mmap(-1, 0, 16<<20, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil || syscall.Madvise(b, syscall.MADV_HUGEPAGE) != nil {
		return false
	}
	for at := 0; at < len(b); at += 1 << 12 {
		b[at] = 1
	}
	return before >= 0 && inLargePages() > before
}

// grow lets the heap grow in a process that has begun a large run and done nothing else, and
// prints how much of it is in large pages.
func grow() {
	possible := canBeHad()
	ended, end := context.WithCancel(context.Background())
	end()
	execute(ended, []string{"sim", "-nodes", "10000"}, io.Discard, io.Discard)
	before := inLargePages()
	var heap [][]byte
	for range grown >> 16 {
		b := make([]byte, 1<<16)
		for at := 0; at < len(b); at += 1 << 12 {
			b[at] = 1
		}
		heap = append(heap, b)
	}
	fmt.Println(possible, inLargePages()-before)
	runtime.KeepAlive(heap)
}

// grown is by how much: half of what such a run asks for at least.
const grown = leastLarge / 2

// Where large pages can be had, a large run has them.
func TestHeapGrowsIntoLargePages(t *testing.T) {
	if os.Getenv("TOPOS_TEST_GROW") != "" {
		grow()
		os.Exit(0)
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	child.Env = append(os.Environ(), "TOPOS_TEST_GROW=1")
	text, err := child.Output()
	var possible bool
	var more int
	if _, bad := fmt.Sscan(string(text), &possible, &more); bad != nil || err != nil {
		t.Fatalf("%s: %v, %v", text, bad, err)
	}
	run := expected(sim.Config{Nodes: 10000})
	enough := memory()/2 >= run && mayHave(run+spare)
	if got := more >= grown/2; got != (possible && enough) {
		t.Errorf("of %d bytes, %d are in large pages; they can be had: %v, and there is memory: %v", grown, more, possible, enough)
	}
}

func TestLittleMemoryIsNotWorthLargePages(t *testing.T) {
	if preferLargePages(leastLarge - 1) {
		t.Error("large pages for a small run")
	}
}

func TestMemoryThatThereIsNotIsNotAskedFor(t *testing.T) {
	if all := memory(); all == 0 || all > 1<<50 {
		t.Errorf("%d bytes are there", all)
	}
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
